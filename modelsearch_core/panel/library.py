"""The catalog as the panel reads it: opened when it is there, read again when somebody has written, from any thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..catalog import Catalog
from ..embedding import Encoder
from ..errors import EmptyCatalogError
from ..model_files import SkippedFile
from ..probes import ProbeSet
from ..search import Description, ModelIndex
from ..specification import Evidence
from .refusals import RefusedError

SHORTEST = 1.0  # seconds between two readings
PATIENCE = 10.0  # as many times as long as reading took, so that indexing beside a search costs it a tenth


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The catalog at one moment. `serial` grows with every reading."""

    index: ModelIndex
    models: list[Description]
    by_id: dict[str, Description]
    keys: dict[str, tuple[str, str]]  # of what is known best of a model: (fingerprint, digest)
    bases: dict[str, tuple[str, str]]  # of its base's pictures for the same probes
    painted: dict[str, ProbeSet]  # how a model was asked with drawings last, if it was
    failures: dict[str, str]
    skipped: list[SkippedFile]
    serial: int

    def model(self, id: str) -> Description:
        if id not in self.by_id:
            raise RefusedError(404, "this model is no longer in the index; search again")
        return self.by_id[id]


class Library:
    """Hands out the newest snapshot; `reading` keeps it for one thread at a time, `samples` waits for nobody."""

    def __init__(
        self, path: Path, open_encoder: Callable[[str], Encoder], busy: Callable[[], bool] = lambda: False
    ) -> None:
        """`busy`: whether an index run is writing; its end is seen at once."""
        self.path = path
        self._busy = busy
        self._was_busy = False
        self._open_encoder = open_encoder
        self._lock = threading.RLock()
        self._snapshot: Snapshot | None = None
        self._read_at = self._cost = 0.0
        self._samples_lock = threading.Lock()
        self._samples: Catalog | None = None

    @contextmanager
    def reading(self) -> Generator[Snapshot]:
        """EmptyCatalogError where there is nothing to read."""
        with self._lock:
            yield self._fresh()

    def newest(self) -> Snapshot:
        """For what needs no arrays: not held up by a search once the catalog was read."""
        if self._lock.acquire(blocking=self._snapshot is None):
            try:
                return self._fresh()
            finally:
                self._lock.release()
        assert self._snapshot is not None
        return self._snapshot

    def _fresh(self) -> Snapshot:
        now, old = time.monotonic(), self._snapshot
        busy = self._busy()
        ended, self._was_busy = self._was_busy and not busy, busy
        if old is not None and not ended and now - self._read_at < max(SHORTEST, PATIENCE * self._cost):
            return old
        if old is None or old.index.reload():
            self._snapshot = self._read(old)
            self._cost = time.monotonic() - now
        self._read_at = time.monotonic()
        assert self._snapshot is not None
        return self._snapshot

    def _read(self, old: Snapshot | None) -> Snapshot:
        index = old.index if old else ModelIndex.open(self.path, open_encoder=self._open_encoder)
        models = index.models()
        entries = index.gallery.entries
        with Catalog(self.path, read_only=True) as catalog:
            failures, files = catalog.failures(), catalog.files()
            painted = _painted(catalog, index)
        return Snapshot(
            index=index,
            models=models,
            by_id={model.id: model for model in models},
            keys={entry.model.fingerprint: entry.key for entry in entries},
            bases=_bases(index),
            painted=painted,
            failures=failures,
            skipped=[file for file in files if isinstance(file, SkippedFile)],
            serial=old.serial + 1 if old else 1,
        )

    @contextmanager
    def samples(self) -> Generator[Catalog]:
        """A connection of its own, so that pictures come while a search is computed."""
        with self._samples_lock:
            if self._samples is None:
                self._samples = Catalog(self.path, read_only=True)
            yield self._samples

    def forget_reading(self) -> None:
        """Read again at the next occasion, however short ago the last was."""
        self._read_at = self._cost = 0.0

    def close(self) -> None:
        with self._lock, self._samples_lock:
            if self._snapshot:
                self._snapshot.index.close()
            if self._samples:
                self._samples.close()
            self._snapshot = self._samples = None

    @property
    def is_empty(self) -> bool:
        try:
            return not self.newest().models
        except EmptyCatalogError:
            return True


def _painted(catalog: Catalog, index: ModelIndex) -> dict[str, ProbeSet]:
    known = index.gallery.probe_sets
    keys = catalog.specification_keys(index.gallery.encoder)
    digests = {f: digest for f, digest, evidence, _ in keys if evidence is Evidence.REFERENCE}
    return {fingerprint: known[digest] for fingerprint, digest in digests.items() if digest in known}


def _bases(index: ModelIndex) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    digests: dict[str, str] = {}  # a digest takes a while, and many models share a recipe
    for entry in index.gallery.entries:
        probe_set = index.gallery.probe_sets.get(entry.digest)
        if probe_set is not None and probe_set.base is not None:
            digest = digests.setdefault(entry.digest, "") or probe_set.for_base().digest
            digests[entry.digest] = digest
            found[entry.model.fingerprint] = (probe_set.base, digest)
    return found
