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
from ..scores.calibration import WEAK_BELOW, relevance
from ..scores.logit_candidates import candidates, estimated_distance
from ..scores.logits import suggested_threshold, truncated_distance
from .concepts import described, picture_concept, text_features
from .derived import Derived, rows_of
from .matches import OutputMatch
from .outputs import Model, read_outputs
from .probe_pictures import standardised_cosines
from .probing import Unit, from_logit

SHOWN = 4
ALL_LOOKED_AT = 100_000  # outputs that are all judged by all of their probes
NEAR_LABELS = 20  # whose outputs are judged, whatever they answered, where there are more
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


@dataclass(frozen=True, kw_only=True)
class _Concept:
    """One part of a query. `said`: in words, so that labels may speak for an output."""

    feature: Features  # (D,)
    z: Features  # (n,) over the probes
    weight: float
    said: bool


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

    @cached_property
    def _derived(self) -> Derived:
        return Derived(self._catalog, self.outputs, self.encoder)

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
        concepts = self._concepts(query)
        rows = self._worth_a_look(concepts, self._allowed(kind, folder, among))
        total = self._total(concepts, rows)
        places = rank(total, int((~np.isnan(total)).sum()))[:k]
        order, how_relevant = rows[places], relevance(total[places], self._derived.best)
        thresholds = self._thresholds(order, concepts[0].z)
        found = zip(order, total[places], how_relevant, thresholds, strict=True)
        return [
            self._match(place, int(row), float(score), float(relevant), threshold)
            for place, (row, score, relevant, threshold) in enumerate(found, 1)
        ]

    def scores(self, query: ConceptQuery, *, labels: bool = True) -> Array:
        """(L,) standardised scores of all outputs, for evaluation; without what files call them where that is asked."""
        return self._total(self._concepts(query), np.arange(len(self.outputs)), labels=labels)

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
        top = rows_of(self.outputs, np.asarray(rows))
        distance = truncated_distance(top, self._derived.z_background)
        names = [name.removeprefix("a picture of ") for name in self._derived.background_names]
        return [[names[b] for b in np.argsort(column)[:count]] for column in distance.T]

    @property
    def agreements(self) -> NDArray[np.float64]:
        """(models,) how far each file's labels are borne out; NaN without labels, `UNTRIED` of one never asked."""
        return self._derived.agreements

    # scores

    def _concepts(self, query: ConceptQuery) -> list[_Concept]:
        """What is wanted first, texts before pictures; then what is not."""
        wanted = [self._concept(self._text_feature(text), 1.0, said=True) for text in query.text]
        if query.images:
            wanted.append(self._concept(picture_concept(self.encoder, query.images), 1.0))
        return wanted + [self._concept(self._text_feature(text), -1.0) for text in query.without]

    def _concept(self, feature: Features, weight: float, *, said: bool = False) -> _Concept:
        z = standardised_cosines(self._derived.features, feature[None])[0]
        return _Concept(feature=feature, z=z, weight=weight, said=said)

    def _text_feature(self, text: str) -> Features:
        return text_features(self._catalog, self.encoder, [described(text)], keep=False)[0]

    def _worth_a_look(self, concepts: Sequence[_Concept], allowed: NDArray[np.bool_] | None) -> NDArray[np.intp]:
        """Outputs, in their order: all that are allowed, or those of a great many that may be among the best."""
        if allowed is not None and (rows := np.flatnonzero(allowed)).size <= ALL_LOOKED_AT:
            return rows
        if len(self.outputs) <= ALL_LOOKED_AT:
            return np.arange(len(self.outputs))
        able = self.outputs.has_responses if allowed is None else self.outputs.has_responses & allowed
        wanted = [concept for concept in concepts if concept.weight > 0]
        distances = (estimated_distance(self._derived.prefix, concept.z) for concept in wanted)
        near = [np.where(able, self._derived.hubs - distance, -np.inf) for distance in distances]
        called = self._called(wanted) if allowed is None else self._called(wanted) & allowed
        return np.union1d(candidates(near), np.flatnonzero(called))

    def _called(self, concepts: Sequence[_Concept]) -> NDArray[np.bool_]:
        """(L,) whether an output bears one of the labels that are nearest to what was said."""
        near = np.zeros(len(self.outputs.labels) + 1, bool)  # the last: no label
        for concept in concepts:
            if concept.said and len(self.outputs.labels):
                near[rank(self._derived.label_features @ concept.feature, NEAR_LABELS)] = True
        return near[self.outputs.label_of]

    def _total(self, concepts: Sequence[_Concept], rows: NDArray[np.integer], *, labels: bool = True) -> Array:
        """(rows,): standardised scores, NaN where nothing is known of an output."""
        experts: list[tuple[Array, float]] = []
        for concept in concepts:
            measured = self._measured(concept.z, rows)
            said = concept.said and labels
            experts.append((self._with_words(measured, concept.feature, rows) if said else measured, concept.weight))
        return combine(experts)

    def _measured(self, z_concept: Features, rows: NDArray[np.integer]) -> Array:
        """(rows,): standardised, calibrated nearness; NaN where an output was never asked."""
        nearness = self._derived.hubs[rows] - truncated_distance(rows_of(self.outputs, rows), z_concept)[0]
        location, scale = self._derived.ordinary
        return np.where(self.outputs.has_responses[rows], (nearness - location) / scale, np.nan)

    def _with_words(self, measured: Array, concept: Features, rows: NDArray[np.integer]) -> Array:
        """Labels speak for an output, never against it, and as loudly as their file's labels are borne out."""
        if not len(self.outputs.labels):
            return measured
        fit = self._derived.label_features @ np.asarray(concept, np.float32)
        location, scale = self._derived.ordinary_words
        label_of = self.outputs.label_of[rows]
        z = np.append(np.maximum((fit - location) / scale, 0), 0)[label_of]
        weight = np.nan_to_num(self.agreements)[self.outputs.owner[rows]] * WORDS
        unknown = ~self.outputs.has_responses[rows] & (label_of < 0)
        return np.where(unknown, np.nan, np.nan_to_num(measured) + weight * z)

    def _allowed(
        self, kind: str | None, folder: Path | None, among: Collection[Path] | None
    ) -> NDArray[np.bool_] | None:
        """(L,); None: all are."""
        if kind is None and folder is None and among is None:
            return None
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

    def _thresholds(self, order: NDArray[np.integer], z_concept: Features) -> list[float | None]:
        values = suggested_threshold(rows_of(self.outputs, order), z_concept) if len(order) else []
        return [float(v) if self.outputs.has_responses[row] else None for v, row in zip(values, order, strict=True)]

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
            evidence="responses" if o.has_responses[row] else "labels",
            probes=tuple(int(i) for i in o.top.a[row][:SHOWN]) if o.has_responses[row] else (),
            threshold=None if threshold is None or unit is None else from_logit(sign * threshold, Unit(unit)),
            unit=unit,
            note=model.descriptor.note if model.descriptor else model.failure or "",
        )
