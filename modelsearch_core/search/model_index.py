"""Open a catalog, ask it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..catalog import Catalog
from ..catalog.records import from_webp
from ..collection import Collection, Filters
from ..embedding import Encoder, ImageEncoder
from ..errors import EmptyCatalogError
from ..nearest import MANY
from ..places import Place, catalog_place
from ..ranking import diverse, rank
from ..scores.calibration import WEAK_BELOW, null_of, relevance
from ..scores.samples import one_thread
from ..specification import Requirement
from ..statistics import Statistics
from .answering import Answer, Answering, added
from .before_after import BeforeAfter, before_after
from .candidates import candidates
from .description import Description, describe_all
from .duplicates import NEARLY_THE_SAME, alike
from .kin import Kin, MergeOf, merges, near_by_weights, without_magnitude
from .matches import matches
from .measured import stored
from .methods import ALL_METHODS, AUTO_METHOD, METHODS, Wants, refuse_unknown
from .query import Match, Query
from .refining import respecting_layout
from .requirements import Reader, find_entry
from .text_features import TextFeatures
from .together import Asked, Together

log = logging.getLogger(__name__)
INDEX = "modelsearch index FOLDER"
WITH_STYLES = (AUTO_METHOD, "style")


class ModelIndex:
    """A catalog's arrays and the encoder that made them. Read-only, safe while another process indexes."""

    def __init__(
        self,
        catalog: Catalog,
        encoder: Encoder | None = None,
        *,
        spatial_encoder: ImageEncoder | None = None,
        device: str = "auto",
        open_encoder: Callable[[str], Encoder] | None = None,
    ) -> None:
        self._catalog = catalog
        self._given_encoder = encoder
        self._given_spatial = spatial_encoder
        self._spatial: dict[str, ImageEncoder] = {}
        self._open_encoder = open_encoder
        self._device = device
        self._version = catalog.version()
        self._load()

    @classmethod
    def open(
        cls,
        path: str | Place,
        *,
        encoder: Encoder | None = None,
        spatial_encoder: ImageEncoder | None = None,
        device: str = "auto",
        open_encoder: Callable[[str], Encoder] | None = None,
    ) -> ModelIndex:
        """EmptyCatalogError where there is nothing to search. `open_encoder` is called with the encoder's source when
        a text or a picture has to be encoded for the first time; `spatial_encoder` is what made the maps of layouts,
        where it is open already."""
        catalog = Catalog(catalog_place(path), read_only=True)
        return cls(catalog, encoder, spatial_encoder=spatial_encoder, device=device, open_encoder=open_encoder)

    def close(self) -> None:
        self._catalog.close()

    def __enter__(self) -> ModelIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def reload(self) -> bool:
        """Reads again what changes answers and was written meanwhile; whether there was anything."""
        version = self._catalog.version()
        if version == self._version:
            return False
        changed = self._catalog.state() != self.collection.state
        if changed:
            self._load()
        self._version = version
        return changed

    def renewed(self) -> ModelIndex:
        """Another index of the same catalog as it is now, which takes over what has not changed; this one goes on as
        it is, so that a thread may search it meanwhile. Whoever had this one closes it."""
        index = object.__new__(ModelIndex)
        index.__dict__.update(self.__dict__)
        index._catalog = Catalog(self._catalog.path, read_only=True)
        index._version = index._catalog.version()
        index._load()
        return index

    def is_current(self) -> bool:
        """Whether nothing was written since that changes answers."""
        return self._catalog.version() == self._version or self._catalog.state() == self.collection.state

    def warm(self) -> None:
        """Reads what a first answer by text needs, and what pictures are measured by."""
        _ = self.statistics.means, self.statistics.directions, self.collection.words
        self._answering.warm()

    def _load(self) -> None:
        name, self._encoder_source, dimension = self._encoder_record()
        before = self.__dict__.get("statistics")
        known = before if before is not None and before.collection.encoder == name else None
        earlier = None if before is None else before.collection
        self.collection = Collection(self._catalog, name, dimension, before=earlier)
        self.collection.open_encoder = lambda: self._given_encoder or self.__dict__.get("encoder")
        self.statistics = Statistics(self.collection, before=known)
        prepared = stored(self.collection)
        if prepared is None and not self.collection.is_small:
            log.info(
                "%s holds nothing of this version that answers are measured by: until `%s` has run, it is worked out "
                "of some models and of each question's candidates, a first picture takes seconds, and candidates are "
                "chosen without knowing all models that are near to every question",
                self._catalog.path,
                INDEX,
            )
        self._answering = Answering(self.statistics, prepared)
        self._texts = self._texts if known is not None else TextFeatures()
        self._reader = Reader(self.statistics, lambda: self.encoder, self._describe, self._texts)
        self._together = Together(self._answering, self._requirements, len(self.collection))

    def _encoder_record(self) -> tuple[str, str, int]:
        records = self._catalog.encoders()
        wanted = self._given_encoder.name if self._given_encoder else None
        for record in records:
            if wanted in (None, record[0]):
                return record
        known = ", ".join(name for name, _, _ in records) or "none"
        raise EmptyCatalogError(
            f"{self._catalog.path} holds nothing encoded with {wanted or 'any encoder'} (encoders: {known})",
            command=INDEX,
        )

    @cached_property
    def encoder(self) -> Encoder:
        """Opened when a text or a picture has to be encoded for the first time."""
        if self._given_encoder is not None:
            return self._given_encoder
        if self._open_encoder is not None:
            return self._open_encoder(self._encoder_source)
        from ..encoders import open_encoder  # brings torch along

        return open_encoder(self._encoder_source, device=self._device)

    def search(
        self,
        query: Query,
        *,
        filters: Filters | None = None,
        method: str = AUTO_METHOD,
        k: int = 10,
        diverse: bool = False,
        exact: bool = False,
    ) -> list[Match]:
        """The k models that fit best and pass the filters, best first. `diverse` takes one of each sort before a second
        of any, of models that are no weak matches. `exact` has every model judged by its samples, however many there
        are, instead of the best five hundred by a summary of each."""
        refuse_unknown(method)
        if not len(self.collection):
            raise EmptyCatalogError(f"{self._catalog.path} holds no model yet", command=INDEX)
        requirements = self._together.requirements(query, method)
        asking = [requirement.model for requirement in requirements if requirement.model is not None]
        allowed = np.ones(len(self.collection), bool)
        if filters is not None and not filters.is_open:
            allowed = filters.passing(self.collection.entries)
        allowed[asking] = False
        models = np.flatnonzero(allowed)
        with self._calmly():
            if not exact:
                models = candidates(self._answering, requirements, method, models, k)
            if not len(models):
                return []
            answers = [self._answering.answer(requirement, method, models) for requirement in requirements]
            total = weighted(requirements, answers)
            if query.respect_layout:
                refined = respecting_layout(self._answering, total, requirements, answers, models)
                total, requirements, answers = refined.total, refined.requirements, refined.answers
            order = self._order(total, models, k, varied=diverse)
            return matches(self.collection, models, order, total, requirements, answers)

    def ask_ahead(self, waiting: Sequence[Asked]) -> None:
        """All queries that wait for `search` now, each with its method: what they get from all models is computed
        together where they are several, which `search` then finds ready."""
        with self._calmly():
            self._together.ask(waiting)

    def read_ahead(self, query: Query) -> None:
        """Encodes a query's texts, which `search` then finds ready. The one method that threads may call at the same
        time: what they ask is encoded together."""
        if len(self.collection):
            self._reader.read_ahead(query)

    def _calmly(self) -> AbstractContextManager[None]:
        """Products of all but very many models' rows are no work for several threads."""
        return one_thread() if len(self.collection) <= MANY else nullcontext()

    @property
    def methods(self) -> tuple[str, ...]:
        """Those that this catalog can answer by."""
        there = {
            Wants.LEARNING: self.statistics.matching is not None,
            Wants.MAPS: self.statistics.layouts is not None,
            Wants.SKETCHES: self.statistics.weights.any,
        }
        unfit = {method.name for method in METHODS.values() if method.wants and not there[method.wants]}
        return tuple(name for name in ALL_METHODS if name not in unfit)

    def scores(self, query: Query, method: str = AUTO_METHOD) -> NDArray[np.floating]:
        """(M,) standardised scores of all models in the collection's order, for evaluation; all by their samples."""
        requirements, models = self._requirements(query, method), self.collection.all
        answers = [self._answering.answer(requirement, method, models) for requirement in requirements]
        total = weighted(requirements, answers)
        if not query.respect_layout:
            return total.z
        return respecting_layout(self._answering, total, requirements, answers, models).total.z

    def row(self, name: str) -> int:
        """Where a model stands in the collection. UnknownModelError if the name fits not just one."""
        return find_entry(self.collection, name)

    def _requirements(self, query: Query, method: str) -> list[Requirement]:
        return self._reader.read(
            query,
            words_needed=method != AUTO_METHOD and METHODS[method].by_words,
            styles_needed=method in WITH_STYLES,
            spatial=self._spatial_encoder() if query.respect_layout or method == "spatial" else None,
        )

    def _spatial_encoder(self) -> ImageEncoder:
        """What maps a query's pictures as the models' were; opened once."""
        layouts = self.statistics.mapped_layouts
        if self._given_spatial is not None:
            return self._given_spatial
        if layouts.name not in self._spatial:
            self._spatial[layouts.name] = layouts.open_encoder(self._device)
        return self._spatial[layouts.name]

    def _describe(self, images: Sequence[Image.Image]) -> list[str]:
        """Pictures in words, for methods that weigh samples by their prompts."""
        from ..encoders import open_interrogator

        return open_interrogator(self.encoder, self._device).describe(images)

    def _order(self, total: Answer, models: NDArray[np.intp], k: int, *, varied: bool) -> NDArray[np.intp]:
        """Places among the models, of those that can be judged; varied where more than k of them fit."""
        judged = np.flatnonzero(~np.isnan(total.z))
        order = judged[rank(total.z[judged], None if varied else min(k, len(judged)))]
        if not varied:
            return order
        fitting = relevance(total.z[order], null_of(total.unrelated.best())) > WEAK_BELOW
        if fitting.sum() <= k:
            return order[:k]
        means = self.statistics.means
        return diverse(order[fitting], means[models] - means.mean(axis=0), k)

    def models(self) -> list[Description]:
        """Every model on disk, those without evidence too."""
        return describe_all(self.collection)

    def describe(self, name: str) -> Description:
        """The model of that path, name or title. UnknownModelError if not just one."""
        fingerprint = self.collection.entries[self.row(name)].fingerprint
        return next(model for model in self.models() if model.id == fingerprint)

    def sample(self, id: str, number: int) -> Image.Image | None:
        """One of a model's samples, as `Match.thumbnails` numbers them."""
        webp = self.sample_webp(id, number)
        return None if webp is None else from_webp(webp)

    def sample_webp(self, id: str, number: int) -> bytes | None:
        m = self.collection.row_of.get(id)
        entry = None if m is None else self.collection.entries[m]
        return None if entry is None else self._catalog.sample(*entry.key, number)

    def samples_with_prompts(self, id: str) -> Iterator[tuple[Image.Image, str]]:
        """All of a model's samples with what they were asked for."""
        m = self.collection.row_of[id]
        entry = self.collection.entries[m]
        for number, image in self._catalog.sample_images(*entry.key).items():
            yield image, self.collection.prompt(m, number)

    def before_after(self, name: str) -> list[BeforeAfter]:
        """What the model of that name made of each drawing of the reference set; nothing if it was not asked."""
        fingerprint = self.collection.entries[self.row(name)].fingerprint
        probe_set = self.collection.reference_probe_set(fingerprint)
        return [] if probe_set is None else before_after(self._catalog, fingerprint, probe_set)

    def exact_duplicates(self) -> list[list[Path]]:
        """Files with the same weights, group by group."""
        return [list(entry.paths) for entry in self.collection.entries if len(entry.files) > 1]

    def near_duplicates(self, threshold: float | None = None) -> list[tuple[Path, Path, float]]:
        """(a, b, cosine) of models that make nearly the same pictures of the same probes, most alike first."""
        found = alike(self.statistics, NEARLY_THE_SAME if threshold is None else threshold)
        paths = [entry.path for entry in self.collection.entries]
        return [(paths[a], paths[b], cosine) for a, b, cosine in found]

    def near_by_weights(self, threshold: float | None = None) -> list[Kin]:
        """LoRA that change nearly the same, such as epochs and copies of one training, most alike first; no picture of
        them is needed."""
        return near_by_weights(self.statistics, threshold)

    def without_magnitude(self) -> list[Path]:
        """DoRA whose magnitudes count neither in `near_by_weights` nor `merges`, as no readable base is there."""
        return without_magnitude(self.statistics)

    def merges(self) -> list[MergeOf]:
        """LoRA that are merges of two others of the index, by their weights."""
        return merges(self.statistics)


def weighted(requirements: Sequence[Requirement], answers: Sequence[Answer]) -> Answer:
    """The product of experts of all inputs of a query."""
    parts = [(answer, requirement.weight) for answer, requirement in zip(answers, requirements, strict=True)]
    return added(parts, unrelated=True)
