"""The models of a catalog, one for each fingerprint with evidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from ..catalog import Catalog
from ..catalog.catalog import Measured
from ..model_files import Kind, ModelFile
from ..model_files.by_hand import ByHand
from ..model_files.lineages import lineage_name
from ..model_files.written import model_from_json
from ..specification import EVIDENCE_ORDER, Evidence

NOTHING = ByHand()  # set


class _Row(NamedTuple):
    name: str  # its path
    fingerprint: str
    kind: Kind
    said_architecture: str
    record: str
    by_hand: ByHand = NOTHING


class Listed(_Row):
    """A file of a model; its record is parsed when more than its columns is asked for. A tuple, as there are tens of
    thousands, all made before a first answer."""

    @property
    def architecture(self) -> str:
        return self.by_hand.architecture or self.said_architecture

    @cached_property
    def path(self) -> Path:
        return Path(self.name)

    @cached_property
    def model(self) -> ModelFile:
        return self.by_hand.on(model_from_json(self.record))


class Entry(NamedTuple):
    """A model, its best evidence, its user's own pictures where these are not the best, and where else the same weights
    lie."""

    files: tuple[Listed, ...]
    measured: Measured
    pictures: Measured | None = None

    @property
    def stamp(self) -> int:
        """Another one whenever anything that answers rest on was measured again."""
        return self.measured.stamp if self.pictures is None else (self.measured.stamp << 32) + self.pictures.stamp

    @property
    def fingerprint(self) -> str:
        return self.measured.fingerprint

    @property
    def digest(self) -> str:
        return self.measured.digest

    @property
    def evidence(self) -> Evidence:
        return self.measured.evidence

    @property
    def samples(self) -> int:
        return self.measured.samples

    @property
    def users_pictures(self) -> int:
        """Pictures that its user has made, which count beside its samples."""
        return self.pictures.samples if self.pictures else 0

    @property
    def pictured(self) -> int:
        """Its samples and its user's own pictures."""
        return self.samples + self.users_pictures

    @property
    def is_seen(self) -> bool:
        """Whether there are pictures of it."""
        return self.evidence.is_seen

    @property
    def key(self) -> tuple[str, str]:
        return self.measured.key

    @property
    def kind(self) -> Kind:
        return self.files[0].kind

    @property
    def architecture(self) -> str:
        return self.files[0].architecture

    @property
    def lineage(self) -> str | None:
        return lineage_name(self.model)

    @property
    def path(self) -> Path:
        return self.files[0].path

    @property
    def paths(self) -> tuple[Path, ...]:
        """Of all copies."""
        return tuple(file.path for file in self.files)

    @property
    def model(self) -> ModelFile:
        return self.files[0].model

    @property
    def copies(self) -> tuple[ModelFile, ...]:
        return tuple(file.model for file in self.files[1:])


def newest(measured: Iterable[Measured], evidence: Evidence) -> dict[str, Measured]:
    """The last one of that evidence, by fingerprint; `measured` newest last."""
    return {each.fingerprint: each for each in measured if each.evidence is evidence}


def best(measured: Iterable[Measured]) -> dict[str, Measured]:
    """The newest of the best evidence that answers rest on, by fingerprint."""
    found: dict[str, Measured] = {}
    for evidence in reversed(EVIDENCE_ORDER):
        found |= newest(measured, evidence)
    return found


def files_of(catalog: Catalog, before: Mapping[str, Sequence[Listed]] | None = None) -> dict[str, tuple[Listed, ...]]:
    """By fingerprint, in the order of the first one's path. Files of an earlier reading are taken over as they are,
    with what was parsed of them, where they have not changed."""
    kinds = {kind.value: kind for kind in Kind}
    known = {file.name: file for files in (before or {}).values() for file in files}
    by_hand = catalog.by_hand.all()
    found: dict[str, list[Listed]] = defaultdict(list)
    for path, fingerprint, kind, architecture, record in catalog.model_rows():
        file, old = Listed(path, fingerprint, kinds[kind], architecture, record), known.get(path)
        if fingerprint in by_hand:
            file = file._replace(by_hand=by_hand[fingerprint])
        found[fingerprint].append(old if old is not None and old == file else file)
    return {fingerprint: tuple(files) for fingerprint, files in found.items()}


def entries_of(files: Mapping[str, tuple[Listed, ...]], measured: Iterable[Measured]) -> list[Entry]:
    measured = list(measured)
    of, pictures = best(measured), newest(measured, Evidence.PICTURES)
    return [_entry(same, of[f], pictures.get(f)) for f, same in files.items() if f in of]


def _entry(files: tuple[Listed, ...], best: Measured, pictures: Measured | None) -> Entry:
    return Entry(files, best, pictures if best.evidence is Evidence.GENERATED else None)
