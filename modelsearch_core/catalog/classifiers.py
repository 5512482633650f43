"""What classifiers answered to the probes: files, probe sets, descriptors of every output.

A descriptor's key is (fingerprint, digest of the probes); the background's adds the encoder that read the concepts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..embedding import Features
from ..scores.logits import Top
from .connection import Connection
from .records import to_half


@dataclass(frozen=True, kw_only=True)
class FileRow:
    """A file of the last scans; `record` is JSON that the classifiers' package writes and reads."""

    path: Path
    fingerprint: str | None
    kind: str | None
    stamp: str
    record: str
    failure: str | None = None


@dataclass(frozen=True, kw_only=True)
class Descriptor:
    """All outputs of one classifier under one probe set."""

    fingerprint: str
    digest: str
    unit: str
    note: str
    outputs: NDArray[np.int32]  # (L,)
    signs: NDArray[np.int8]  # (L,)
    top: Top


@dataclass(frozen=True, kw_only=True)
class Hubs:
    """How near one classifier's outputs are to background concepts."""

    hubs: NDArray[np.float32]  # (L,)
    best: NDArray[np.float32]  # (B,)


class Classifiers:
    """The part of a catalog that holds them; `transaction` is the catalog's."""

    def __init__(self, connection: Connection, transaction: Callable[[], AbstractContextManager[None]]) -> None:
        self._connection = connection
        self._transaction = transaction

    # files

    def files(self) -> list[FileRow]:
        """Ordered by path."""
        rows = self._connection.execute(
            "SELECT path, fingerprint, kind, stamp, record, failure FROM classifier_file ORDER BY path"
        )
        return [
            FileRow(path=Path(path), fingerprint=f, kind=kind, stamp=stamp, record=record, failure=failure)
            for path, f, kind, stamp, record, failure in rows
        ]

    def counts(self) -> dict[str, int]:
        """Files of each kind, copies counted once."""
        rows = self._connection.execute(
            "SELECT kind, COUNT(DISTINCT fingerprint) FROM classifier_file WHERE kind IS NOT NULL GROUP BY kind"
        )
        return dict(rows)

    def put_files(self, files: Iterable[FileRow]) -> None:
        with self._transaction():
            self._connection.executemany(
                "INSERT OR REPLACE INTO classifier_file VALUES (?, ?, ?, ?, ?, ?)",
                ((str(f.path), f.fingerprint, f.kind, f.stamp, f.record, f.failure) for f in files),
            )

    def put_failure(self, fingerprint: str, reason: str | None) -> None:
        with self._transaction():
            self._connection.execute(
                "UPDATE classifier_file SET failure = ? WHERE fingerprint = ?", (reason, fingerprint)
            )

    def remove_files(self, paths: Iterable[Path]) -> None:
        """Files that are gone; what they answered stays, for when they come back."""
        with self._transaction():
            self._connection.executemany("DELETE FROM classifier_file WHERE path = ?", ((str(p),) for p in paths))

    def forget(self, fingerprint: str) -> None:
        with self._transaction():
            for table in ("classifier_descriptor", "classifier_background", "classifier_file"):
                self._connection.execute(f"DELETE FROM {table} WHERE fingerprint = ?", (fingerprint,))

    # probes

    def put_probes(self, digest: str, sources: Sequence[str]) -> None:
        with self._transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO classifier_probes VALUES (?, ?)", (digest, json.dumps(list(sources)))
            )

    def probes(self, digest: str) -> list[str] | None:
        """Where each probe came from, in order; None for an unknown set."""
        row = self._connection.execute("SELECT record FROM classifier_probes WHERE digest = ?", (digest,)).fetchone()
        return json.loads(row[0]) if row else None

    def put_probe_features(self, digest: str, encoder: str, features: Features) -> None:
        with self._transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO classifier_probe_feature VALUES (?, ?, ?)",
                (digest, encoder, to_half(features)),
            )

    def probe_features(self, digest: str, encoder: str, n: int) -> NDArray[np.float16] | None:
        """(n, D)."""
        row = self._connection.execute(
            "SELECT features FROM classifier_probe_feature WHERE digest = ? AND encoder = ?", (digest, encoder)
        ).fetchone()
        return np.frombuffer(row[0], np.float16).reshape(n, -1) if row else None

    # descriptors

    def put(self, descriptor: Descriptor) -> None:
        """In place of what was known of the model under these probes."""
        d, top = descriptor, descriptor.top
        arrays = (
            np.asarray(d.outputs, np.int32).tobytes(),
            np.asarray(d.signs, np.int8).tobytes(),
            top.a.shape[1],
            np.asarray(top.a, np.uint16).tobytes(),
            np.asarray(top.z, np.float16).tobytes(),
            np.asarray(top.mean, np.float32).tobytes(),
            np.asarray(top.deviation, np.float32).tobytes(),
        )
        with self._transaction():
            self._connection.execute(
                "DELETE FROM classifier_background WHERE fingerprint = ? AND digest = ?", (d.fingerprint, d.digest)
            )
            self._connection.execute(
                "INSERT OR REPLACE INTO classifier_descriptor VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (d.fingerprint, d.digest, d.unit, d.note, *arrays),
            )

    def known(self, digest: str) -> set[str]:
        """Fingerprints with a descriptor under these probes."""
        rows = self._connection.execute("SELECT fingerprint FROM classifier_descriptor WHERE digest = ?", (digest,))
        return {fingerprint for (fingerprint,) in rows}

    def descriptors(self, digest: str) -> list[Descriptor]:
        rows = self._connection.execute(
            "SELECT fingerprint, digest, unit, note, outputs, signs, width, probes, z, mean, deviation "
            "FROM classifier_descriptor WHERE digest = ? ORDER BY fingerprint",
            (digest,),
        )
        return [_descriptor(row) for row in rows]

    def put_hubs(self, digest: str, encoder: str, hubs: Mapping[str, Hubs]) -> None:
        with self._transaction():
            self._connection.executemany(
                "INSERT OR REPLACE INTO classifier_background VALUES (?, ?, ?, ?, ?)",
                (
                    (
                        f,
                        digest,
                        encoder,
                        np.asarray(h.hubs, np.float32).tobytes(),
                        np.asarray(h.best, np.float32).tobytes(),
                    )
                    for f, h in hubs.items()
                ),
            )

    def hubs(self, digest: str, encoder: str) -> dict[str, Hubs]:
        rows = self._connection.execute(
            "SELECT fingerprint, hubs, best FROM classifier_background WHERE digest = ? AND encoder = ?",
            (digest, encoder),
        )
        return {
            f: Hubs(hubs=np.frombuffer(hubs, np.float32), best=np.frombuffer(best, np.float32))
            for f, hubs, best in rows
        }


def _descriptor(row: tuple[Any, ...]) -> Descriptor:
    fingerprint, digest, unit, note, outputs, signs, r, a, z, mean, deviation = row
    top = Top(
        np.frombuffer(a, np.uint16).reshape(-1, r),
        np.frombuffer(z, np.float16).reshape(-1, r),
        np.frombuffer(mean, np.float32),
        np.frombuffer(deviation, np.float32),
    )
    return Descriptor(
        fingerprint=fingerprint,
        digest=digest,
        unit=unit,
        note=note,
        outputs=np.frombuffer(outputs, np.int32),
        signs=np.frombuffer(signs, np.int8),
        top=top,
    )
