"""How well outputs know a concept: by their responses, and by what their files call them. docs/methods.md 16."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..embedding import Features
from ..ranking import combine, first, length
from ..scores.logit_candidates import within_reach
from ..scores.logits import truncated_distance
from .derived import Derived
from .outputs import Outputs

ALL_MEASURED = 20_000  # outputs that are all measured wholly
WORDS = 1.0  # of a label beside responses, in a file whose labels are all borne out

Array = NDArray[np.floating]
Rows = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Concept:
    """One part of a query. `said`: in words, so that labels may speak for an output."""

    feature: Features  # (D,)
    z: Features  # (n,) over the probes
    weight: float  # 1, or −1 for what is not wanted
    said: bool


class Scoring:
    def __init__(self, outputs: Outputs, derived: Derived) -> None:
        self._outputs, self._derived = outputs, derived

    def total(self, concepts: Sequence[Concept], rows: Rows, *, labels: bool = True) -> Array:
        """(rows,): standardised scores, NaN where nothing is known of an output."""
        experts = [(self._judged(c, rows, labels=labels), c.weight) for c in concepts]
        return combine(experts)

    def worth_a_look(self, concepts: Sequence[Concept], allowed: NDArray[np.bool_] | None, k: int) -> Rows:
        """Outputs, in their order, that hold the k best of those allowed (L,)."""
        L = len(self._outputs)
        rows = np.arange(L) if allowed is None else np.flatnonzero(allowed)
        if len(rows) <= ALL_MEASURED:
            return rows
        wanted = [concept for concept in concepts if concept.weight > 0]
        words = self._words_of_all(wanted)
        size = length([concept.weight for concept in wanted])
        location, scale = self._derived.ordinary
        slope = 1 / (scale * size)
        ceiling = (self._derived.heard_hubs - np.float32(location)) * np.float32(slope * len(wanted))
        if words is not None:
            ceiling += words / np.float32(size)
        if allowed is not None:
            ceiling = np.where(allowed, ceiling, -np.inf)
        near = within_reach(
            self._outputs.layers,
            np.stack([concept.z for concept in wanted]),
            ceiling,
            slope,
            lambda some: self.total(concepts, some),
            k,
        )
        return near if words is None else np.union1d(near, self._named(words, allowed, k))

    def _named(self, words: Array, allowed: NDArray[np.bool_] | None, k: int) -> Rows:
        """The best of those that are known by their labels alone."""
        alone = ~self._outputs.has_responses & (self._outputs.label_of >= 0)
        rows = np.flatnonzero(alone if allowed is None else alone & allowed)
        return rows[first(words[rows], k)]

    def _judged(self, concept: Concept, rows: Rows, *, labels: bool) -> Array:
        measured = self._measured(concept.z, rows)
        if not (concept.said and labels and len(self._outputs.labels)):
            return measured
        unknown = ~self._outputs.has_responses[rows] & (self._outputs.label_of[rows] < 0)
        return np.where(unknown, np.nan, np.nan_to_num(measured) + self._words(concept.feature, rows))

    def _measured(self, z_concept: Features, rows: Rows) -> Array:
        """(rows,): standardised, calibrated nearness; NaN where an output was never asked."""
        nearness = self._derived.hubs[rows] - truncated_distance(self._outputs.top(rows), z_concept)[0]
        location, scale = self._derived.ordinary
        return np.where(self._outputs.has_responses[rows], (nearness - location) / scale, np.nan)

    def _words(self, concept: Features, rows: Rows | slice) -> Array:
        """(rows,): labels speak for an output, never against it, and as loudly as their file's labels are borne out."""
        fit = self._derived.label_features @ np.asarray(concept, np.float32)
        location, scale = self._derived.ordinary_words
        spoken = np.append(np.maximum((fit - location) / scale, 0), 0).astype(np.float32)  # the last: no label
        return self._derived.trust[rows] * spoken.take(self._outputs.label_of[rows], mode="wrap") * WORDS

    def _words_of_all(self, concepts: Sequence[Concept]) -> Array | None:
        """(L,) all that labels say for an output; None where none says anything."""
        said = [concept for concept in concepts if concept.said]
        if not said or not len(self._outputs.labels):
            return None
        return np.sum([self._words(concept.feature, slice(None)) for concept in said], axis=0)
