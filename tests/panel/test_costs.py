"""What is to be generated, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from modelsearch_core.families.costs import pictures_of_sd15
from modelsearch_core.panel import Panel
from modelsearch_core.panel.costs import FOUND, costs, forecast


@dataclass(frozen=True)
class Waiting:
    architecture: str
    variant: str | None = None
    evidence: str | None = None


def told(*models: Any) -> list[tuple[str, int, float]]:
    return [(each["family"], each["models"], each["takes"]) for each in costs(models)]


def test_families_that_wait_are_told_with_their_models_the_most_first():
    models = [Waiting("flux", "12b"), Waiting("sdxl"), Waiting("sdxl", evidence="preview"), Waiting("wan", "1.3b")]
    assert told(*models) == [("Stable Diffusion XL", 2, 4.5), ("FLUX.1 12b", 1, 28.0), ("Wan 2.x 1.3b", 1, 6.2)]


def test_what_was_generated_from_and_what_is_not_known_is_left_out():
    assert told(Waiting("sdxl", evidence="generated"), Waiting("unknown"), Waiting("svd"), Waiting("kandinsky6")) == []


def test_the_index_view_is_told(panel: Panel):
    assert panel.indexing()["costs"] == [{"family": "Stable Diffusion 1.x", "models": 1, "takes": 1.0}]


def test_before_a_model_was_timed_nothing_is_said_of_time():
    told = forecast([Waiting("sdxl"), Waiting("flux", "12b")], {})  # type: ignore[list-item]
    assert [(each["pictures"], each["seconds"]) for each in told] == [(n, None) for n in (None, 8, 16, 32, 64)]
    assert [each["found"] for each in told] == [None, *FOUND.values()]


def test_all_that_waits_is_reckoned_by_what_was_timed():
    models = [Waiting("sdxl"), Waiting("sdxl"), Waiting("flux", "12b"), Waiting("sdxl", evidence="generated")]
    told = {each["pictures"]: each["seconds"] for each in forecast(models, {"sdxl": 4.5})}  # type: ignore[arg-type]
    sdxl, flux = pictures_of_sd15("sdxl"), pictures_of_sd15("flux", "12b")
    assert sdxl and flux
    flux *= 4.5 / sdxl  # seconds
    assert told[8] == round(8 * (2 * 4.5 + flux))
    assert told[None] == told[32] == round(32 * (2 * 4.5 + flux))


def test_an_expensive_family_is_reckoned_within_its_budget():
    told = {each["pictures"]: each["seconds"] for each in forecast([Waiting("krea2")], {"krea2": 10.0})}  # type: ignore[list-item]
    assert told[None] == 12 * 10
    assert told[64] == 640


def test_what_cannot_be_reckoned_is_left_out():
    assert forecast([Waiting("sdxl"), Waiting("kandinsky6")], {"sdxl": 1.0})[1]["seconds"] == 8  # type: ignore[list-item]
