"""Where things are in models' pictures: the mean feature map of each, and maps of single pictures to measure it by.

Keys are (model fingerprint, probe-set digest, spatial encoder). Maps are flattened and stored in half precision.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np

from ..embedding import Features
from .connection import Connection
from .records import half, to_half


@dataclass(frozen=True, kw_only=True)
class SpatialMap:
    """Of one model under one probe set: the mean of its pictures' unit maps, and a few of these as they are."""

    fingerprint: str
    digest: str
    encoder: str
    samples: int  # pictures behind the mean
    mean: Features  # (F,)
    single: Features  # (n, F)


class SpatialMaps:
    """The part of a catalog that holds them; `transaction` is the catalog's."""

    def __init__(self, connection: Connection, transaction: Callable[[], AbstractContextManager[None]]) -> None:
        self._connection = connection
        self._transaction = transaction

    def put_encoder(self, name: str, source: str, dimension: int) -> None:
        with self._transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO spatial_encoder VALUES (?, ?, ?)", (name, source, dimension)
            )

    def encoders(self) -> list[tuple[str, str, int]]:
        """(name, source, dimension), the one with most maps first."""
        return self._connection.execute(
            "SELECT e.name, e.source, e.dimension FROM spatial_encoder e LEFT JOIN spatial_map m ON m.encoder = e.name "
            "GROUP BY e.name ORDER BY count(m.fingerprint) DESC, e.rowid DESC"
        ).fetchall()

    def put(self, of: SpatialMap) -> None:
        blobs = to_half(of.mean), to_half(of.single)
        with self._transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO spatial_map (fingerprint, digest, encoder, samples, mean, single) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (of.fingerprint, of.digest, of.encoder, of.samples, *blobs),
            )

    def samples(self, encoder: str) -> dict[tuple[str, str], int]:
        """How many pictures are behind each map, by (fingerprint, digest)."""
        rows = self._connection.execute(
            "SELECT fingerprint, digest, samples FROM spatial_map WHERE encoder = ?", (encoder,)
        )
        return {(fingerprint, digest): samples for fingerprint, digest, samples in rows}

    def get(self, fingerprint: str, digest: str, encoder: str) -> SpatialMap | None:
        row = self._connection.execute(
            "SELECT samples, mean, single FROM spatial_map WHERE fingerprint = ? AND digest = ? AND encoder = ?",
            (fingerprint, digest, encoder),
        ).fetchone()
        if row is None:
            return None
        samples, mean, single = row[0], np.frombuffer(row[1], np.float16), row[2]
        return SpatialMap(
            fingerprint=fingerprint,
            digest=digest,
            encoder=encoder,
            samples=samples,
            mean=mean,
            single=half(single, len(mean)),
        )
