"""What is to be generated, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from modelsearch_core.panel import Panel
from modelsearch_core.panel.costs import costs


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
    assert told(Waiting("sdxl", evidence="generated"), Waiting("unknown"), Waiting("svd"), Waiting("prx")) == []


def test_the_index_view_is_told(panel: Panel):
    assert panel.indexing()["costs"] == [{"family": "Stable Diffusion 1.x", "models": 1, "takes": 1.0}]
