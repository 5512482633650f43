"""What answers are measured by, as it is stored: worked out while indexing, so that a first answer need not.

Kept by fingerprint: what has come since is measured when it counts, what is gone is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..catalog import Catalog
from ..catalog.arrays import from_blob, to_blob
from ..catalog.packing import from_array, to_array
from ..collection import Collection
from ..embedding import unit
from ..model_files import Kind
from ..specification import EVIDENCE_ORDER, Modality
from .banks import Queries
from .yardstick import Measures, Scores, Taken

NAME, VERSION = "yardsticks", 8
LEAST_KNOWN = 0.5  # of the models: below it, what is stored is of another collection
LEVELS, UNKNOWN = 127, -128  # of a byte
STALE = 0.05  # share of models new or gone from which on indexing works it out again
NUMBERED = [*EVIDENCE_ORDER, *Kind]  # whose places number the groups
Arrays = Mapping[str, NDArray[np.floating]]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """`sampled` (n,) are rows of the collection; `measures`, and what is taken off, `biases` (M,), by
    "modality.method"."""

    sampled: NDArray[np.intp]
    banks: Mapping[str, Queries]
    measures: Mapping[str, Measures]
    biases: Arrays
    blob: bytes = b""

    @classmethod
    def of(
        cls,
        collection: Collection,
        sampled: NDArray[np.intp],
        *,
        banks: Mapping[str, Queries],
        measures: Mapping[str, Measures],
        biases: Mapping[str, NDArray[np.floating] | None],
    ) -> Measured:
        """Of a collection, to be stored."""
        known = {name: bias for name, bias in biases.items() if bias is not None}
        fingerprints = [entry.fingerprint for entry in collection.entries]
        arrays: dict[str, NDArray[Any]] = {"models": _text(fingerprints), "groups": collection.groups}
        arrays |= {"numbered": _text(NUMBERED)}
        arrays |= {"sampled": sampled}
        arrays |= {"learned": _text([str(collection.catalog.setting("matching"))])}
        for name, of in measures.items():
            scales = [(group, *scale) for group, scale in of.scales.items() if scale is not None]
            arrays[f"scales.{name}"] = np.array(scales, np.float64).reshape(-1, 3)
            arrays |= _in_steps(f"z.{name}", of.z)
            arrays[f"rule.{name}"] = np.array([of.rule])
            if of.bias is not None:
                arrays[f"own_bias.{name}"] = np.asarray(of.bias, np.float64)
        arrays |= {f"bias.{name}": np.asarray(rows, np.float32) for name, rows in known.items()}
        for name, queries in banks.items():
            assert queries.owner is not None
            arrays[f"bank.{name}.h"] = to_array(queries.h)
            arrays[f"bank.{name}.owner"] = queries.owner
            arrays[f"bank.{name}.views"] = np.array([queries.views])
            arrays[f"bank.{name}.folds"] = np.full(len(queries), -1) if queries.folds is None else queries.folds
            arrays[f"bank.{name}.prompts"] = _text(queries.prompt_texts or [""] * len(queries))
        return cls(sampled=sampled, banks=banks, measures=measures, biases=known, blob=to_blob(arrays))

    def store(self, catalog: Catalog, encoder: str) -> None:
        catalog.statistics.put_of_collection(encoder, NAME, VERSION, self.blob)


def stored(collection: Collection) -> Measured | None:
    """What indexing has prepared, in the rows of this collection; None where it is of another one."""
    blob = collection.catalog.statistics.of_collection(collection.encoder, NAME, VERSION)
    if blob is None or not collection.is_whole:
        return None
    arrays = from_blob(blob)
    if _words(arrays["learned"]) != [str(collection.catalog.setting("matching"))]:
        return None
    if _words(arrays["numbered"]) != NUMBERED:
        return None
    fingerprints = _words(arrays["models"])
    rows = np.array([collection.row_of.get(fingerprint, -1) for fingerprint in fingerprints], np.intp)
    same = rows >= 0
    same[same] = collection.groups[rows[same]] == arrays["groups"][same]
    if same.sum() < LEAST_KNOWN * max(len(collection), len(fingerprints)):
        return None
    if not set(np.unique(collection.groups)) <= set(arrays["groups"][arrays["sampled"]]):
        return None  # a group that was never asked
    place = np.asarray(arrays["sampled"], np.intp)
    kept = same[place]
    return Measured(
        sampled=rows[place[kept]],
        banks=_banks(arrays, rows),
        measures=_measures(arrays, kept),
        biases={
            name.removeprefix("bias."): _placed(np.asarray(array), rows, len(collection))
            for name, array in arrays.items()
            if name.startswith("bias.")
        },
    )


def is_stale(collection: Collection) -> bool:
    """Whether so much has come or gone that it is worth while to work it out again."""
    blob = collection.catalog.statistics.of_collection(collection.encoder, NAME, VERSION)
    if blob is None:
        return True
    known = from_blob(blob)
    then = dict(zip(_words(known["models"]), known["groups"].tolist(), strict=True))
    now = {entry.fingerprint: int(group) for entry, group in zip(collection.entries, collection.groups, strict=True)}
    changed = len(then.items() ^ now.items())
    return changed > STALE * len(now) or not set(now.values()) <= set(then.values()) or stored(collection) is None


def _measures(arrays: Mapping[str, NDArray[Any]], kept: NDArray[np.bool_]) -> dict[str, Measures]:
    found: dict[str, Measures] = {}
    for name in (name.removeprefix("z.") for name in arrays if name.startswith("z.")):
        scales = {int(group): (float(at), float(scale)) for group, at, scale in arrays[f"scales.{name}"]}
        bias = arrays.get(f"own_bias.{name}")
        z = _from_steps(arrays, f"z.{name}", kept)
        rule = Taken(int(arrays[f"rule.{name}"][0]))
        found[name] = Measures(dict(scales), None if bias is None else bias[kept], z, rule)
    return found


def _banks(arrays: Mapping[str, NDArray[Any]], rows: NDArray[np.intp]) -> dict[str, Queries]:
    found: dict[str, Queries] = {}
    for modality in (Modality.IMAGE, Modality.SKETCH):
        name = f"bank.{modality.value}"
        if f"{name}.h" in arrays:
            owner = np.asarray(arrays[f"{name}.owner"], np.intp)
            found[modality.value] = Queries(
                modality=modality,
                h=unit(from_array(arrays[f"{name}.h"])),
                owner=rows[owner],
                prompt_texts=_words(arrays[f"{name}.prompts"]),
                folds=np.asarray(arrays[f"{name}.folds"], np.intp),
                views=int(arrays[f"{name}.views"][0]),
            )
    return found


def _in_steps(name: str, z: Scores) -> dict[str, NDArray[Any]]:
    """A byte a number: these z say how good unrelated queries' best matches are, and a step is a twentieth. Each model
    has its own: one that makes nothing but black pictures lies far below the others."""
    known = np.isfinite(z)
    largest = np.max(np.abs(z), axis=0, initial=0, where=known)
    step = np.where(largest > 0, largest / LEVELS, 1).astype(np.float32)
    q = np.where(known, np.rint(np.where(known, z, 0) / step), UNKNOWN)
    return {name: q.astype(np.int8), f"step.{name}": step}


def _from_steps(arrays: Mapping[str, NDArray[Any]], name: str, kept: NDArray[np.bool_]) -> Scores:
    """(B, n), of the sampled models that are `kept`."""
    stored = arrays[name] if kept.all() else arrays[name][:, kept]
    if stored.dtype != np.int8:
        return stored  # by an older version
    z = stored.astype(np.float32)
    z[stored == UNKNOWN] = np.nan
    return z * np.broadcast_to(arrays[f"step.{name}"], len(kept))[kept]


def _placed(values: NDArray[Any], rows: NDArray[np.intp], M: int) -> NDArray[np.floating]:
    placed = np.full(M, np.nan)
    placed[rows[rows >= 0]] = values[rows >= 0]
    return placed


def _text(words: Sequence[str]) -> NDArray[np.uint8]:
    """Texts as bytes, since arrays of objects would be pickled."""
    return np.frombuffer("\0".join(words).encode(), np.uint8)


def _words(array: NDArray[Any]) -> list[str]:
    return np.asarray(array, np.uint8).tobytes().decode().split("\0")
