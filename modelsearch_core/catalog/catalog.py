"""The store of what was measured. Keys are (model fingerprint, probe-set digest, encoder name)."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from ..embedding import Features
from ..model_files import ModelFile, SkippedFile
from ..model_files.by_hand import ByHand
from ..model_files.written import file_from_json, file_to_json
from ..probes import ProbeSet
from ..specification import Evidence, Specification
from . import records
from .database import connect
from .identities import Identities
from .set_by_hand import SetByHand
from .spatial_maps import SpatialMaps

SPECIFICATION_COLUMNS = "fingerprint, digest, encoder, evidence, strength, consistency, numbers, z, drawings"


class Catalog:
    """One SQLite file. Safe to read while another process writes."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._connection = connect(path, read_only=read_only)
        self._depth = 0
        self.spatial = SpatialMaps(self._connection, self.transaction)
        self.identities = Identities(self._connection, self.transaction)
        self.by_hand = SetByHand(self._connection, self.transaction)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Catalog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All that is written inside is there after a crash, or nothing of it. May be nested; the outermost commits."""
        if self._depth == 0:
            self._connection.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("ROLLBACK")
            raise
        self._depth -= 1
        if self._depth == 0:
            self._connection.execute("COMMIT")

    def version(self) -> int:
        """Changes whenever another connection has written; a reader's signal to load again."""
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def state(self) -> str:
        """Changes whenever an answer may: with what was measured and with the files, not with settings."""
        measured = self._connection.execute("SELECT count(*), max(rowid) FROM specification").fetchone()
        files = self._connection.execute("SELECT count(*), max(rowid) FROM file").fetchone()
        maps = self._connection.execute("SELECT count(*), max(rowid) FROM spatial_map").fetchone()
        return " ".join(map(str, (*measured, *files, *maps)))

    # files on disk

    def files(self) -> list[ModelFile | SkippedFile]:
        """All files of the last scans, ordered by path, with what was set by hand."""
        files = [file_from_json(text) for (text,) in self._connection.execute("SELECT record FROM file ORDER BY path")]
        by_hand = self.by_hand.all()
        return [_as_set(file, by_hand) for file in files] if by_hand else files

    def models(self) -> list[ModelFile]:
        """The readable ones, ordered by path; copies of a model stand each on its own."""
        return [file for file in self.files() if isinstance(file, ModelFile)]

    def put_files(self, files: Iterable[ModelFile | SkippedFile]) -> None:
        with self.transaction():
            self._connection.executemany(
                "INSERT OR REPLACE INTO file (path, fingerprint, kind, architecture, size, modified, record) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (_file_row(file) for file in files),
            )

    def remove_files(self, paths: Iterable[Path]) -> None:
        """Files that are gone. What was measured of them stays, for when they come back."""
        with self.transaction():
            self._connection.executemany("DELETE FROM file WHERE path = ?", ((str(path),) for path in paths))

    def forget(self, fingerprint: str) -> None:
        """Everything measured of a model, and its files' rows."""
        with self.transaction():
            for table in ("specification", "sample", "spatial_map", "failure", "file"):
                self._connection.execute(f"DELETE FROM {table} WHERE fingerprint = ?", (fingerprint,))

    # what was measured

    def put_encoder(self, name: str, source: str, dimension: int) -> None:
        with self.transaction():
            self._connection.execute("INSERT OR REPLACE INTO encoder VALUES (?, ?, ?)", (name, source, dimension))

    def encoders(self) -> list[tuple[str, str, int]]:
        """(name, source, dimension), the one with most generated specifications first."""
        return self._connection.execute(
            "SELECT e.name, e.source, e.dimension FROM encoder e LEFT JOIN specification s ON s.encoder = e.name "
            "GROUP BY e.name ORDER BY sum(s.evidence = 'generated') DESC, count(s.fingerprint) DESC, e.rowid DESC"
        ).fetchall()

    def put_probe_set(self, probe_set: ProbeSet) -> None:
        with self.transaction():
            self._connection.execute(
                "INSERT OR IGNORE INTO probe_set VALUES (?, ?, ?)",
                (probe_set.digest, probe_set.recipe_digest, records.probe_set_to_json(probe_set)),
            )

    def probe_sets(self) -> dict[str, ProbeSet]:
        rows = self._connection.execute("SELECT digest, record FROM probe_set")
        return {digest: records.probe_set_from_json(text) for digest, text in rows}

    def put_specification(self, specification: Specification) -> None:
        s = specification
        facets = s.strength, s.consistency
        row = (s.fingerprint, s.digest, s.encoder, s.evidence.value, len(s.Z), *facets, *_blobs(s))
        with self.transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO specification "
                "(fingerprint, digest, encoder, evidence, samples, strength, consistency, mean, numbers, z, drawings) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            if s.evidence is Evidence.GENERATED:
                self._connection.execute("DELETE FROM failure WHERE fingerprint = ?", (s.fingerprint,))

    def specification(self, fingerprint: str, digest: str, encoder: str) -> Specification | None:
        row = self._connection.execute(
            f"SELECT {SPECIFICATION_COLUMNS}, (SELECT dimension FROM encoder WHERE name = encoder) "
            "FROM specification WHERE fingerprint = ? AND digest = ? AND encoder = ?",
            (fingerprint, digest, encoder),
        ).fetchone()
        return records.specification_from_row(row[:-1], row[-1]) if row else None

    def specification_keys(self, encoder: str) -> list[tuple[str, str, Evidence, int]]:
        """(fingerprint, digest, evidence, samples) of every specification, newest last."""
        rows = self._connection.execute(
            "SELECT fingerprint, digest, evidence, samples FROM specification WHERE encoder = ? ORDER BY rowid",
            (encoder,),
        )
        return [(fingerprint, digest, Evidence(evidence), samples) for fingerprint, digest, evidence, samples in rows]

    def facets(self, encoder: str) -> dict[tuple[str, str], tuple[float, float]]:
        """(strength, consistency) by (fingerprint, digest), of LoRA that were compared with their base."""
        rows = self._connection.execute(
            "SELECT fingerprint, digest, strength, consistency FROM specification "
            "WHERE encoder = ? AND strength IS NOT NULL",
            (encoder,),
        )
        return {(fingerprint, digest): (strength, consistency) for fingerprint, digest, strength, consistency in rows}

    def means(self, encoder: str) -> dict[tuple[str, str], Features]:
        """The stored means (D,) by (fingerprint, digest); reads no sample."""
        rows = self._connection.execute(
            "SELECT fingerprint, digest, mean FROM specification WHERE encoder = ?", (encoder,)
        )
        return {(fingerprint, digest): np.frombuffer(mean, np.float32) for fingerprint, digest, mean in rows}

    def remove_specification(self, fingerprint: str, digest: str) -> None:
        with self.transaction():
            for table in ("specification", "sample", "spatial_map"):
                self._connection.execute(
                    f"DELETE FROM {table} WHERE fingerprint = ? AND digest = ?", (fingerprint, digest)
                )

    def put_samples(self, fingerprint: str, digest: str, images: Mapping[int, bytes]) -> None:
        """WebP pictures by probe number."""
        with self.transaction():
            self._connection.executemany(
                "INSERT OR REPLACE INTO sample VALUES (?, ?, ?, ?)",
                ((fingerprint, digest, number, webp) for number, webp in images.items()),
            )

    def sample_numbers(self, fingerprint: str, digest: str) -> list[int]:
        rows = self._connection.execute(
            "SELECT number FROM sample WHERE fingerprint = ? AND digest = ? ORDER BY number", (fingerprint, digest)
        )
        return [number for (number,) in rows]

    def sample(self, fingerprint: str, digest: str, number: int) -> bytes | None:
        """One picture as WebP bytes."""
        row = self._connection.execute(
            "SELECT webp FROM sample WHERE fingerprint = ? AND digest = ? AND number = ?", (fingerprint, digest, number)
        ).fetchone()
        return row[0] if row else None

    def sample_images(self, fingerprint: str, digest: str) -> dict[int, Image.Image]:
        """All pictures of a model under one probe set, by probe number."""
        rows = self._connection.execute(
            "SELECT number, webp FROM sample WHERE fingerprint = ? AND digest = ? ORDER BY number",
            (fingerprint, digest),
        )
        return {number: records.from_webp(webp) for number, webp in rows}

    # texts, failures, settings

    def put_text_features(self, encoder: str, texts: Sequence[str], features: Features) -> None:
        rows = [(encoder, text, records.to_half(feature)) for text, feature in zip(texts, features, strict=True)]
        with self.transaction():
            self._connection.executemany("INSERT OR REPLACE INTO text_feature VALUES (?, ?, ?)", rows)

    def text_features(self, encoder: str, texts: Sequence[str]) -> dict[str, Features]:
        """Those of the texts that were encoded before."""
        found: dict[str, Features] = {}
        for start in range(0, len(texts), 500):
            part = list(texts[start : start + 500])
            rows = self._connection.execute(
                f"SELECT text, feature FROM text_feature WHERE encoder = ? AND text IN ({','.join('?' * len(part))})",
                (encoder, *part),
            )
            found.update((text, np.frombuffer(blob, np.float16)) for text, blob in rows)
        return found

    def put_failure(self, fingerprint: str, reason: str) -> None:
        with self.transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO failure (fingerprint, reason) VALUES (?, ?)", (fingerprint, reason)
            )

    def failures(self) -> dict[str, str]:
        """Why a model could not be generated from, by fingerprint."""
        return dict(self._connection.execute("SELECT fingerprint, reason FROM failure"))

    def put_setting(self, name: str, value: str) -> None:
        with self.transaction():
            self._connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))

    def setting(self, name: str) -> str | None:
        row = self._connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None


def _as_set(file: ModelFile | SkippedFile, by_hand: Mapping[str, ByHand]) -> ModelFile | SkippedFile:
    if isinstance(file, SkippedFile) or file.fingerprint not in by_hand:
        return file
    return by_hand[file.fingerprint].on(file)


def _file_row(file: ModelFile | SkippedFile) -> tuple[object, ...]:
    text = file_to_json(file)
    if isinstance(file, SkippedFile):
        return str(file.path), None, None, None, 0, 0, text
    return str(file.path), file.fingerprint, file.kind.value, file.architecture, file.size, file.modified, text


def _blobs(specification: Specification) -> tuple[bytes, bytes, bytes, bytes | None]:
    Z, drawings = specification.Z, specification.drawings
    mean = np.mean(np.asarray(Z, np.float32), axis=0, dtype=np.float32)
    return (
        mean.tobytes(),
        np.asarray(specification.numbers, np.int32).tobytes(),
        records.to_half(Z),
        None if drawings is None else records.to_half(drawings),
    )
