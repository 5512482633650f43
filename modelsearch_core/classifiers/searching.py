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
from ..places import Place, catalog_place, expanded
from ..ranking import rank
from ..scores.calibration import WEAK_BELOW, relevance
from ..scores.logits import suggested_threshold, truncated_distance
from .concepts import described, picture_concept, text_features
from .derived import Derived
from .matches import OutputMatch
from .outputs import Model, read_outputs
from .probe_pictures import standardised_cosines
from .probing import Unit, from_logit
from .scoring import Concept, Scoring

SHOWN = 4

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

    @cached_property
    def _derived(self) -> Derived:
        return Derived(self._catalog, self.outputs, self.encoder)

    @cached_property
    def _scoring(self) -> Scoring:
        return Scoring(self.outputs, self._derived)

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
        rows = self._scoring.worth_a_look(concepts, self._allowed(kind, folder, among), k)
        total = self._scoring.total(concepts, rows)
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
        return self._scoring.total(self._concepts(query), np.arange(len(self.outputs)), labels=labels)

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
        top = self.outputs.top(np.asarray(rows))
        distance = truncated_distance(top, self._derived.z_background)
        names = [name.removeprefix("a picture of ") for name in self._derived.background_names]
        return [[names[b] for b in np.argsort(column)[:count]] for column in distance.T]

    @property
    def agreements(self) -> NDArray[np.float64]:
        """(models,) how far each file's labels are borne out; NaN without labels, `UNTRIED` of one never asked."""
        return self._derived.agreements

    def _concepts(self, query: ConceptQuery) -> list[Concept]:
        """What is wanted first, texts before pictures; then what is not."""
        wanted = [self._concept(self._text_feature(text), 1.0, said=True) for text in query.text]
        if query.images:
            wanted.append(self._concept(picture_concept(self.encoder, query.images), 1.0))
        return wanted + [self._concept(self._text_feature(text), -1.0) for text in query.without]

    def _concept(self, feature: Features, weight: float, *, said: bool = False) -> Concept:
        z = standardised_cosines(self._derived.features, feature[None])[0]
        return Concept(feature=feature, z=z, weight=weight, said=said)

    def _text_feature(self, text: str) -> Features:
        return text_features(self._catalog, self.encoder, [described(text)], keep=False)[0]

    def _allowed(
        self, kind: str | None, folder: Path | None, among: Collection[Path] | None
    ) -> NDArray[np.bool_] | None:
        """(L,); None: all are."""
        if kind is None and folder is None and among is None:
            return None
        places = set(among) if among is not None else None
        inside = expanded(folder).absolute() if folder else None

        def fits(model: Model) -> bool:
            paths = [model.file.path, *model.copies]
            return (
                (kind is None or model.file.kind.value == kind)
                and (places is None or any(path in places for path in paths))
                and (inside is None or any(inside in path.parents for path in paths))
            )

        return np.array([fits(model) for model in self.outputs.models], bool)[self.outputs.owner]

    def _thresholds(self, order: NDArray[np.integer], z_concept: Features) -> list[float | None]:
        values = suggested_threshold(self.outputs.top(order), z_concept) if len(order) else []
        return [float(v) if self.outputs.has_responses[row] else None for v, row in zip(values, order, strict=True)]

    def _match(self, place: int, row: int, score: float, how_relevant: float, threshold: float | None) -> OutputMatch:
        o = self.outputs
        model = o.models[o.owner[row]]
        known = self.agreements[o.owner[row]]
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
            probes=o.most_exciting(row, SHOWN) if o.has_responses[row] else (),
            threshold=None
            if threshold is None or model.unit is None
            else from_logit(sign * threshold, Unit(model.unit)),
            unit=model.unit,
            note=model.note if model.asked else model.failure or "",
        )
