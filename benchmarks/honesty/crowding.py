"""What one more model in a list costs the others: how many of their pictures it alone keeps from the first five."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from modelsearch_core.model_files import Kind
from modelsearch_core.search import ModelIndex

from .asking import ids_of, interval
from .questions import Question

FIRST = 5


def kept_out(index: ModelIndex, questions: Sequence[Question]) -> dict[str, dict[str, float]]:
    """How many questions' right model is sixth behind one: the mean of LoRA, and of the other models, each of which
    might be left out of the list."""
    ids = ids_of(index)
    before: Counter[str] = Counter()
    for question in questions:
        *first, last = index.search(question.query, k=FIRST + 1)
        if last.id == ids[question.target]:
            before.update(match.id for match in first)
    loras = {model.id for model in index.models() if model.kind == Kind.LORA.value}
    others = {model.id for model in index.models()} - loras

    def mean(of: Iterable[str]) -> dict[str, float]:
        counts = np.array([before[id] for id in sorted(of)], float)
        return interval(counts, np.arange(len(counts)))

    said = f"of {len(questions)} pictures, kept from the first {FIRST} by"
    return {f"{said} one LoRA": mean(loras), f"{said} one checkpoint or base": mean(others)}
