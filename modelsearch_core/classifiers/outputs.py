"""All outputs of all classifiers of a catalog in arrays, read at one moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..catalog import Catalog
from ..catalog.classifiers import Descriptor
from ..errors import EmptyCatalogError
from ..model_files import SkippedFile
from ..scores.logit_candidates import Layer, empty_layers, fill_layers
from ..scores.logits import Top
from .files import ClassifierFile, from_json
from .probe_pictures import ProbePictures, probes_in_use


@dataclass(frozen=True, kw_only=True)
class Model:
    """A classifier with its copies, whether it was asked, and where its outputs stand in the arrays."""

    file: ClassifierFile
    copies: tuple[Path, ...]
    unit: str | None  # of its responses; None: never asked
    note: str
    failure: str | None
    rows: range

    @property
    def asked(self) -> bool:
        return self.unit is not None

    @property
    def name(self) -> str:
        """The file's own, or the folder's where the file is called `model` or the like."""
        return self.file.title or self.file.path.stem

    def to_json(self) -> dict[str, Any]:
        """What a list of classifiers says of it."""
        return {
            "id": self.file.fingerprint,
            "name": self.name,
            "path": str(self.file.path),
            "copies": [str(path) for path in self.copies],
            "kind": self.file.kind.value,
            "form": self.file.form.value,
            "evidence": "responses" if self.asked else "labels" if self.rows else None,
            "outputs": len(self.rows),
            "note": (self.note if self.asked else self.failure) or None,
        }


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """L outputs. Those of a model that was never asked have labels only: what is kept of responses is zeros."""

    probes: ProbePictures
    models: tuple[Model, ...]
    owner: NDArray[np.int32]  # (L,) row in `models`
    number: NDArray[np.int32]  # (L,) within the model
    sign: NDArray[np.int8]  # (L,)
    layers: tuple[Layer, ...]  # of the r most exciting probes
    mean: NDArray[np.float32]  # (L,)
    deviation: NDArray[np.float32]  # (L,)
    has_responses: NDArray[np.bool_]  # (L,) whether there are responses that tell probes apart
    label_of: NDArray[np.int32]  # (L,) place in `labels`, -1: none
    labels: tuple[str, ...]  # each once
    skipped: tuple[SkippedFile, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.owner)

    def top(self, rows: NDArray[np.integer]) -> Top:
        """What is kept of these outputs' responses."""
        a, z = (
            np.concatenate([part.take(rows, axis=0) for part in parts], axis=1)
            for parts in zip(*self.layers, strict=True)
        )
        return Top(a, z, self.mean[rows], self.deviation[rows])

    def most_exciting(self, row: int, count: int) -> tuple[int, ...]:
        """The probes that excite an output most, the first of them first."""
        return tuple(int(probe) for probe in self.top(np.array([row])).a[0][:count])

    def label(self, row: int) -> str | None:
        place = int(self.label_of[row])
        return None if place < 0 else self.labels[place]


def read_outputs(catalog: Catalog) -> Outputs:
    """EmptyCatalogError where no classifier was indexed."""
    probes = probes_in_use(catalog)
    rows = catalog.classifiers.files()
    if probes is None or not rows:
        raise EmptyCatalogError(
            f"{catalog.path} holds no classifier yet; run `modelsearch index FOLDER --kind classifier`"
        )
    descriptors = {d.fingerprint: d for d in catalog.classifiers.descriptors(probes.digest)}
    failures = {row.fingerprint: row.failure for row in rows if row.fingerprint}
    records = [from_json(row.record) for row in rows]
    copies: dict[str, list[ClassifierFile]] = defaultdict(list)
    for file in records:
        if isinstance(file, ClassifierFile):
            copies[file.fingerprint].append(file)
    models: list[Model] = []
    start = 0
    for fingerprint, same in copies.items():
        descriptor = descriptors.get(fingerprint)
        count = len(descriptor.outputs) if descriptor else len(same[0].labels)
        models.append(
            Model(
                file=same[0],
                copies=tuple(file.path for file in same[1:]),
                unit=descriptor.unit if descriptor else None,
                note=descriptor.note if descriptor else "",
                failure=failures.get(fingerprint),
                rows=range(start, start + count),
            )
        )
        start += count
    return _arrays(probes, models, descriptors, tuple(file for file in records if isinstance(file, SkippedFile)))


def _arrays(
    probes: ProbePictures,
    models: list[Model],
    descriptors: Mapping[str, Descriptor],
    skipped: tuple[SkippedFile, ...],
) -> Outputs:
    L = models[-1].rows.stop if models else 0
    r = max((d.top.a.shape[1] for d in descriptors.values()), default=1)
    mean, deviation = np.zeros(L, np.float32), np.zeros(L, np.float32)
    layers = empty_layers(L, r)
    owner, number, sign = np.zeros(L, np.int32), np.zeros(L, np.int32), np.ones(L, np.int8)
    label_of = np.full(L, -1, np.int32)
    places: dict[str, int] = {}
    for m, model in enumerate(models):
        rows = slice(model.rows.start, model.rows.stop)
        owner[rows] = m
        number[rows] = np.arange(len(model.rows))
        if descriptor := descriptors.get(model.file.fingerprint):
            fill_layers(layers, rows, descriptor.top)
            mean[rows], deviation[rows] = descriptor.top.mean, descriptor.top.deviation
            number[rows], sign[rows] = descriptor.outputs, descriptor.signs
        labels = model.file.labels
        for row in model.rows:
            if number[row] < len(labels) and sign[row] > 0 and labels[number[row]]:
                label_of[row] = places.setdefault(labels[number[row]], len(places))
    return Outputs(
        probes=probes,
        models=tuple(models),
        owner=owner,
        number=number,
        sign=sign,
        layers=layers,
        mean=mean,
        deviation=deviation,
        has_responses=deviation > 0,
        label_of=label_of,
        labels=tuple(places),
        skipped=skipped,
    )
