"""Text encoders and VAE of every family, chosen by the real ComfyUI's own rules among header-only files of all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelsearch_core.families import FAMILIES, No
from tests.comfyui.host import ROOT, own_environment


@pytest.fixture(scope="module")
def told(needs_comfyui: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    python = os.environ.get("COMFYUI_PYTHON", sys.executable)
    check = str(Path(__file__).with_name("parts_check.py"))
    command = [python, check, str(ROOT), str(tmp_path_factory.mktemp("parts"))]
    done = subprocess.run(
        command, cwd=os.environ["COMFYUI_PATH"], env=own_environment(None), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_every_family_finds_its_released_files_among_all(told: dict[str, Any]):
    wrong = {family: found for family, found in told["chosen"].items() if found and found[0] != found[1]}
    assert wrong == {}
    with_parts = {name for name, family in FAMILIES.items() if not isinstance(family.parts, No)}
    assert {family.split()[0] for family, found in told["chosen"].items() if found} >= with_parts


def test_files_are_known_by_their_tensors_whatever_they_are_called(told: dict[str, Any]):
    assert told["renamed"] == ["encoder a.safetensors", "encoder c.safetensors", "my favourite.safetensors"]


def test_what_is_missing_is_named_with_its_folder(told: dict[str, Any]):
    assert told["missing"] == "ComfyUI's models lack text_encoders/t5xxl_fp16.safetensors"
    both = "text_encoders/llava_llama3_fp8_scaled.safetensors and vae/hunyuan_video_vae_bf16.safetensors"
    assert told["wrong"] == f"ComfyUI's models lack {both}"
