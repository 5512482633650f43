"""What is nearly the same in a collection: copies, pairs with the same pictures, LoRA that are kin by their weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..search import Description, ModelIndex

Cards = Mapping[Path, dict[str, Any]]
MODELS = ("model", "merged", "a", "b")  # fields that hold one


def all_of(index: ModelIndex, models: Sequence[Description], cards: Cards) -> dict[str, list[dict[str, Any]]]:
    """Groups of files, pairs by their pictures and by their weights, merges, and DoRA that are compared without
    their magnitudes; of models that have a card."""
    copied = [model for model in models if model.copies]
    groups = [{"model": cards[m.path], "paths": [str(path) for path in (m.path, *m.copies)]} for m in copied]
    near = [
        {"a": cards[a], "b": cards[b], "similarity": round(cosine, 4)}
        for a, b, cosine in index.near_duplicates()
        if {a, b} <= cards.keys()
    ]
    by_weights = [
        {"a": cards[kin.a], "b": cards[kin.b], **kin.figures}
        for kin in index.near_by_weights()
        if {kin.a, kin.b} <= cards.keys()
    ]
    merges = [
        {"merged": cards[of.merged], "a": cards[of.a], "b": cards[of.b], **of.figures}
        for of in index.merges()
        if {of.merged, of.a, of.b} <= cards.keys()
    ]
    dora = [{"model": cards[path]} for path in index.without_magnitude() if path in cards]
    return {"exact": groups, "near": near, "by_weights": by_weights, "merges": merges, "without_magnitude": dora}


def of_model(found: Mapping[str, Sequence[dict[str, Any]]], id: str) -> dict[str, list[dict[str, Any]]]:
    """Those that one model is among."""
    return {name: [each for each in told if id in _ids(each)] for name, told in found.items()}


def _ids(each: Mapping[str, Any]) -> set[str]:
    return {each[field]["id"] for field in MODELS if field in each}
