"""What `auto` adds up for each modality, and why."""

from __future__ import annotations

from ..specification import Modality
from ..statistics.matching import Matching

# Chosen by docs/results.md and benchmarks/fusion.py. best_k costs some hits there, but tells a picture that a model of
# few samples has made itself. Of sketches, by docs/results_trust.md: means are steadier where several are asked at once
# and where a hand drew them.
AUTO: dict[Modality, dict[str, float]] = {
    Modality.TEXT: {"first_moment": 0.5, "paired_difference": 0.5},
    Modality.IMAGE: {"gaussian": 0.5, "monte_carlo": 0.25, "best_k": 0.25},
    Modality.SKETCH: {"drawn_gaussian": 0.75, "drawn_first_moment": 0.25},
    Modality.MODEL: {"first_moment": 0.5, "paired_difference": 0.5},
}

LEARNED_INSTEAD = {  # of a method of `AUTO`, where learning was of use
    (Modality.IMAGE, "gaussian"): "learned_gaussian",
    (Modality.SKETCH, "drawn_gaussian"): "learned_gaussian",
    (Modality.TEXT, "first_moment"): "learned_first_moment",
}
PROMPTED = {"prompted_kernel_mean": 0.5}  # besides, for pictures whose prompt is told
BY_WEIGHTS = {"weights": 1.0}
STYLE_SHARE = 0.0  # of style beside content, unless a query says; by docs/results_style.md

# What finds the models among which methods that read samples choose: columns of the same features.
PROPOSING = {Modality.SKETCH: "drawn_first_moment"}  # else 1st Moment


def proposing(modality: Modality) -> str:
    return PROPOSING.get(modality, "first_moment")


def shares(
    modality: Modality,
    matching: Matching | None = None,
    style: float | None = None,
    *,
    prompted: bool = False,
    by_weights: bool = False,
) -> dict[str, float]:
    """What `auto` adds up; pictures ask for a `style` as well, and by their prompt where it is told. `by_weights`: for
    a LoRA that there is no picture of yet."""
    if by_weights:
        return dict(BY_WEIGHTS)
    weights = {_or_learned(modality, name, matching): weight for name, weight in AUTO[modality].items()}
    if modality is not Modality.IMAGE:
        return weights
    weights |= PROMPTED if prompted else {}
    style = STYLE_SHARE if style is None else style
    mixed = {name: weight * (1 - style) for name, weight in weights.items()} | {"style": style}
    return {name: weight for name, weight in mixed.items() if weight}


def _or_learned(modality: Modality, method: str, matching: Matching | None) -> str:
    """The learned form of a method, if there is one that beat the plain one on models it had not seen."""
    learned = LEARNED_INSTEAD.get((modality, method))
    if learned is None or matching is None:
        return method
    return method if matching.matrix(modality, learned.removeprefix("learned_")) is None else learned
