"""What is told of a model beside its place."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from modelsearch_core.model_files import Kind
from modelsearch_core.search.description import suggested_strength


def collection(kind: Kind = Kind.LORA, authors: float | None = None, **facets: tuple[float, float]) -> Any:
    entry = SimpleNamespace(kind=kind, key="it", model=SimpleNamespace(preferred_weight=authors))
    return SimpleNamespace(entries=[entry], facets=facets, usual_change=0.3)


@pytest.mark.parametrize(
    ("changes", "strength"),
    [
        (0.3, 0.8),  # as much as the others
        (0.4, 0.6),  # .8 · .3 / .4
        (0.9, 0.4),  # never less
        (0.1, 0.95),  # nor more
    ],
)
def test_a_lora_that_changes_much_is_suggested_weakly(changes: float, strength: float):
    assert suggested_strength(collection(it=(changes, 0.9)), 0) == strength


def test_the_authors_weight_comes_first_and_what_is_not_known_is_usual():
    assert suggested_strength(collection(authors=1.2, it=(0.9, 0.9)), 0) == 1.2
    assert suggested_strength(collection(), 0) == 0.8
    assert suggested_strength(collection(it=(0.0, 0.0)), 0) == 0.8
    assert suggested_strength(collection(Kind.CHECKPOINT, it=(0.3, 0.9)), 0) is None
