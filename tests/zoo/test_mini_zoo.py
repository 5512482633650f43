"""What lies in `mini_zoo/` is complete, small and in the formats it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors import safe_open

from benchmarks.zoo import mini
from benchmarks.zoo.plan import Plan

ZOO = Path(__file__).resolve().parents[2] / "mini_zoo"
pytestmark = pytest.mark.skipif(not (ZOO / "world.json").exists(), reason="mini_zoo is not built")
LORAS = [pytest.param(plan, id=plan.name) for plan in mini.loras()]


def test_it_takes_at_most_16_megabytes():
    assert sum(path.stat().st_size for path in ZOO.rglob("*") if path.is_file()) <= 16_000_000


def test_there_are_24_lora_of_which_about_half_are_kohyas():
    layouts = [plan.layout for plan in mini.loras()]
    assert len(layouts) == 24
    assert layouts.count("kohya") in range(11, 15)


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


@pytest.mark.parametrize("name", [*(p.name for p in mini.loras()), *(p.name for p in mini.checkpoints())])
def test_every_model_has_a_record_and_six_held_out_pictures(name: str):
    record = json.loads((ZOO / "world.json").read_text(encoding="utf-8"))["models"][name]
    assert record["description"]
    assert len(list((ZOO / "queries" / name).glob("*.webp"))) == 6


def test_open_clip_loads_the_mini_clip_without_a_network():
    import open_clip
    import torch

    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{ZOO / 'clip'}")
    tokens = open_clip.get_tokenizer(f"local-dir:{ZOO / 'clip'}")(["a red star", "large round dots"])
    with torch.no_grad():
        features = model.eval().encode_text(tokens, normalize=True)
    assert features.shape == (2, 96)
    assert float(features[0] @ features[1]) < 0.95
    assert preprocess is not None
