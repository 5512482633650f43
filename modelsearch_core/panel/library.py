"""The catalog as the panel reads it: opened when it is there, read again when somebody has written, from any thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..catalog import Catalog
from ..collection import Collection
from ..collection.entries import newest
from ..embedding import Encoder
from ..errors import EmptyCatalogError
from ..model_files import SkippedFile
from ..pairs import other_halves
from ..places import Place
from ..probes import ProbeSet
from ..search import Description, ModelIndex
from ..search.description import describe_files
from ..specification import Evidence
from .refusals import RefusedError

INDEX = "modelsearch index FOLDER"
SHORTEST = 1.0  # seconds between two readings
PATIENCE = 10.0  # as many times as long as reading took, so that indexing beside a search costs it a tenth


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The catalog at one moment. `serial` grows with every reading."""

    index: ModelIndex | None
    models: list[Description]
    by_id: dict[str, Description]
    keys: dict[str, tuple[str, str]]  # of what is known best of a model: (fingerprint, digest)
    bases: dict[str, tuple[str, str]]  # of its base's pictures for the same probes
    references: dict[str, ProbeSet]  # how a model was asked with drawings last, if it was
    failures: dict[str, str]
    skipped: list[SkippedFile]
    serial: int
    state: object = None  # of a catalog without an index

    @cached_property
    def halves(self) -> Mapping[Path, Path]:
        """Where the other file of a model of two lies."""
        return other_halves(self.models)

    @cached_property
    def _called(self) -> dict[tuple[str, str], list[Description]]:
        called: dict[tuple[str, str], list[Description]] = {}
        for model in self.models:
            called.setdefault((model.kind, model.path.name.casefold()), []).append(model)
        return called

    def only_one_called(self, name: str, kind: str) -> Description | None:
        """The model of this kind whose file has that name, where no other has it."""
        found = self._called.get((kind, name.casefold()), [])
        return found[0] if len(found) == 1 else None

    def model(self, id: str) -> Description:
        if id not in self.by_id:
            raise RefusedError(404, "this model is no longer in the index; search again")
        return self.by_id[id]


@dataclass(frozen=True, kw_only=True)
class Seen(Snapshot):
    """A snapshot that can be searched by what models make."""

    index: ModelIndex


class Library:
    """Hands out the newest snapshot; `reading` keeps it for one thread at a time, `samples` waits for nobody.

    A new one is read beside the searches that the old one answers, and takes its place when it is whole.
    """

    def __init__(
        self, path: Place, open_encoder: Callable[[str], Encoder], runs_ended: Callable[[], int] = lambda: 0
    ) -> None:
        """`runs_ended`: how many index runs have; whoever asks after an end sees what the run has written."""
        self.path = path
        self._runs_ended = runs_ended
        self._forgotten = 0
        self._seen = (0, 0)  # what was written when the snapshot was read
        self._open_encoder = open_encoder
        self._searching, self._renewing = threading.RLock(), threading.RLock()
        self._snapshot: Snapshot | None = None
        self._retired: list[ModelIndex] = []
        self._watch: Catalog | None = None
        self._read_at = self._cost = 0.0
        self._samples_lock = threading.Lock()
        self._samples: Catalog | None = None

    @contextmanager
    def reading(self) -> Generator[Seen]:
        """EmptyCatalogError where there is nothing to search."""
        newest = self.newest()
        with self._searching:
            try:
                snapshot = self._snapshot or newest
                if not isinstance(snapshot, Seen):
                    raise EmptyCatalogError("no encoder has looked at the models yet", command=INDEX)
                yield snapshot
            finally:
                while self._retired:
                    self._retired.pop().close()

    def newest(self) -> Snapshot:
        """For what needs no arrays: held up by no search; by a reading where it is the first, or began before what is
        known to have been written."""
        if self._renewing.acquire(blocking=self._snapshot is None or self._written() != self._seen):
            try:
                self._renew()
            finally:
                self._renewing.release()
        assert self._snapshot is not None
        return self._snapshot

    def _renew(self) -> None:
        now, old, written = time.monotonic(), self._snapshot, self._written()
        if old is not None and written == self._seen and now - self._read_at < max(SHORTEST, PATIENCE * self._cost):
            return
        if old is None or self._has_changed(old):
            self._snapshot = self._read(old)
            if isinstance(old, Seen):
                self._retired.append(old.index)
            self._cost = time.monotonic() - now
        self._read_at, self._seen = time.monotonic(), written

    def _written(self) -> tuple[int, int]:
        """Grows with what this process knows to have been written: by whole runs, and at single occasions."""
        return self._runs_ended(), self._forgotten

    def _has_changed(self, old: Snapshot) -> bool:
        if self._watch is None:
            self._watch = Catalog(self.path, read_only=True)
        if not isinstance(old, Seen):
            return bool(self._watch.encoders()) or self._watch.state() != old.state
        return self._watch.state() != old.index.collection.state or self._watch.failures() != old.failures

    def _read(self, old: Snapshot | None) -> Snapshot:
        serial = old.serial + 1 if old else 1
        with Catalog(self.path, read_only=True) as catalog:
            if not catalog.encoders():
                return _unseen(catalog, serial)
        seen = isinstance(old, Seen)
        index = old.index.renewed() if seen else ModelIndex.open(self.path, open_encoder=self._open_encoder)
        if seen:
            index.warm()
        models, collection = index.models(), index.collection
        _ = collection.templates  # texts are encoded ahead by threads that the catalog must not be closed for
        with Catalog(self.path, read_only=True) as catalog:
            failures, skipped = catalog.failures(), catalog.skipped()
        return Seen(
            index=index,
            models=models,
            by_id={model.id: model for model in models},
            keys={entry.fingerprint: entry.key for entry in collection.entries},
            bases=_bases(collection),
            references=_references(collection),
            failures=failures,
            skipped=skipped,
            serial=serial,
        )

    @contextmanager
    def samples(self) -> Generator[Catalog]:
        """A connection of its own, so that pictures come while a search is computed."""
        with self._samples_lock:
            if self._samples is None:
                self._samples = Catalog(self.path, read_only=True)
            yield self._samples

    def forget_reading(self) -> None:
        """Whoever asks after this sees what was written before, however short ago the last reading was."""
        self._forgotten += 1

    def close(self) -> None:
        with self._renewing, self._searching, self._samples_lock:
            for index in (*self._retired, *([self._snapshot.index] if isinstance(self._snapshot, Seen) else [])):
                index.close()
            for catalog in (self._samples, self._watch):
                if catalog:
                    catalog.close()
            self._retired = []
            self._snapshot = self._samples = self._watch = None


def _unseen(catalog: Catalog, serial: int) -> Snapshot:
    """What a scan alone tells."""
    models = describe_files(catalog.models())
    return Snapshot(
        index=None,
        models=models,
        by_id={model.id: model for model in models},
        keys={},
        bases={},
        references={},
        failures=catalog.failures(),
        skipped=catalog.skipped(),
        serial=serial,
        state=catalog.state(),
    )


def _references(collection: Collection) -> dict[str, ProbeSet]:
    known, of = collection.probe_sets, newest(collection.measured, Evidence.REFERENCE)
    return {fingerprint: known[each.digest] for fingerprint, each in of.items() if each.digest in known}


def _bases(collection: Collection) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for entry in collection.entries:
        recipe = collection.probe_sets.recipe(entry.digest)
        if recipe is not None and recipe.base is not None:
            found[entry.fingerprint] = recipe.base, recipe.base_digest
    return found
