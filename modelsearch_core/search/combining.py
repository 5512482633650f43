"""Several queries of ComfyUI's nodes as one. Several pictures of one query: `requirements`, `answering`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .query import Query

POSITIVE = ("text", "images", "sketches", "like")


def combined(parts: Sequence[tuple[Query, float]]) -> Query:
    """All inputs of all queries, each weighed by its query's weight as well.

    What a query with a negative weight asks for is not wanted: its pictures and sketches move to `without`, its texts
    and models keep a negative weight, and what it did not want is forgotten.
    """
    if not parts:
        raise ValueError("nothing to combine")
    items: dict[str, list[tuple[Any, float]]] = {name: [] for name in (*POSITIVE, "without")}
    for query, weight in parts:
        for name, weighed in _weighed(query).items():
            for target, entry in _placed(name, weighed, weight):
                items[target].append(entry)
    if not any(items.values()):
        raise ValueError("all parts of the query cancel out; give one of them a weight above 0")
    prompts = [query.prompt for query, weight in parts if query.prompt and weight > 0]
    inputs: dict[str, Any] = {name: [item for item, _ in entries] for name, entries in items.items()}
    return Query(
        **inputs,
        weights=[weight for entries in items.values() for _, weight in entries],
        prompt=", ".join(prompts) or None,
        style=_slider(parts),
        respect_layout=bool(items["images"]) and any(query.respect_layout for query, weight in parts if weight > 0),
    )


def _slider(parts: Sequence[tuple[Query, float]]) -> float | None:
    """From subject to style: the mean of those that say where."""
    said = [query.style for query, weight in parts if query.style is not None and weight > 0]
    return sum(said) / len(said) if said else None


def _weighed(query: Query) -> dict[str, list[tuple[Any, float]]]:
    weights = iter(query.weights if query.weights is not None else [1.0] * query.inputs)
    return {name: [(item, next(weights)) for item in getattr(query, name)] for name in (*POSITIVE, "without")}


def _placed(name: str, entries: list[tuple[Any, float]], weight: float) -> list[tuple[str, tuple[Any, float]]]:
    """(where it goes, (item, weight)); nothing for a weight of 0."""
    if weight == 0 or (weight < 0 and name == "without"):
        return []
    moves = weight < 0 and name in ("images", "sketches")
    target, factor = ("without", -weight) if moves else (name, weight)
    return [(target, (item, own * factor)) for item, own in entries]
