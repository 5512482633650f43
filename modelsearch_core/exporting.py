"""Means, directions and words of every model as a Parquet file, for whatever other engine searches them.

A row a model: `mean` and `drawn_mean` of its pictures and their line drawings, `direction` from what its base (else the
collection) makes of the same probes, `words` the mean of what its author says; each of unit length, float32 (D,), null
where there is nothing. The file's metadata name the encoder whose space that is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .embedding import Features, unit
from .errors import ModelSearchError
from .scores import content
from .search import Description, ModelIndex
from .specification import EVIDENCE_ORDER

AT_ONCE = 10_000  # models in a group of rows
SHOWN = frozenset(each.value for each in EVIDENCE_ORDER if each.is_seen)  # what is known of a model's pictures


def export(index: ModelIndex, file: Path) -> int:
    """How many models. Raises ModelSearchError without pyarrow, or where the file cannot be written."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ModelSearchError("export needs the extra `parquet`: pip install pyarrow") from error
    models = index.models()
    if os.path.lexists(file) and not file.is_file():
        raise ModelSearchError(f"{file} is there already and is no file; name a new one")
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(part, _schema(index, pa), compression="zstd") as writer:
            for table in _tables(index, models, pa):
                writer.write_table(table)
        part.replace(file)
    except OSError as error:
        raise ModelSearchError(f"{file} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return len(models)


def _schema(index: ModelIndex, pa: Any) -> Any:
    texts, feature = pa.list_(pa.string()), pa.list_(pa.float32(), index.collection.dimension)
    fields = {name: pa.string() for name in ("fingerprint", "name", "title", "kind", "architecture", "lineage")}
    fields |= {"paths": texts, "evidence": pa.string(), "samples": pa.int64(), "trigger_words": texts, "tags": texts}
    fields |= {"description": pa.string(), "strength": pa.float64(), "reliability": pa.float64()}
    fields |= dict.fromkeys(("mean", "direction", "drawn_mean", "words"), feature)
    return pa.schema(list(fields.items()), metadata={"encoder": index.collection.encoder})


def _tables(index: ModelIndex, models: list[Description], pa: Any) -> Iterator[Any]:
    schema, features = _schema(index, pa), _features(index)
    for start in range(0, len(models), AT_ONCE):
        part = models[start : start + AT_ONCE]
        rows = np.array([index.collection.row_of.get(model.id, -1) for model in part])
        is_shown = np.array([model.evidence in SHOWN for model in part])
        rows_of = [_row(model) for model in part]
        columns = {name: pa.array([row[name] for row in rows_of], schema.field(name).type) for name in rows_of[0]}
        for name, (values, is_there) in features.items():
            known = (rows >= 0) & is_there[rows] & (is_shown | (name == "words"))
            columns[name] = _lists(unit(np.asarray(values[rows], np.float32)), known, pa)
        yield pa.table(columns, schema=schema)


def _features(index: ModelIndex) -> dict[str, tuple[Features, NDArray[np.bool_]]]:
    """(M, D) and whether a model has one, by name."""
    of, every = index.statistics, np.ones(len(index.collection), bool)
    features = {"mean": of.means, "direction": of.directions, "drawn_mean": of.drawn_means}
    return {name: (values, every) for name, values in features.items()} | {"words": _words(index)}


def _words(index: ModelIndex) -> tuple[Features, NDArray[np.bool_]]:
    said = index.collection.words
    is_there = np.diff(said.offsets) > 0
    means = np.zeros((len(is_there), index.collection.dimension), np.float32)
    if is_there.any():
        offsets = np.append(said.offsets[:-1][is_there], said.offsets[-1])
        means[is_there] = content.means(said.Z, offsets)
    return means, is_there


def _row(model: Description) -> dict[str, object]:
    return {
        "fingerprint": model.id,
        "name": model.name,
        "title": model.title,
        "kind": model.kind,
        "architecture": model.architecture,
        "lineage": model.lineage,
        "paths": [str(path) for path in model.paths],
        "evidence": model.evidence,
        "samples": model.samples,
        "trigger_words": list(model.trigger_words),
        "tags": list(model.tags),
        "description": model.description,
        "strength": model.strength,
        "reliability": model.reliability,
    }


def _lists(values: Features, known: NDArray[np.bool_], pa: Any) -> Any:
    flat = pa.array(np.ascontiguousarray(values, np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1], mask=pa.array(~known))
