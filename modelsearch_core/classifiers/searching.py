"""Which output of which classifier knows a concept, that is told in words or shown in pictures."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..catalog import Catalog
from ..embedding import Encoder, Features
from ..errors import UnknownModelError
from ..places import Place, catalog_place
from ..ranking import combine, rank
from ..scores.calibration import WEAK_BELOW, Background, location_and_scale, relevance
from ..scores.calibration import background as background_of
from ..scores.logits import Top, hubness, suggested_threshold, truncated_distance
from .concepts import background_features, described, picture_concept, text_features
from .indexing import background_z
from .labels import UNTRIED, agreement
from .matches import OutputMatch
from .outputs import Model, Outputs, read_outputs
from .probe_pictures import probe_features, standardised_cosines
from .probing import Unit, from_logit

SHOWN = 4
SAMPLE = 4000  # outputs that background concepts are compared with, to know what an ordinary distance is
WORDS = 1.0  # of a label beside responses, in a file whose labels are all borne out

Array = NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class ConceptQuery:
    """What an output is to know: texts, and pictures that all show it. `without` are texts that it must not be."""

    text: Sequence[str] = ()
    images: Sequence[Image.Image] = ()
    without: Sequence[str] = field(default=())

    def __post_init__(self) -> None:
        if not self.text and not self.images:
            raise ValueError("a search among classifiers needs a text or an image")


class ClassifierIndex:
    """A catalog's outputs and the encoder that reads concepts. Read-only, safe while another process indexes."""

    def __init__(
        self,
        catalog: Catalog,
        encoder: Encoder | None = None,
        *,
        device: str = "auto",
        open_encoder: Callable[[str], Encoder] | None = None,
    ) -> None:
        self._catalog = catalog
        self._given, self._device, self._open = encoder, device, open_encoder
        self._version = catalog.version()
        self.outputs = read_outputs(catalog)

    @classmethod
    def open(
        cls,
        path: str | Place,
        *,
        encoder: Encoder | None = None,
        device: str = "auto",
        open_encoder: Callable[[str], Encoder] | None = None,
    ) -> ClassifierIndex:
        """EmptyCatalogError where no classifier was indexed; the others as `ModelIndex.open`."""
        return cls(Catalog(catalog_place(path), read_only=True), encoder, device=device, open_encoder=open_encoder)

    def close(self) -> None:
        self._catalog.close()

    def __enter__(self) -> ClassifierIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def changed(self) -> bool:
        """Whether another connection has written since this was opened."""
        return self._catalog.version() != self._version

    @cached_property
    def encoder(self) -> Encoder:
        """Opened when a concept has to be encoded for the first time."""
        if self._given is not None:
            return self._given
        source = self._catalog.encoders()[0][1]
        if self._open is not None:
            return self._open(source)
        from ..encoders import open_encoder  # brings torch along

        return open_encoder(source, device=self._device)

    def search(
        self,
        query: ConceptQuery,
        *,
        kind: str | None = None,
        folder: Path | None = None,
        among: Collection[Path] | None = None,
        k: int = 10,
    ) -> list[OutputMatch]:
        """The k outputs that know the concept best. `among` are the only files that count, for a host's own list."""
        total, z_concept = self._total(query)
        allowed = self._allowed(kind, folder, among)
        order = rank(np.where(allowed, total, np.nan), int((allowed & ~np.isnan(total)).sum()))[:k]
        how_relevant = relevance(total, self._best)
        thresholds = self._thresholds(order, z_concept)
        return [
            self._match(place, int(row), float(total[row]), float(how_relevant[row]), thresholds[place - 1])
            for place, row in enumerate(order, 1)
        ]

    def scores(self, query: ConceptQuery, *, labels: bool = True) -> Array:
        """(L,) standardised scores of all outputs, for evaluation; without what files call them where that is asked."""
        return self._total(query, labels=labels)[0]

    def called(self, name: str) -> list[Model]:
        """The classifiers of that path, fingerprint, name or title."""
        wanted = name.casefold()

        def fits(model: Model) -> bool:
            file, paths = model.file, (model.file.path, *model.copies)
            words = (
                file.fingerprint,
                model.name.casefold(),
                file.title.casefold(),
                *(str(p).casefold() for p in paths),
            )
            return wanted in words or Path(name).absolute() in paths

        return [model for model in self.outputs.models if fits(model)]

    def model(self, name: str) -> Model:
        """The one that is `called` so. UnknownModelError if not just one."""
        same = self.called(name)
        if len(same) == 1:
            return same[0]
        if not same:
            raise UnknownModelError(f"no classifier of the index is called {name!r}; `modelsearch list` names them")
        paths = ", ".join(str(m.file.path) for m in same[:5])
        raise UnknownModelError(f"{len(same)} classifiers are called {name!r}: {paths}; give the path")

    def probe(self, number: int) -> Image.Image:
        """One of the probe pictures, as `OutputMatch.probes` numbers them."""
        return self.outputs.probes.picture(number)

    def words(self, rows: Sequence[int], count: int = 1) -> list[list[str]]:
        """The background concepts that outputs are nearest to: what they seem to be for, in words."""
        top = _rows(self.outputs, np.asarray(rows))
        distance = truncated_distance(top, self._z_background)
        names = [name.removeprefix("a picture of ") for name in self._background_names]
        return [[names[b] for b in np.argsort(column)[:count]] for column in distance.T]

    @cached_property
    def agreements(self) -> NDArray[np.float64]:
        """(models,) how far each file's labels are borne out; NaN without labels, `UNTRIED` of one never asked."""
        found = np.full(len(self.outputs.models), np.nan)
        for m, model in enumerate(self.outputs.models):
            rows = np.array([row for row in model.rows if self.outputs.label_of[row] >= 0], int)
            if len(rows):
                found[m] = self._agreement(rows) if model.descriptor else UNTRIED
        return found

    def _agreement(self, rows: NDArray[np.int_]) -> float:
        z_labels = standardised_cosines(self._features, self._label_features[self.outputs.label_of[rows]])
        top = _rows(self.outputs, rows)
        return max(0.0, agreement(top, z_labels, self._z_background, self._hubs[rows]))

    # scores

    def _total(self, query: ConceptQuery, *, labels: bool = True) -> tuple[Array, Features]:
        """z of all outputs, and the concepts' z over the probes (C, n), texts first."""
        experts: list[tuple[Array, float]] = []
        z_concepts: list[Features] = []
        for text in query.text:
            z_concepts.append(self._z_of(feature := self._text_feature(text)))
            measured = self._measured(z_concepts[-1])
            experts.append((self._with_words(measured, feature) if labels else measured, 1.0))
        if query.images:
            z_concepts.append(self._z_of(picture_concept(self.encoder, query.images)))
            experts.append((self._measured(z_concepts[-1]), 1.0))
        experts += [(self._measured(self._z_of(self._text_feature(text))), -1.0) for text in query.without]
        return combine(experts), np.stack(z_concepts)

    def _text_feature(self, text: str) -> Features:
        return text_features(self._catalog, self.encoder, [described(text)], keep=False)[0]

    def _z_of(self, concept: Features) -> Features:
        return standardised_cosines(self._features, concept[None])[0]

    def _measured(self, z_concept: Features) -> Array:
        """(L,): standardised, calibrated nearness; NaN where an output was never asked."""
        nearness = self._hubs - truncated_distance(self.outputs.top, z_concept)[0]
        location, scale = self._ordinary
        return np.where(self.outputs.asked, (nearness - location) / scale, np.nan)

    def _with_words(self, measured: Array, concept: Features) -> Array:
        """Labels speak for an output, never against it, and as loudly as their file's labels are borne out."""
        if not len(self.outputs.labels):
            return measured
        fit = self._label_features @ np.asarray(concept, np.float32)
        location, scale = self._ordinary_words
        z = np.append(np.maximum((fit - location) / scale, 0), 0)[self.outputs.label_of]
        weight = np.nan_to_num(self.agreements)[self.outputs.owner] * WORDS
        labelled = self.outputs.label_of >= 0
        return np.where(~self.outputs.asked & ~labelled, np.nan, np.nan_to_num(measured) + weight * z)

    def _allowed(self, kind: str | None, folder: Path | None, among: Collection[Path] | None) -> NDArray[np.bool_]:
        places = set(among) if among is not None else None
        inside = folder.expanduser().absolute() if folder else None

        def fits(model: Model) -> bool:
            paths = [model.file.path, *model.copies]
            return (
                (kind is None or model.file.kind.value == kind)
                and (places is None or any(path in places for path in paths))
                and (inside is None or any(inside in path.parents for path in paths))
            )

        return np.array([fits(model) for model in self.outputs.models], bool)[self.outputs.owner]

    def _thresholds(self, order: NDArray[np.intp], z_concepts: Features) -> list[float | None]:
        values = suggested_threshold(_rows(self.outputs, order), z_concepts[0]) if len(order) else []
        return [float(v) if self.outputs.asked[row] else None for v, row in zip(values, order, strict=True)]

    def _match(self, place: int, row: int, score: float, how_relevant: float, threshold: float | None) -> OutputMatch:
        o = self.outputs
        model = o.models[o.owner[row]]
        known = self.agreements[o.owner[row]]
        unit = model.descriptor.unit if model.descriptor else None
        sign = int(o.sign[row])
        return OutputMatch(
            rank=place,
            id=model.file.fingerprint,
            name=model.name,
            title=model.file.title,
            path=model.file.path,
            copies=model.copies,
            kind=model.file.kind.value,
            output=int(o.number[row]),
            turned=sign < 0,
            label=o.label(row),
            score=score,
            relevance=how_relevant,
            weak=how_relevant <= WEAK_BELOW,
            agreement=None if np.isnan(known) else float(known),
            evidence="responses" if o.asked[row] else "labels",
            probes=tuple(int(i) for i in o.top.a[row][:SHOWN]) if o.asked[row] else (),
            threshold=None if threshold is None or unit is None else from_logit(sign * threshold, Unit(unit)),
            unit=unit,
            note=model.descriptor.note if model.descriptor else model.failure or "",
        )

    # what is derived once

    @cached_property
    def _features(self) -> Features:
        return probe_features(self._catalog, self.outputs.probes, self.encoder)

    @cached_property
    def _z_background(self) -> Features:
        return background_z(self._catalog, self.outputs.probes, self.encoder, keep=False)

    @property
    def _background_names(self) -> list[str]:
        from ..background import background_texts
        from .concepts import BACKGROUND

        return background_texts(BACKGROUND)

    @cached_property
    def _known_hubs(self) -> dict[str, tuple[Array, Array]]:
        known = self._catalog.classifiers.hubs(self.outputs.probes.digest, self.encoder.name)
        return {fingerprint: (hubs.hubs, hubs.best) for fingerprint, hubs in known.items()}

    @cached_property
    def _hubs(self) -> Array:
        """(L,); computed here for a model whose indexing was interrupted."""
        hubs = np.zeros(len(self.outputs), np.float32)
        for model in self.outputs.models:
            if model.descriptor:
                rows = slice(model.rows.start, model.rows.stop)
                known = self._known_hubs.get(model.file.fingerprint)
                hubs[rows] = (
                    known[0] if known else hubness(truncated_distance(model.descriptor.top, self._z_background))
                )
        return hubs

    @cached_property
    def _ordinary(self) -> tuple[float, float]:
        """Location and scale of calibrated nearness to background concepts, from a sample of outputs."""
        rows = np.flatnonzero(self.outputs.asked)
        rows = rows[np.sort(np.random.default_rng(0).permutation(len(rows))[:SAMPLE])]
        if not len(rows):
            return 0.0, 1.0
        near = self._hubs[rows] - truncated_distance(_rows(self.outputs, rows), self._z_background[::5])
        return location_and_scale(near)

    @cached_property
    def _best(self) -> Background:
        """How good the best output of a background concept is."""
        best = [known[1] for known in self._known_hubs.values()]
        location, scale = self._ordinary
        if not best:
            return Background(0.0, 1.0)
        nearest = np.min(best, axis=0)
        return background_of(((-nearest - location) / scale)[:, None])

    @cached_property
    def _label_features(self) -> Features:
        if not self.outputs.labels:
            return np.zeros((0, self.encoder.dimension), np.float32)
        return text_features(self._catalog, self.encoder, [described(t) for t in self.outputs.labels], keep=False)

    @cached_property
    def _ordinary_words(self) -> tuple[float, float]:
        background = background_features(self._catalog, self.encoder, keep=False)
        sample = np.random.default_rng(0).permutation(len(self.outputs.labels))[:SAMPLE]
        fit = self._label_features[sample] @ background.T
        return location_and_scale(fit)


def _rows(outputs: Outputs, rows: NDArray[np.integer]) -> Top:
    return outputs.top._replace(
        a=outputs.top.a[rows],
        z=outputs.top.z[rows],
        mean=outputs.top.mean[rows],
        deviation=outputs.top.deviation[rows],
    )
