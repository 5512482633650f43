"""All that is known of one model, for lists and for a closer look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..collection import Collection, Entry
from ..collection.entries import Listed
from ..model_files import Kind, ModelFile
from ..model_files.lineages import lineage_name
from ..scores.differences import reliability
from .query import plain

USUAL_STRENGTH, LEAST_STRENGTH, MOST_STRENGTH = 0.8, 0.4, 0.95


@dataclass(frozen=True, kw_only=True)
class Description:
    """A model of the catalog. `reliability` says how far the direction of a LoRA can be trusted, 0 to 1."""

    id: str
    name: str
    title: str
    path: Path
    copies: tuple[Path, ...]
    kind: str
    architecture: str
    variant: str | None
    lineage: str | None
    unknown_because: str
    evidence: str | None
    samples: int
    users_pictures: int
    reliability: float | None
    strength: float | None
    trigger_words: tuple[str, ...]
    tags: tuple[str, ...]
    description: str
    base_hint: str | None
    size: int

    @cached_property
    def called(self) -> str:
        """Its names and trigger words, for whoever looks for words in them."""
        return spaced(" ".join([self.name, self.title, *self.trigger_words]))

    @property
    def paths(self) -> tuple[Path, ...]:
        """Of all copies."""
        return (self.path, *self.copies)

    def to_json(self) -> dict[str, Any]:
        return plain(self)


def spaced(text: str) -> str:
    """Without what separates words in file names."""
    return text.casefold().replace("_", " ").replace("-", " ").replace(".", " ")


def describe_all(collection: Collection) -> list[Description]:
    """One for each fingerprint, those without evidence too, ordered by path."""
    rows = collection.row_of
    return [_describe(same, collection, rows.get(fingerprint)) for fingerprint, same in collection.files.items()]


def describe_files(models: Sequence[ModelFile]) -> list[Description]:
    """As far as the files tell, before any encoder has looked at them; one for each fingerprint."""
    same: dict[str, list[ModelFile]] = {}
    for model in models:
        same.setdefault(model.fingerprint, []).append(model)
    return [_described(copies, None, None, None) for copies in same.values()]


def name_of(model: ModelFile) -> str:
    return model.name


def suggested_strength(collection: Collection, m: int) -> float | None:
    """The author's weight if there is one; else less for a LoRA that changes pictures more than the others do."""
    entry = collection.entries[m]
    if entry.kind is not Kind.LORA:
        return None
    model = entry.model
    if model.preferred_weight is not None:
        return model.preferred_weight
    own = collection.facets.get(entry.key)
    if own is None or own[0] <= 0:
        return USUAL_STRENGTH
    return round(min(max(USUAL_STRENGTH * float(collection.usual_change) / own[0], LEAST_STRENGTH), MOST_STRENGTH), 2)


def _describe(same: Sequence[Listed], collection: Collection, m: int | None) -> Description:
    strength = None if m is None else suggested_strength(collection, m)
    entry = None if m is None else collection.entries[m]
    return _described([each.model for each in same], entry, _reliability(collection, entry), strength)


def _described(
    same: Sequence[ModelFile], entry: Entry | None, reliable: float | None, strength: float | None
) -> Description:
    model = same[0]
    return Description(
        id=model.fingerprint,
        name=name_of(model),
        title=model.title,
        path=model.path,
        copies=tuple(copy.path for copy in same[1:]),
        kind=model.kind.value,
        architecture=model.architecture,
        variant=model.variant,
        lineage=lineage_name(model),
        unknown_because=model.unknown_because,
        evidence=entry.evidence.value if entry else None,
        samples=entry.samples if entry and entry.is_seen else 0,
        users_pictures=entry.users_pictures if entry else 0,
        reliability=reliable,
        strength=strength,
        trigger_words=model.trigger_words,
        tags=model.tags,
        description=model.description,
        base_hint=model.base_hint,
        size=model.size,
    )


def _reliability(collection: Collection, entry: Entry | None) -> float | None:
    facets = collection.facets.get(entry.key) if entry else None
    return None if facets is None or entry is None else round(float(reliability(facets[1], entry.samples)), 3)
