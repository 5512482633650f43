"""A LoRA that lies in the WebUI's folder twice, under two names: one that stands in a prompt is not added again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.indexing.folders import make_folder
from tests.making.clip import clip_folder
from tests.webui.collection import fill, painted
from tests.webui.conftest import use_folders
from tests.webui.test_prompts import asked
from tests.webui.test_script import processing


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("copies")
    loras, checkpoints = base / "models" / "Lora", base / "models" / "Stable-diffusion"
    make_folder(loras, ["red", "blue"])
    make_folder(checkpoints, ["grey checkpoint"])
    shutil.copy(loras / "red.safetensors", loras / "another red.safetensors")
    fill(base / "modelsearch" / "catalog.sqlite", [loras, checkpoints], clip_folder(base / "clip"))
    return base


@pytest.fixture(params=["red", "another red"])
def written(webui: Any, indexed: Path, request: pytest.FixtureRequest) -> Any:
    """A prompt that names one of the two, at a strength of the user's own."""
    use_folders(webui.find, indexed)
    tag = f"<lora:{request.param}:0.3>"
    return SimpleNamespace(webui=webui, tag=tag, prompt=f"a harbour {tag}")


def test_a_button_of_the_panel_leaves_it_as_it_is(written: Any):
    (red,) = [m for m in written.webui.ours("lifecycle").panel().library.newest().models if m.copies]
    told, texts = asked(written.webui, red.name, prompts={"txt2img_prompt": written.prompt})
    assert texts == {"txt2img_prompt": written.prompt}
    assert told["done"] == "there" and told["tag"] in written.tag.replace(":0.3", "")


def test_the_script_adds_no_other(written: Any):
    p = processing(written.prompt)
    written.webui.ours("picking").apply(p, True, "picture", painted("red"), 1, 0.0, True)
    assert p.all_prompts == [written.prompt] * 2
    assert "red" in json.dumps(p.extra_generation_params)


def test_nor_does_the_plot(written: Any):
    axis, added = written.webui.ours("axis"), []
    for rank in (1, 2):
        p = SimpleNamespace(prompt=written.prompt)
        axis._apply(p, rank, [])
        added.append(p.prompt.removeprefix(written.prompt))
    assert sorted(added)[0] == "" and sorted(added)[1].startswith(" <lora:blue:")
