"""What a search hands on, without a ComfyUI: two files that are one model, and lines within a family."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import save_file

from modelsearch_core.catalog import Catalog
from modelsearch_core.choosing import SURE
from modelsearch_core.indexing import IndexSettings, Report, silent, update_files
from tests.comfyui import pack
from tests.comfyui.collection import fill, painted
from tests.indexing.folders import make_folder
from tests.making.clip import clip_folder

HIGH, LOW = "walk_high_noise.safetensors", "walk_low_noise.safetensors"
ATTENTION = "diffusion_model.blocks.{}.self_attn.{}.lora_{}.weight"
SDXL = "lora_unet_input_blocks_4_1_transformer_blocks_{}_attn2_to_k.{}.weight"


def wan(path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shapes = {"A": (4, 5120), "B": (5120, 4)}
    names = {ATTENTION.format(n, part, side): shape for n in (0, 39) for part in "qk" for side, shape in shapes.items()}
    save_file({name: rng.normal(size=shape).astype(np.float16) for name, shape in names.items()}, path)


def sdxl(path: Path, said: str) -> None:
    rng = np.random.default_rng(len(said))
    shapes = {"lora_down": (4, 2048), "lora_up": (640, 4)}
    names = {SDXL.format(n, side): shape for n in (0, 1) for side, shape in shapes.items()}
    tensors = {name: rng.normal(size=shape).astype(np.float16) for name, shape in names.items()}
    save_file(tensors, path, {"ss_sd_model_name": said})


def loaded(monkeypatch: pytest.MonkeyPatch, base: Path) -> dict[str, type[Any]]:
    server = ModuleType("server")
    server.__dict__["PromptServer"] = SimpleNamespace(instance=None)
    monkeypatch.setitem(sys.modules, "server", server)
    return pack.load(monkeypatch, base).NODE_CLASS_MAPPINGS


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, type[Any]]:
    found = loaded(monkeypatch, tmp_path)
    loras = tmp_path / "models" / "loras"
    make_folder(loras, ["red"])
    wan(loras / HIGH, 1)
    wan(loras / LOW, 2)
    sdxl(loras / "rider.safetensors", "ponyDiffusionV6XL")
    sdxl(loras / "walker.safetensors", "sd_xl_base_1.0")
    fill(tmp_path / "user" / "__modelsearch" / "catalog.sqlite", [loras], clip_folder(tmp_path / "clip"), quick=True)
    return found


def found(nodes: dict[str, Any], architecture: str = "any", text: str = "a walk", **more: Any) -> dict[str, Any]:
    """What Find LoRA puts out, by name."""
    node = nodes["ModelSearchFindLora"]
    given = {"architecture": architecture, "folder": "", "minimum_relevance": 0.0, "method": "auto", "rank": 1}
    return dict(zip(node.RETURN_NAMES, node().find(text=text, **given, **more), strict=True))


def test_two_files_are_one_model_whose_first_is_for_high_noise(nodes: dict[str, Any]):
    out = found(nodes, "wan")
    assert [(one.name, one.low_noise, one.match.rank) for one in out["matches"]] == [(HIGH, LOW, 1)]
    assert (out["lora_name"], out["low_noise_name"]) == (HIGH, LOW)


def test_among_others_they_take_one_place(nodes: dict[str, Any]):
    matches = found(nodes)["matches"]
    assert sorted(one.name for one in matches) == ["red.safetensors", "rider.safetensors", HIGH, "walker.safetensors"]
    assert [one.match.rank for one in matches] == [1, 2, 3, 4]
    assert {one.low_noise for one in matches if one.name != HIGH} == {one.name for one in matches} - {HIGH}


def test_the_half_that_is_asked_for_is_stacked(nodes: dict[str, Any]):
    matches = found(nodes, "wan")["matches"]
    load = nodes["ModelSearchLoadLora"]().load
    stacks = [load(matches, 1, 1.0, 0.0, noise=noise)[2] for noise in ("high", "low")]
    assert [stack[0][0] for stack in stacks] == [HIGH, LOW]


def test_a_half_whose_other_is_gone_is_a_model_of_one_file(nodes: dict[str, Any], tmp_path: Path):
    (tmp_path / "models" / "loras" / HIGH).unlink()
    out = found(nodes, "wan")
    assert (out["lora_name"], out["low_noise_name"]) == (LOW, LOW)


def test_a_picked_match_has_both_names(nodes: dict[str, Any]):
    pick = nodes["ModelSearchPickMatch"]
    out = dict(zip(pick.RETURN_NAMES, pick().pick(found(nodes, "wan")["matches"], 1, 4), strict=True))
    assert (out["name"], out["low_noise_name"], out["names"]) == (HIGH, LOW, [HIGH])


def test_a_line_within_a_family_is_an_architecture_of_its_own(nodes: dict[str, Any]):
    assert {"pony", "sdxl", "wan2.2"} <= set(nodes["ModelSearchFindLora"].INPUT_TYPES()["required"]["architecture"][0])
    assert [one.name for one in found(nodes, "pony")["matches"]] == ["rider.safetensors"]
    assert sorted(one.name for one in found(nodes, "sdxl")["matches"]) == ["rider.safetensors", "walker.safetensors"]


@pytest.fixture
def scanned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, type[Any]]:
    """Files were read, and there is no CLIP."""
    nodes = loaded(monkeypatch, tmp_path)
    loras = tmp_path / "models" / "loras"
    make_folder(loras, ["ink wash", "neon night"])
    (loras / "ink wash.civitai.info").write_text('{"description": "Brushes like those of old scrolls"}')
    Image.new("RGB", (90, 60), (0, 128, 128)).save(loras / "neon night.preview.png")
    with Catalog(tmp_path / "user" / "__modelsearch" / "catalog.sqlite") as catalog:
        update_files(catalog, [loras], IndexSettings(), Report(), silent)
    return nodes


def test_without_clip_names_tags_and_descriptions_answer(scanned: dict[str, Any]):
    out = found(scanned, text="neon street")
    assert (out["lora_name"], out["score"], out["lora_tag"]) == ("neon night.safetensors", 0.5, "<lora:neon night:1>")
    assert found(scanned, text="old scrolls")["lora_name"] == "ink wash.safetensors"


def test_without_clip_the_preview_is_what_is_shown(scanned: dict[str, Any]):
    evidence = found(scanned, text="neon")["evidence"]
    assert evidence.shape == (1, 60, 90, 3)
    assert np.allclose(evidence[0, 30, 45], [0, 0.5, 0.5], atol=0.03)


def test_without_clip_what_needs_it_says_so(scanned: dict[str, Any]):
    with pytest.raises(Exception, match=r"only a text can be asked.*Download CLIP \(605 MB\)"):
        found(scanned, text="", images=torch.zeros(1, 8, 8, 3))
    with pytest.raises(Exception, match=r"No model is called or described as 'sunset'.*Download CLIP"):
        found(scanned, text="sunset")


def said(nodes: dict[str, Any], monkeypatch: pytest.MonkeyPatch, matches: Any, minimum: float) -> tuple[list[str], str]:
    """Names that Load Found LoRA(s) applies, and what it shows."""
    shown: list[str] = []
    instance = SimpleNamespace(send_progress_text=lambda text, node: shown.append(text))
    monkeypatch.setattr(sys.modules["server"], "PromptServer", SimpleNamespace(instance=instance))
    stack = nodes["ModelSearchLoadLora"]().load(matches, 1, 1.0, minimum, unique_id="7")[2]
    return [name for name, *_ in stack], shown[-1]


@pytest.mark.parametrize("asked", ["text", "images"])
def test_what_the_search_is_not_sure_of_is_not_applied(
    nodes: dict[str, Any], monkeypatch: pytest.MonkeyPatch, asked: str
):
    picture = torch.from_numpy(np.asarray(painted("red"), np.float32)[None] / 255)
    given = {"text": "a walk"} if asked == "text" else {"text": "", "images": picture}
    first = found(nodes, **given)["matches"][0]
    sure, unsure = (
        [replace(first, match=replace(first.match, relevance=0.9, confidence=confidence))]
        for confidence in (SURE, SURE - 0.01)
    )
    assert said(nodes, monkeypatch, sure, 0.5)[0] == [first.name]
    names, told = said(nodes, monkeypatch, unsure, 0.5)
    assert names == []
    assert told.startswith(
        f"none: {first.name} is the best, but only {SURE - 0.01:.0%} sure to be meant, and {SURE:.0%} are"
    )
    assert said(nodes, monkeypatch, unsure, 0.95) == ([], "none: nothing is relevant enough")
    assert said(nodes, monkeypatch, unsure, 0.0)[0] == [first.name]


def test_the_first_says_how_sure_it_is_and_a_guess_that_it_is_one(scanned: dict[str, Any]):
    first = found(scanned, text="neon street")["matches"][0]
    assert first.line() == "1. neon night.safetensors  0.50 (0% sure, guessed from its name or preview)"
