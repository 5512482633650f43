"""How much of a LoRA fits a model, against what the real ComfyUI then changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.comfyui.host import ROOT, own_environment

NETWORKS = ["lora", "dora", "loha", "lokr", "glora", "oft", "boft", "full"]


@pytest.fixture(scope="module")
def told(needs_comfyui: None) -> dict[str, list[Any]]:
    python = os.environ.get("COMFYUI_PYTHON", sys.executable)
    command = [python, str(Path(__file__).with_name("fitting_check.py")), str(ROOT)]
    done = subprocess.run(
        command, cwd=os.environ["COMFYUI_PATH"], env=own_environment(None), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_what_fits_changes_a_weight(told: dict[str, list[Any]]):
    assert [found[:4] for found in told["fitting"]] == [[name, 1, True, 1] for name in NETWORKS]


def test_a_flow_is_moved_to_noise_and_its_own_stays(told: dict[str, list[Any]]):
    """Halfway a shift of α gives α/(1 + α)."""
    for found in told["sigmas"]:
        assert found == pytest.approx([3 / 4, 6 / 7, 3 / 4], abs=1e-6)


def test_what_is_too_wide_changes_none_and_comfyuis_reason_is_kept(told: dict[str, list[Any]]):
    for name, changed, changes, layers, refusal in told["misfits"]:
        assert (changed, changes, layers) == (0, False, 1), name
        assert refusal, name
