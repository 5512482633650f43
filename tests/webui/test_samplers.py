"""The core's samplers by the names that each WebUI has for them."""

from __future__ import annotations

from typing import Any

import pytest

from modelsearch_core.errors import ModelSearchError
from modelsearch_core.generators.accelerators import Accelerators
from modelsearch_core.generators.planning import recipe_of
from modelsearch_core.generators.settings import GeneratorSettings
from tests.making.fakes import model_file

OF_CLASSIC = {"DPM++ 2M", "DPM++ 2M Karras", "Euler", "Euler SGMUniform", "LCM", "LCM Karras", "DDIM"}


def test_every_sampler_of_the_core_is_one_that_all_webuis_have(webui: Any):
    samplers = webui.ours("samplers")
    known = {name: samplers.name_here(*names) for name, names in samplers.SAMPLERS.items()}
    assert known == {
        "dpmpp_2m": "DPM++ 2M",
        "own": "Euler",
        "euler_trailing": "Euler",
        "ddim_trailing": "Euler",  # DDIM itself starts at step 876 of 1000 there, whatever the scheduler
        "lcm": "LCM",
        "tcd": "LCM",
    }
    for name, names in samplers.SAMPLERS.items():
        assert samplers.labelled(samplers.label(name)) == names


def test_in_classic_the_scheduler_is_a_part_of_the_name(webui: Any, monkeypatch: pytest.MonkeyPatch):
    samplers = webui.ours("samplers")
    monkeypatch.delattr(webui.find("modules.processing").StableDiffusionProcessingTxt2Img, "scheduler")
    monkeypatch.setattr(webui.find("modules.sd_samplers"), "names", OF_CLASSIC)
    assert samplers.name_here("DPM++ 2M", "Karras") == "DPM++ 2M Karras"
    assert samplers.name_here("Euler", "SGM Uniform") == "Euler SGMUniform"
    assert samplers.name_here("Euler", "Simple") == "Euler"
    assert samplers.name_here("LCM", "SGM Uniform") == "LCM"


def test_a_sampler_that_is_not_there_is_an_error_and_no_other_sampler(webui: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(webui.find("modules.sd_samplers"), "names", {"Euler"})
    with pytest.raises(ModelSearchError, match=r"this WebUI has no sampler 'DPM\+\+ 2M'"):
        webui.ours("samplers").name_here("DPM++ 2M", "Karras")


@pytest.mark.parametrize("lora", ["Hyper-SD15-8steps-lora", "TCD-SD15-LoRA", "lcm-lora-sdv1-5"])
def test_every_few_step_lora_has_a_sampler(webui: Any, lora: str):
    few = Accelerators([model_file(lora)])
    recipe, found = recipe_of(model_file("red"), model_file("a checkpoint"), few, GeneratorSettings())
    assert found is not None and recipe.sampler in webui.ours("samplers").SAMPLERS
