"""The extension's modules on those of a real SD.Next, with its own pipeline and a checkpoint of full size."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.webui.collection import make_full_size
from tests.webui.host import (
    ROOT,
    checkout,
    is_sdnext,
    known_options,
    on_processor,
    own_environment,
    own_settings,
    python,
)

pytestmark = pytest.mark.timeout(1800)
CHECK = Path(__file__).with_name("sdnext_check.py")


@pytest.fixture(scope="module")
def told(needs_webui: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if not is_sdnext():
        pytest.skip("WEBUI_PATH is no checkout of SD.Next")
    base = tmp_path_factory.mktemp("sdnext")
    make_full_size(base)
    first = base / "models" / "Stable-diffusion" / "noise.safetensors"
    first.with_name("the user's.safetensors").hardlink_to(first)
    (base / "config.json").write_text(json.dumps(own_settings()), encoding="utf-8")
    command = [python(), CHECK, ROOT, *known_options(), *on_processor(), "--data-dir", base]
    done = subprocess.run(command, cwd=checkout(), env=own_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_folders_and_names_are_its_own(told: dict[str, Any]):
    assert told["folders"] == ["Lora", "Stable-diffusion"]
    assert told["loras"] == ["noisy 0", "noisy 1"] and told["checkpoints"] == ["noise", "the user's"]


def test_the_same_is_drawn_twice_and_each_lora_changes_it(told: dict[str, Any]):
    drawn = told["drawn"]
    assert told["twice"] == [drawn[""], drawn[""]]
    assert len({picture for pictures in drawn.values() for picture in pictures}) == 6


def test_each_recipe_has_its_sampler(told: dict[str, Any]):
    multistep, _, *others = told["schedulers"]
    assert multistep == ["DPMSolverMultistepScheduler", True, "linspace"]
    assert [name for name, *_ in others] == ["EulerDiscreteScheduler", "LCMScheduler"]
    assert others[0][-1] == "trailing"


def test_the_users_choices_are_as_before_and_the_checkpoint_is_given_back(told: dict[str, Any]):
    assert told["changed"] == [] and told["saved alike"] and told["job"] == ""
    assert Path(told["chosen"]).stem == Path(told["given back"]).stem == "the user's"
