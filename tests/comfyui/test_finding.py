"""Find nodes in the real ComfyUI: loading, wiring, names, messages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.comfyui.host import ROOT, ComfyUI, own_environment, shown

DEFAULTS = {"architecture": "any", "folder": "", "minimum_relevance": 0.0, "method": "auto", "rank": 1}


def find(kind: str = "Lora", **inputs: Any) -> dict[str, Any]:
    return {"class_type": f"ModelSearchFind{kind}", "inputs": {"text": "", **DEFAULTS, **inputs}}


def picture(colour: str) -> dict[str, Any]:
    return {"class_type": "LoadImage", "inputs": {"image": f"{colour}.png"}}


def name_sink(colour: str, output: int = 0, sink: str = "AnySink", **inputs: Any) -> dict[str, Any]:
    """What comes out of Find LoRA for a picture."""
    node = find(images=["0", 0], **inputs)
    return {"0": picture(colour), "1": node, "2": {"class_type": sink, "inputs": {"value": ["1", output]}}}


def test_the_pack_loads_without_a_warning(comfyui: ComfyUI):
    lines = comfyui.logged().splitlines()
    ours = [line for line in lines if "model-search" in line or "modelsearch" in line]
    assert not [line for line in ours if any(word in line for word in ("FAILED", "Error", "WARNING", "Unable"))], ours
    assert any("seconds" in line for line in ours)


def test_importing_the_pack_brings_no_engine_along(needs_comfyui: None, tmp_path: Path):
    python = os.environ.get("COMFYUI_PYTHON", sys.executable)
    command = [python, str(Path(__file__).with_name("import_time.py")), str(ROOT)]
    environment = own_environment({"PYTHONPYCACHEPREFIX": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""})
    done = subprocess.run(
        command, cwd=os.environ["COMFYUI_PATH"], env=environment, capture_output=True, text=True, check=True
    )
    seconds, nodes, modules = done.stdout.splitlines()[-1].split()
    print(f"{seconds} s")
    assert int(nodes) == len(list((ROOT / "web" / "docs").glob("*.md"))) + 1  # the internal one
    assert {"torch", "diffusers", "open_clip", "transformers", "comfy"}.isdisjoint(modules.split(","))


@pytest.mark.parametrize(
    ("sink", "accepted"),
    [
        ("ListSink", True),
        ("ComboSink", True),
        ("NewComboSink", True),
        ("AnySink", True),
        ("StringSink", False),
        ("ImageSink", False),
    ],
)
def test_a_found_name_goes_into_every_sort_of_combo_and_nothing_else(comfyui: ComfyUI, sink: str, accepted: bool):
    prompt = name_sink("red", sink=sink)
    status, answer = comfyui.post("/prompt", {"prompt": prompt})
    assert (status == 200) is accepted, answer
    if accepted:
        assert shown(comfyui.finished(answer["prompt_id"]), "2") == ["'red.safetensors'"]


def test_names_with_spaces_umlauts_and_folders_are_as_comfyui_lists_them(comfyui: ComfyUI):
    listed = comfyui.get("/object_info/LoraLoader")["LoraLoader"]["input"]["required"]["lora_name"][0]
    entry = comfyui.run(name_sink("pink"))
    (name,) = (text.strip("'") for text in shown(entry, "2"))
    assert name in listed
    assert name == str(Path("böse Tinte", "tief", "pïnk mit Lücke.safetensors"))


def test_pictures_in_comfyuis_output_folder_are_offered(comfyui: ComfyUI):
    offered = comfyui.get("/modelsearch/index")["pictures"]
    assert [Path(folder) for folder in offered["folders"]] == [comfyui.base / "output"]
    assert offered["on"] is None
