"""LoRA that fit the graph's model: an SD1.5 of random weights, with LoRA for it and for a toy model beside them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.comfyui.engine import LORAS, catalog_of, make_base, until
from tests.comfyui.host import ROOT, ComfyUI, message_of, shown
from tests.comfyui.test_finding import find

pytestmark = pytest.mark.slow
ZOO = ROOT / "mini_zoo" / "models"
TOY = ZOO / "checkpoints" / "garage-final.safetensors"
CHECKPOINT = {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "random_sd15.safetensors"}}


@pytest.fixture(scope="module")
def mini(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base directory in which the toy model's LoRA are more, and called so that they are found first."""
    base = make_base(weights, tmp_path_factory.mktemp("mini"))
    for number, file in enumerate(sorted((ZOO / "loras").rglob("*.safetensors"))[:4]):
        shutil.copy(file, base / "models" / "loras" / f"neon {number}.safetensors")
    return base


@pytest.fixture(scope="module")
def server(mini: Path) -> Iterator[ComfyUI]:
    server = ComfyUI(mini)
    try:
        server.wait_until_up()
        until(server, lambda now: now["state"] == "done", 120)
        assert len(server.get("/modelsearch/models")["models"]) == len(LORAS) + 5
        yield server
    finally:
        server.stop()


def loading(name: Any) -> dict[str, Any]:
    inputs = {"model": ["c", 0], "lora_name": name, "strength_model": 1.0}
    return {"class_type": "LoraLoaderModelOnly", "inputs": inputs}


def names(server: ComfyUI, **nodes: dict[str, Any]) -> list[str]:
    """Of all matches of Find LoRA (1), the best first."""
    pick = {"class_type": "ModelSearchPickMatch", "inputs": {"matches": ["1", 6], "rank": 1, "count": 100}}
    sink = {"class_type": "AnySink", "inputs": {"value": ["p", 6]}}
    entry = server.run({**nodes, "p": pick, "s": sink})
    assert not message_of(entry)
    return [name.strip("'") for name in shown(entry, "s")]


def test_without_a_model_lora_of_any_family_are_found(server: ComfyUI):
    assert len(names(server, **{"1": find(text="neon", architecture="as the model")})) == len(LORAS) + 4


def test_a_model_that_is_wired_in_says_the_family(server: ComfyUI):
    found = names(server, c=CHECKPOINT, **{"1": find(text="neon", architecture="as the model", model=["c", 0])})
    assert sorted(found) == sorted(f"{name}.safetensors" for name in LORAS)


def test_the_checkpoint_under_the_loader_says_the_family(server: ComfyUI):
    preview = {"class_type": "AnySink", "inputs": {"value": ["l", 0]}}
    asked = {"1": find(text="neon", architecture="as the model")}
    found = names(server, c=CHECKPOINT, l=loading(["1", 0]), o=preview, **asked)
    assert sorted(found) == sorted(f"{name}.safetensors" for name in LORAS)


def test_another_checkpoint_under_the_loader_is_another_question(server: ComfyUI, mini: Path):
    """Find runs again, as its answer may be another one, though none of its own inputs has changed."""
    shutil.copy(TOY, mini / "models" / "checkpoints" / "toy.safetensors")
    other = {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "toy.safetensors"}}
    preview = {"class_type": "AnySink", "inputs": {"value": ["1", 0]}}
    asked = {"1": find(text="neon", architecture="as the model"), "l": loading(["1", 0]), "o": preview}
    first, second = (shown(server.run({"c": each, **asked}), "o") for each in (CHECKPOINT, other))
    assert first != second
    assert second[0].startswith("'neon ")


def test_what_does_not_fit_is_not_loaded_and_what_does_takes_its_place(server: ComfyUI):
    inputs = {"matches": ["1", 6], "count": 2, "strength": 1.0, "minimum_relevance": 0.0, "model": ["c", 0]}
    prompt = {
        "c": CHECKPOINT,
        "1": find(text="neon", architecture="any"),
        "l": {"class_type": "ModelSearchLoadLora", "inputs": inputs},
        "s": {"class_type": "AnySink", "inputs": {"value": ["l", 2]}},
    }
    (stack,) = shown(server.run(prompt), "s")
    assert stack.count(".safetensors") == 2
    assert "neon 0" not in stack
    assert any(f"'{name}.safetensors'" in stack for name in LORAS)


def test_an_audition_is_won_by_what_came_out(server: ComfyUI, mini: Path):
    """Two LoRA that fit, behind four that do not; with the picture of one as the query, that one wins."""
    sampling = {"seed": 3, "steps": 1, "cfg": 5.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0}
    given = {"prompt": "a lake", "negative": "", "trigger_words": False, "count": 3}
    wired = {"matches": ["1", 6], "model": ["c", 0], "clip": ["c", 1], "vae": ["c", 2], "latent_image": ["e", 0]}
    prompt = {
        "c": CHECKPOINT,
        "1": find(text="neon", architecture="any"),
        "e": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
        "a": {"class_type": "ModelSearchAudition", "inputs": {**wired, **given, **sampling}},
        "n": {"class_type": "AnySink", "inputs": {"value": ["a", 0]}},
        "b": {"class_type": "ImageFromBatch", "inputs": {"image": ["a", 2], "batch_index": 2, "length": 1}},
        "s": {"class_type": "SaveImage", "inputs": {"images": ["b", 0], "filename_prefix": "last"}},
    }
    entry = server.run(prompt, 600)
    assert not message_of(entry)
    (report,) = entry["outputs"]["a"]["text"]
    ranked = [line.split(". ", 1)[1].rpartition("  ")[0] for line in report.splitlines()[:3]]
    assert sorted(ranked) == sorted(f"{name}.safetensors" for name in LORAS)
    assert shown(entry, "n") == [f"'{ranked[0]}'"]
    assert "left out: only 0 of the" in report

    (saved,) = entry["outputs"]["s"]["images"]
    (mini / "input").mkdir(exist_ok=True)
    shutil.copy(mini / "output" / saved["filename"], mini / "input" / "last.png")
    asked = {
        "i": {"class_type": "LoadImage", "inputs": {"image": "last.png"}},
        "q": {"class_type": "ModelSearchQuery", "inputs": {"text": "", "without": "", "images": ["i", 0]}},
    }
    audition = {"class_type": "ModelSearchAudition", "inputs": {**wired, **given, **sampling, "query": ["q", 0]}}
    again = server.run({**{key: prompt[key] for key in "c1en"}, **asked, "a": audition}, 600)
    assert shown(again, "n") == [f"'{ranked[2]}'"]


def test_the_catalogue_knows_both_families(mini: Path):
    from modelsearch_core.catalog import Catalog

    with Catalog(catalog_of(mini), read_only=True) as catalog:
        assert {model.architecture for model in catalog.models()} == {"sd15", "sd_mini"}
