"""The store of what was measured. Keys are (model fingerprint, probe-set digest, encoder name)."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from ..embedding import Features
from ..model_files import ModelFile, SkippedFile
from ..model_files.by_hand import ByHand
from ..model_files.written import file_from_json, file_to_json
from ..places import Place, beside
from ..probes import ProbeSet
from ..specification import Evidence, Specification
from . import parcels, probe_sets, records
from .classifiers import Classifiers
from .derived import MEANS, MEANS_OF, density_of, means_of
from .identities import Identities
from .opening import claims_of, connect
from .packing import pack, packing_of
from .parcels import Parcel
from .pictures import SETTING as PICTURES
from .pictures import PictureStore
from .probe_sets import ProbeSets
from .set_by_hand import SetByHand
from .shared_files import SharedFiles
from .spatial_maps import SpatialMaps
from .statistics import AT_ONCE, Key, Statistics
from .user_pictures import UserPictures
from .weight_sketches import WeightSketches

SPECIFICATION_COLUMNS = "fingerprint, digest, encoder, evidence, strength, consistency, numbers, packing, z, drawings"
PACKED_DRAWINGS = "coalesce(drawings, z)", "CASE WHEN drawings IS NULL THEN density ELSE drawn_density END"
OF_A_MODEL = ("specification", "statistic", "sample", "spatial_map", "chosen_picture")  # tables
ANSWERING = ("matching", "style")  # settings that name what answers depend on


class Measured(NamedTuple):
    """A specification without its features. `stamp` is another one whenever it was measured again."""

    fingerprint: str
    digest: str
    evidence: Evidence
    samples: int
    stamp: int
    strength: float | None
    consistency: float | None

    @property
    def key(self) -> Key:
        return self.fingerprint, self.digest


class Packed(NamedTuple):
    """A model's rows as they are stored."""

    numbers: bytes  # int32 (S,)
    packing: int
    blob: bytes
    density: bytes | None


class Catalog:
    """One SQLite file, or a database on a PostgreSQL server. Safe to read while others write."""

    def __init__(self, path: Place, *, read_only: bool = False) -> None:
        self.path = path
        self._connection = connect(path, read_only=read_only)
        self._depth = 0
        self._changed: list[str] = []
        self.spatial = SpatialMaps(self._connection, self.transaction)
        self.identities = Identities(self._connection, self.transaction)
        self.by_hand = SetByHand(self._connection, self.transaction)
        self.claims = claims_of(self._connection, self.transaction)
        self.statistics = Statistics(self._connection, self.transaction)
        self.classifiers = Classifiers(self._connection, self.transaction)
        is_file = isinstance(path, Path)
        self._shared = None if is_file else SharedFiles(self._connection, self.transaction, self.beside.parent)
        self.pictures = UserPictures(self._connection, self.transaction)
        self.sketches = WeightSketches(self._connection, self.transaction)

    def close(self) -> None:
        self._connection.close()

    @property
    def beside(self) -> Path:
        """What files that belong to it lie beside: its own path, or one of this machine for a server's."""
        return beside(self.path)

    def __enter__(self) -> Catalog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All that is written inside is there after a crash, or nothing of it. May be nested; the outermost commits."""
        if self._depth == 0:
            self._connection.begin()
            self._changed = []
        self._depth += 1
        try:
            yield
            if self._depth == 1:
                self._connection.tell(self._changed)
        except BaseException:
            self._depth -= 1
            if self._depth == 0:
                self._connection.rollback()
            raise
        self._depth -= 1
        if self._depth == 0:
            self._connection.commit()

    @contextmanager
    def moment(self) -> Generator[None]:
        """What is read inside is of one moment, whoever writes meanwhile."""
        self._connection.begin_reading()
        try:
            yield
        finally:
            self._connection.rollback()

    def version(self) -> int:
        """Changes whenever another connection has written; a reader's signal to load again."""
        return self._connection.version()

    def state(self) -> str:
        """Changes whenever an answer may: with what was measured, with the files, and with what was learned."""
        revisions = self._connection.execute("SELECT of, number FROM revision ORDER BY of").fetchall()
        maps = self._connection.execute("SELECT count(*), max(rowid) FROM spatial_map").fetchone()
        by_hand = self._connection.execute(
            "SELECT fingerprint, record FROM set_by_hand ORDER BY fingerprint"
        ).fetchall()
        return " ".join(map(str, (*revisions, *maps, *by_hand, *map(self.setting, ANSWERING))))

    def _revised(self, table: str, *keys: str) -> int:
        """The number of this change of a table, for some models' fingerprints or some paths."""
        self._changed += keys
        self._connection.execute(
            "INSERT INTO revision VALUES (?, 1) ON CONFLICT (of) DO UPDATE SET number = revision.number + 1", (table,)
        )
        return int(self._connection.execute("SELECT number FROM revision WHERE of = ?", (table,)).fetchone()[0])

    # files on disk

    def files(self) -> list[ModelFile | SkippedFile]:
        """All files of the last scans, ordered by path, with what was set by hand."""
        files = [file_from_json(text) for (text,) in self._connection.execute("SELECT record FROM file ORDER BY path")]
        by_hand = self.by_hand.all()
        return [_as_set(file, by_hand) for file in files] if by_hand else files

    def paths(self) -> set[Path]:
        """Of all files of the last scans."""
        return {Path(path) for (path,) in self._connection.execute("SELECT path FROM file")}

    def models(self) -> list[ModelFile]:
        """The readable ones, ordered by path; copies of a model stand each on its own."""
        return [file for file in self.files() if isinstance(file, ModelFile)]

    def skipped(self) -> list[SkippedFile]:
        """The unreadable ones, ordered by path."""
        rows = self._connection.execute("SELECT record FROM file WHERE fingerprint IS NULL ORDER BY path")
        files = (file_from_json(text) for (text,) in rows)
        return [file for file in files if isinstance(file, SkippedFile)]

    def model_rows(self) -> list[tuple[str, str, str, str, str]]:
        """(path, fingerprint, kind, architecture, record) of the readable ones, ordered by path; parses nothing."""
        return sorted(  # in half the time of ORDER BY, which reads row after row by the key
            self._connection.execute(
                "SELECT path, fingerprint, kind, architecture, record FROM file WHERE fingerprint IS NOT NULL"
            ).fetchall()
        )

    def put_files(self, files: Iterable[ModelFile | SkippedFile]) -> None:
        with self.transaction():
            self._connection.executemany(
                "INSERT OR REPLACE INTO file (path, fingerprint, kind, architecture, size, modified, record) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (_file_row(file) for file in files),
            )
            self._revised("file")

    def remove_files(self, paths: Iterable[Path]) -> None:
        """Files that are gone. What was measured of them stays, for when they come back."""
        with self.transaction():
            self._connection.executemany("DELETE FROM file WHERE path = ?", ((str(path),) for path in paths))
            self._revised("file")

    def forget(self, fingerprint: str) -> None:
        """Everything measured of a model, and its files' rows."""
        with self.transaction():
            for table in (*OF_A_MODEL, "weight_sketch", "failure", "file"):
                self._connection.execute(f"DELETE FROM {table} WHERE fingerprint = ?", (fingerprint,))
            self._revised("specification", fingerprint)
            self._revised("file")
        if self._pictures:
            self._pictures.remove(fingerprint)

    # what was measured

    def put_encoder(self, name: str, source: str, dimension: int) -> None:
        with self.transaction():
            self._connection.execute("INSERT OR REPLACE INTO encoder VALUES (?, ?, ?)", (name, source, dimension))

    def encoders(self) -> list[tuple[str, str, int]]:
        """(name, source, dimension), the one with most generated specifications first."""
        all_of_them = self._connection.execute("SELECT name, source, dimension FROM encoder").fetchall()
        if len(all_of_them) < 2:
            return all_of_them
        return self._connection.execute(
            "SELECT e.name, e.source, e.dimension FROM encoder e LEFT JOIN specification s ON s.encoder = e.name "
            "GROUP BY e.name ORDER BY sum(CASE WHEN s.evidence = 'generated' THEN 1 ELSE 0 END) DESC, "
            "count(s.fingerprint) DESC, e.rowid DESC"
        ).fetchall()

    def dimension_of(self, encoder: str) -> int | None:
        """None for an encoder that is not known."""
        row = self._connection.execute("SELECT dimension FROM encoder WHERE name = ?", (encoder,)).fetchone()
        return row[0] if row else None

    def put_probe_set(self, probe_set: ProbeSet) -> None:
        with self.transaction():
            probe_sets.put(self._connection, probe_set)

    def probe_sets(self) -> ProbeSets:
        """All that models were asked, by digest."""
        return probe_sets.read(self._connection)

    def put_specification(self, specification: Specification) -> None:
        """What an answer needs of it is derived and stored beside it."""
        s, packing = specification, packing_of(specification.Z)
        rows = [pack(s.Z, packing), None if s.drawings is None else pack(s.drawings, packing)]
        numbers = records.numbers_to_blob(s.numbers)
        densities = (density_of(Z, s.evidence, packing) for Z in (s.Z, s.drawings))
        told = s.fingerprint, s.digest, s.encoder, s.evidence.value, len(s.Z), s.strength, s.consistency
        with self.transaction():
            stamp = self._revised("specification", s.fingerprint)
            self._connection.execute(
                "INSERT OR REPLACE INTO specification (fingerprint, digest, encoder, evidence, samples, strength, "
                "consistency, stamp, packing, mean, numbers, z, drawings, density, drawn_density) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*told, stamp, int(packing), b"", numbers, *rows, *densities),
            )
            self.statistics.drop(s.encoder, (s.fingerprint, s.digest), MEANS_OF)
            self.statistics.put(s.encoder, (s.fingerprint, s.digest), means_of(s))
            if s.evidence is Evidence.GENERATED:
                self._connection.execute("DELETE FROM failure WHERE fingerprint = ?", (s.fingerprint,))

    def specification(self, fingerprint: str, digest: str, encoder: str) -> Specification | None:
        row = self._connection.execute(
            f"SELECT {SPECIFICATION_COLUMNS}, (SELECT dimension FROM encoder WHERE name = encoder) "
            "FROM specification WHERE fingerprint = ? AND digest = ? AND encoder = ?",
            (fingerprint, digest, encoder),
        ).fetchone()
        return records.specification_from_row(row[:-1], row[-1]) if row else None

    def specifications(self, encoder: str, keys: Sequence[Key], *, drawn: bool = True) -> dict[Key, Specification]:
        """Of some models under some probe sets, by (fingerprint, digest); those that are there. Without their drawings
        unless they are `drawn`."""
        columns = SPECIFICATION_COLUMNS if drawn else SPECIFICATION_COLUMNS.replace("drawings", "NULL")
        row = self._connection.execute("SELECT dimension FROM encoder WHERE name = ?", (encoder,)).fetchone()
        rows = self._rows_of(encoder, keys, columns)
        found = (records.specification_from_row(each, row[0]) for each in rows)
        return {(specification.fingerprint, specification.digest): specification for specification in found}

    def packed_rows(self, encoder: str, keys: Sequence[Key], *, drawn: bool = False) -> dict[Key, Packed]:
        """The samples of some models as they are stored, or their drawings where they have any."""
        z, density = PACKED_DRAWINGS if drawn else ("z", "density")
        rows = self._rows_of(encoder, keys, f"fingerprint, digest, samples, numbers, packing, {z}, {density}")
        return {
            (fingerprint, digest): Packed(records.whole_numbers(numbers, samples), *row)
            for fingerprint, digest, samples, numbers, *row in rows
        }

    def _rows_of(self, encoder: str, keys: Sequence[Key], columns: str) -> Iterator[tuple[Any, ...]]:
        """Of some specifications, each found by the table's key: for `(fingerprint, digest) IN (…)` SQLite would look
        at all of the encoder's."""
        for start in range(0, len(keys), AT_ONCE // 2):
            part = keys[start : start + AT_ONCE // 2]
            yield from self._connection.execute(
                f"WITH wanted (f, d) AS (VALUES {','.join(['(?, ?)'] * len(part))}) SELECT {columns} FROM wanted "
                "JOIN specification ON fingerprint = f AND digest = d AND encoder = ?",
                (*(value for key in part for value in key), encoder),
            )

    def specification_keys(self, encoder: str) -> list[tuple[str, str, Evidence, int]]:
        """(fingerprint, digest, evidence, samples) of every specification, newest last."""
        return [(row.fingerprint, row.digest, row.evidence, row.samples) for row in self.measured(encoder)]

    def measured(self, encoder: str) -> list[Measured]:
        """What there is of every model, newest last; reads no features."""
        rows = self._connection.execute(
            "SELECT fingerprint, digest, evidence, samples, stamp, strength, consistency FROM specification "
            "INDEXED BY specification_key WHERE encoder = ? ORDER BY rowid",
            (encoder,),
        ).fetchall()
        evidences = {evidence.value: evidence for evidence in Evidence}
        return [Measured(f, d, evidences[evidence], *rest) for f, d, evidence, *rest in rows]

    def generated(self, fingerprint: str, encoder: str) -> dict[str, int]:
        """How many samples there are of a model, by probe-set digest."""
        rows = self._connection.execute(
            "SELECT digest, samples FROM specification WHERE fingerprint = ? AND encoder = ? AND evidence = ?",
            (fingerprint, encoder, Evidence.GENERATED.value),
        )
        return dict(rows)

    def means(self, encoder: str) -> dict[Key, Features]:
        """The stored means (D,) of what has pictures, by (fingerprint, digest); reads no sample."""
        old = self._connection.execute(
            "SELECT fingerprint, digest, mean FROM specification s WHERE encoder = ? AND stamp = 0 AND NOT EXISTS ("
            "SELECT 1 FROM statistic t WHERE t.encoder = s.encoder AND t.name = 'mean' "
            "AND t.fingerprint = s.fingerprint AND t.digest = s.digest)",
            (encoder,),
        )
        found = {(fingerprint, digest): mean for fingerprint, digest, mean in old}
        stored = self.statistics.all(encoder, "mean", MEANS)
        return {key: np.frombuffer(mean, np.float32) for key, mean in found.items()} | {
            key: np.frombuffer(mean, np.float16) for key, mean in stored.items()
        }

    def remove_specification(self, fingerprint: str, digest: str) -> None:
        with self.transaction():
            for table in OF_A_MODEL:
                self._connection.execute(
                    f"DELETE FROM {table} WHERE fingerprint = ? AND digest = ?", (fingerprint, digest)
                )
            self._revised("specification", fingerprint)
        if self._pictures:
            self._pictures.remove(fingerprint, digest)

    def put_samples(self, fingerprint: str, digest: str, images: Mapping[int, bytes]) -> None:
        """WebP pictures by probe number."""
        if self._pictures and images:
            self._pictures.put(fingerprint, digest, images)
            images = dict.fromkeys(images, b"")
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
        return self._shown(row[0], fingerprint, digest, number) if row else None

    def sample_images(self, fingerprint: str, digest: str) -> dict[int, Image.Image]:
        """All pictures of a model under one probe set, by probe number."""
        rows = self._connection.execute(
            "SELECT number, webp FROM sample WHERE fingerprint = ? AND digest = ? ORDER BY number",
            (fingerprint, digest),
        )
        found = ((number, self._shown(webp, fingerprint, digest, number)) for number, webp in rows)
        return {number: records.from_webp(webp) for number, webp in found if webp is not None}

    @cached_property
    def _pictures(self) -> PictureStore | None:
        """Where pictures are that are not in the table."""
        url = self.setting(PICTURES)
        return PictureStore(url) if url else None

    def _shown(self, webp: bytes, fingerprint: str, digest: str, number: int) -> bytes | None:
        return self._pictures.get(fingerprint, digest, number) if not webp and self._pictures else webp

    def parcel(self, fingerprints: Sequence[str], texts_of: str | None = None) -> Parcel:
        """All that was generated from some models, for another catalog; with an encoder's features of texts."""
        parcel = parcels.packed(self._connection, fingerprints, texts_of)
        return parcels.with_pictures(parcel, self._pictures) if self._pictures else parcel

    def take_in(self, parcel: Parcel) -> None:
        """What another catalog has measured; the same twice is the same as once."""
        if self._pictures and parcel:
            parcel = parcels.without_pictures(parcel, self._pictures, self.sample_numbers)
        with self.transaction():
            stamp = self._revised("specification")
            self._changed += parcels.unpacked(self._connection, parcel, stamp)

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

    def drop_text_features(self, encoder: str, texts: Sequence[str]) -> None:
        with self.transaction():
            self._connection.executemany(
                "DELETE FROM text_feature WHERE encoder = ? AND text = ?", ((encoder, text) for text in texts)
            )

    def put_failure(self, fingerprint: str, reason: str) -> None:
        with self.transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO failure (fingerprint, reason) VALUES (?, ?)", (fingerprint, reason)
            )

    def failures(self) -> dict[str, str]:
        """Why a model could not be generated from, by fingerprint."""
        return dict(self._connection.execute("SELECT fingerprint, reason FROM failure"))

    def put_setting(self, name: str, value: str) -> None:
        """A file that one names is kept with a server's catalog, for all who read it."""
        if self._shared and value and name in ANSWERING:
            value = self._shared.keep(value)
        with self.transaction():
            self._connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))

    def setting(self, name: str) -> str | None:
        row = self._connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        if self._shared and row and row[0] and name in ANSWERING:
            self._shared.fetch(row[0])
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
