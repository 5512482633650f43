"""A browser's search, read and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..raster import Budget
from ..search import METHODS, Filters, Match, ModelIndex, Query
from .pictures import MOST_PIXELS, opened
from .refusals import RefusedError

MOST_ANSWERS = 500
MOST_TEXTS = 16
LONGEST_TEXT = 2000


@dataclass(frozen=True, kw_only=True)
class Search:
    """A query with its filters."""

    query: Query
    filters: Filters
    method: str
    k: int
    diverse: bool
    explained: bool  # else the answer says by what to ask for its explanations

    @property
    def is_words_only(self) -> bool:
        """Whether it asks by texts and nothing else."""
        return len(self.query.text) == self.query.inputs

    @classmethod
    def read(cls, body: Mapping[str, Any], files: Mapping[str, Sequence[bytes]]) -> Search:
        """ModelSearchError, naming the field and the value, for what is no search."""
        return cls(
            query=_query(body, files),
            filters=Filters.of(body),
            method=_choice(body, "method", METHODS) or "auto",
            k=_count(body),
            diverse=body.get("diverse") is True,
            explained=body.get("explained") is not False,
        )

    def run(self, index: ModelIndex) -> list[Match]:
        return index.search(self.query, filters=self.filters, method=self.method, k=self.k, diverse=self.diverse)


def _query(body: Mapping[str, Any], files: Mapping[str, Sequence[bytes]]) -> Query:
    if unknown := set(files) - {"image", "sketch", "without"}:
        raise RefusedError(400, f"pictures may be named image, sketch or without, not {sorted(unknown)}")
    budget = Budget(MOST_PIXELS)
    try:
        return Query(
            text=_texts(body, "text"),
            images=opened(files, "image", budget),
            sketches=opened(files, "sketch", budget),
            like=_texts(body, "like"),
            without=[*_texts(body, "without"), *opened(files, "without", budget)],
            weights=_weights(body),
            style=_share(body, "style"),
            respect_layout=body.get("respect_layout") is True,
        )
    except ValueError as error:
        raise RefusedError(400, str(error)) from error


def _texts(body: Mapping[str, Any], name: str) -> list[str]:
    value = body.get(name) or []
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts) or len(texts) > MOST_TEXTS:
        raise RefusedError(400, f"{name} must be a text or a list of at most {MOST_TEXTS} texts, not {value!r}"[:300])
    return [text.strip()[:LONGEST_TEXT] for text in texts if text.strip()]


def _weights(body: Mapping[str, Any]) -> list[float] | None:
    value = body.get("weights")
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(w, (int, float)) and -100 <= w <= 100 for w in value):
        raise RefusedError(400, f"weights must be a list of numbers, not {value!r}"[:300])
    return [float(weight) for weight in value]


def _share(body: Mapping[str, Any], name: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise RefusedError(400, f"{name} must be a number from 0 to 1, not {value!r}"[:200])
    return float(value)


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name) or None
    if value is not None and not isinstance(value, str):
        raise RefusedError(400, f"{name} must be a text, not {value!r}"[:300])
    return value


def _choice(body: Mapping[str, Any], name: str, choices: Sequence[str]) -> str | None:
    value = _text(body, name)
    if value is not None and value not in choices:
        raise RefusedError(400, f"{name} must be one of {', '.join(choices)}, not {value!r}"[:400])
    return value


def _count(body: Mapping[str, Any]) -> int:
    k = body.get("k", 60)
    if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= MOST_ANSWERS:
        raise RefusedError(400, f"k must be a number from 1 to {MOST_ANSWERS}, not {k!r}"[:200])
    return k
