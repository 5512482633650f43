"""Reference-only attention in ComfyUI's engine against a slow, explicit implementation on small random UNets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.comfyui.host import ROOT, own_environment

CLOSE = 2e-5
KINDS = ("sd15", "sdxl")


@pytest.fixture(scope="module")
def measured(needs_comfyui: None) -> dict[str, Any]:
    python = os.environ.get("COMFYUI_PYTHON", sys.executable)
    command = [python, str(Path(__file__).with_name("reference_only_check.py")), str(ROOT)]
    done = subprocess.run(
        command, cwd=os.environ["COMFYUI_PATH"], env=own_environment(None), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_explicit_computation(measured: dict[str, Any], kind: str):
    """Weights, style fidelities, and either half of guidance, alone and together in both orders; batches of three."""
    found = measured[kind]["explicit"]
    assert len(found) == 16
    for weight, fidelity, chunks, difference, effect in found:
        assert difference < CLOSE
        left_out = weight * (1 - fidelity) == 0 and chunks == [1]
        assert effect == 0 if left_out else effect > 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_halves_and_rows_do_not_depend_on_what_runs_beside_them(measured: dict[str, Any], kind: str):
    assert measured[kind]["parts"]["halves"] < CLOSE
    assert measured[kind]["parts"]["row"] < CLOSE


@pytest.mark.parametrize("cfg", ["1.0", "5.0"])
def test_through_the_sampler_the_drawing_and_a_lora_count(measured: dict[str, Any], cfg: str):
    found = measured["sampling"][cfg]
    assert found["finite"]
    assert (found["rows"], found["one"]) == ([3, 4, 8, 8], [1, 4, 8, 8])
    assert all(found[name] > 1 for name in ("painted", "lora", "lora painted", "lora and drawing"))


@pytest.mark.parametrize("cfg", ["1.0", "5.0"])
def test_weight_zero_and_the_base_afterwards_are_bit_identical(measured: dict[str, Any], cfg: str):
    assert measured["sampling"][cfg]["zero"] == 0
    assert measured["sampling"][cfg]["after"] == 0
    assert measured["sampling"]["options"] == [["transformer_options"], []]


def test_what_is_no_unet_and_rows_that_fit_no_drawing_are_refused(measured: dict[str, Any]):
    assert measured["refusals"] == [
        "reference-only attention is not supported for Transformer, using prompts only; it needs a UNet",
        "3 rows for 2 drawings in 1 parts",
    ]
