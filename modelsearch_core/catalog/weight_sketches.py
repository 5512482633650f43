"""What LoRA change, as sketches of their weights: the names of the layers once for all that have the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .connection import Connection

SCHEMA = """
CREATE TABLE sketched_layers (
    digest TEXT PRIMARY KEY,
    names TEXT NOT NULL             -- JSON
);
CREATE TABLE weight_sketch (
    fingerprint TEXT PRIMARY KEY,
    version INTEGER NOT NULL,       -- of the probes
    layers TEXT,                    -- digest; NULL: the file cannot be sketched
    scale REAL NOT NULL,
    s BLOB NOT NULL                 -- float16 (L, K), of a largest number 1
);
"""

DORA = """
ALTER TABLE weight_sketch ADD COLUMN base TEXT;
ALTER TABLE weight_sketch ADD COLUMN without_magnitude INTEGER NOT NULL DEFAULT 0;
"""

VERSION = 2  # of the probes and of the layers' canonical names (`generators.sketches`)


@dataclass(frozen=True, eq=False)
class Sketch:
    """Of one LoRA: canonical `names` of its layers (L,), `s` (L, K). Of a DoRA: the fingerprint of its `base`, '' for
    none, and of how many layers the magnitude had to be left out."""

    names: tuple[str, ...]
    s: NDArray[np.float32]
    base: str | None = None
    without_magnitude: int = 0


class WeightSketches:
    """The part of a catalog that holds them; `transaction` is the catalog's."""

    def __init__(self, connection: Connection, transaction: Callable[[], AbstractContextManager[None]]) -> None:
        self._connection = connection
        self._transaction = transaction

    def put(self, fingerprint: str, version: int, sketch: Sketch | None) -> None:
        """None, or one of no layers, for a file that cannot be sketched: it is not tried again."""
        row: tuple[str | None, float, bytes] = None, 1.0, b""
        of_dora = (sketch.base, sketch.without_magnitude) if sketch is not None else (None, 0)
        names = ""
        if sketch is not None and len(sketch.names):
            names = json.dumps(sketch.names, ensure_ascii=False)
            scale = float(np.abs(sketch.s).max()) or 1.0
            digest = hashlib.sha256(names.encode()).hexdigest()[:32]
            row = digest, scale, (sketch.s / scale).astype(np.float16).tobytes()
        with self._transaction():
            if row[0]:
                self._connection.execute("INSERT OR IGNORE INTO sketched_layers VALUES (?, ?)", (row[0], names))
            self._connection.execute(
                "INSERT OR REPLACE INTO weight_sketch (fingerprint, version, layers, scale, s, base, "
                "without_magnitude) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (fingerprint, version, *row, *of_dora),
            )

    def known(self, version: int) -> dict[str, str | None]:
        """Those that were sketched, or cannot be, with the base that a DoRA was taken with."""
        rows = self._connection.execute("SELECT fingerprint, base FROM weight_sketch WHERE version = ?", (version,))
        return dict(rows)

    def without_magnitude(self, version: int) -> set[str]:
        """Fingerprints of DoRA that were taken without the magnitude of some of their layers."""
        rows = self._connection.execute(
            "SELECT fingerprint FROM weight_sketch WHERE version = ? AND without_magnitude > 0", (version,)
        )
        return {fingerprint for (fingerprint,) in rows}

    def get(self, fingerprints: Sequence[str], version: int) -> dict[str, Sketch]:
        """Of these models, as far as they have one."""
        names = {
            digest: tuple(json.loads(text))
            for digest, text in self._connection.execute("SELECT digest, names FROM sketched_layers")
        }
        wanted = set(fingerprints)
        rows = self._connection.execute(
            "SELECT fingerprint, layers, scale, s, base, without_magnitude FROM weight_sketch "
            "WHERE version = ? AND layers IS NOT NULL",
            (version,),
        )
        return {
            fingerprint: Sketch(names[layers], _rows(s, len(names[layers]), scale), *of_dora)
            for fingerprint, layers, scale, s, *of_dora in rows
            if fingerprint in wanted and layers in names
        }


def stacked(sketches: Sequence[Sketch]) -> NDArray[np.float32]:
    """(n, ΣK) rows over all layers of all of them, those that a LoRA does not change zero. Inner products estimate
    those of ΔW. Where numbers a layer differ, the fewest count, in all."""
    if not sketches:
        return np.zeros((0, 1), np.float32)
    K = min(of.s.shape[1] for of in sketches)
    names = sorted({name for of in sketches for name in of.names})
    place = {name: i for i, name in enumerate(names)}
    X = np.zeros((len(sketches), len(names), K), np.float32)
    for row, of in zip(X, sketches, strict=True):
        row[[place[name] for name in of.names]] = of.s[:, :K]
    return X.reshape(len(sketches), -1) / np.float32(K**0.5)


def vectors(sketches: Sequence[Sketch]) -> NDArray[np.float32]:
    """The same of unit length, whose inner products estimate cosines of ΔW."""
    flat = stacked(sketches)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    flat /= np.where(length > 0, length, 1)
    return flat


def _rows(blob: bytes, L: int, scale: float) -> NDArray[np.float32]:
    return np.frombuffer(blob, np.float16).astype(np.float32).reshape(L, -1) * np.float32(scale)
