"""Open a catalog, ask it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..catalog import Catalog
from ..catalog.records import from_webp
from ..embedding import Encoder, ImageEncoder
from ..errors import EmptyCatalogError
from ..ranking import diverse, rank
from ..specification import Requirement
from .answering import ALL_METHODS, Answer, Answering, added
from .before_after import BeforeAfter, before_after
from .description import Description, describe_all
from .duplicates import NEARLY_THE_SAME, alike
from .experts import LEARNED, MAPPED
from .filters import passing
from .gallery import Entry, Gallery
from .matches import matches
from .query import Match, Query
from .refining import respecting_layout
from .requirements import Reader, find_entry

WITH_STYLES = ("auto", "style")
WITH_PROMPTS = ("kernel_mean", "prompted_kernel_mean", "rkme_concat")


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
        path: str | Path,
        *,
        encoder: Encoder | None = None,
        spatial_encoder: ImageEncoder | None = None,
        device: str = "auto",
        open_encoder: Callable[[str], Encoder] | None = None,
    ) -> ModelIndex:
        """EmptyCatalogError where there is nothing to search. `open_encoder` is called with the encoder's source when
        a text or a picture has to be encoded for the first time; `spatial_encoder` is what made the maps of layouts,
        where it is open already."""
        catalog = Catalog(Path(path), read_only=True)
        return cls(catalog, encoder, spatial_encoder=spatial_encoder, device=device, open_encoder=open_encoder)

    def close(self) -> None:
        self._catalog.close()

    def __enter__(self) -> ModelIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def reload(self) -> bool:
        """Reads again if another process has written meanwhile; whether it did."""
        version = self._catalog.version()
        if changed := version != self._version:
            self._version = version
            self._load()
        return changed

    def _load(self) -> None:
        name, self._encoder_source, dimension = self._encoder_record()
        self.gallery = Gallery(self._catalog, name, dimension)
        self._answering = Answering(self.gallery)
        self._reader: Reader | None = None

    def _encoder_record(self) -> tuple[str, str, int]:
        records = self._catalog.encoders()
        wanted = self._given_encoder.name if self._given_encoder else None
        for record in records:
            if wanted in (None, record[0]):
                return record
        known = ", ".join(name for name, _, _ in records) or "none"
        raise EmptyCatalogError(
            f"{self._catalog.path} holds nothing encoded with {wanted or 'any encoder'} (encoders: {known}); "
            "run `modelsearch index FOLDER`"
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
        kind: str | None = None,
        architecture: str | None = None,
        folder: Path | None = None,
        among: Collection[Path] | None = None,
        method: str = "auto",
        k: int = 10,
        diverse: bool = False,
    ) -> list[Match]:
        """The k models that fit best, best first. `among` are the only files that count, for a host that lists its own;
        `diverse` takes one of each sort before a second of any."""
        if method not in ALL_METHODS:
            raise ValueError(f"{method!r} is no method; choose one of {', '.join(ALL_METHODS)}")
        if not len(self.gallery):
            raise EmptyCatalogError(f"{self._catalog.path} holds no model yet; run `modelsearch index FOLDER`")
        requirements = self._requirements(query, method)
        answers = [self._answering.answer(requirement, method) for requirement in requirements]
        asking = {requirement.model for requirement in requirements}
        allowed = passing(self.gallery, kind, architecture, folder, among)
        allowed[[m for m in asking if m is not None]] = False
        total = weighted(requirements, answers)
        if query.respect_layout:
            refined = respecting_layout(self._answering, total, requirements, answers, allowed)
            total, requirements, answers = refined.total, refined.requirements, refined.answers
        allowed &= ~np.isnan(total.z)
        order = self._order(np.where(allowed, total.z, np.nan), int(allowed.sum()), k, varied=diverse)
        return matches(self.gallery, order, total, requirements, answers)

    @property
    def methods(self) -> tuple[str, ...]:
        """Those that this catalog can answer by."""
        learned, mapped = self.gallery.matching is not None, self.gallery.layouts is not None
        unfit = (set() if learned else LEARNED) | (set() if mapped else MAPPED)
        return tuple(name for name in ALL_METHODS if name not in unfit)

    def scores(self, query: Query, method: str = "auto") -> NDArray[np.floating]:
        """(M,) standardised scores of all models in the gallery's order, for evaluation."""
        requirements = self._requirements(query, method)
        answers = [self._answering.answer(requirement, method) for requirement in requirements]
        total = weighted(requirements, answers)
        if not query.respect_layout:
            return total.z
        return respecting_layout(self._answering, total, requirements, answers, np.ones(len(total.z), bool)).total.z

    def row(self, name: str) -> int:
        """Where a model stands in the gallery. UnknownModelError if the name fits not just one."""
        return find_entry(self.gallery, name)

    def _requirements(self, query: Query, method: str) -> list[Requirement]:
        if self._reader is None:
            self._reader = Reader(self.gallery, lambda: self.encoder, self._describe)
        return self._reader.read(
            query,
            words_needed=method in WITH_PROMPTS,
            styles_needed=method in WITH_STYLES,
            spatial=self._spatial_encoder() if query.respect_layout or method == "spatial" else None,
        )

    def _spatial_encoder(self) -> ImageEncoder:
        """What maps a query's pictures as the models' were; opened once."""
        layouts = self.gallery.mapped_layouts
        if self._given_spatial is not None:
            return self._given_spatial
        if layouts.name not in self._spatial:
            self._spatial[layouts.name] = layouts.open_encoder(self._device)
        return self._spatial[layouts.name]

    def _describe(self, images: Sequence[Image.Image]) -> list[str]:
        """Pictures in words, for methods that weigh samples by their prompts."""
        from ..encoders import open_interrogator

        return open_interrogator(self.encoder).describe(images)

    def _order(self, z: NDArray[np.floating], allowed: int, k: int, *, varied: bool) -> NDArray[np.intp]:
        order = rank(z, allowed)
        signatures = self.gallery.means - self.gallery.means.mean(axis=0)
        return diverse(order, signatures, k) if varied else order[:k]

    def models(self) -> list[Description]:
        """Every model on disk, those without evidence too."""
        return describe_all(self._catalog.models(), self.gallery)

    def describe(self, name: str) -> Description:
        """The model of that path, name or title. UnknownModelError if not just one."""
        fingerprint = self.gallery.entries[find_entry(self.gallery, name)].model.fingerprint
        return next(model for model in self.models() if model.id == fingerprint)

    def sample(self, id: str, number: int) -> Image.Image | None:
        """One of a model's samples, as `Match.thumbnails` numbers them."""
        webp = self.sample_webp(id, number)
        return None if webp is None else from_webp(webp)

    def sample_webp(self, id: str, number: int) -> bytes | None:
        entry = self._by_id.get(id)
        return None if entry is None else self._catalog.sample(*entry.key, number)

    def samples_with_prompts(self, id: str) -> Iterator[tuple[Image.Image, str]]:
        """All of a model's samples with what they were asked for."""
        entry = self._by_id[id]
        m = self.gallery.entries.index(entry)
        for number, image in self._catalog.sample_images(*entry.key).items():
            yield image, self.gallery.prompt(m, number)

    def before_after(self, name: str) -> list[BeforeAfter]:
        """What the model of that name made of each drawing of the reference set; nothing if it was not asked."""
        fingerprint = self.gallery.entries[find_entry(self.gallery, name)].model.fingerprint
        probe_set = self.gallery.reference_probe_set(fingerprint)
        return [] if probe_set is None else before_after(self._catalog, fingerprint, probe_set)

    @property
    def _by_id(self) -> dict[str, Entry]:
        return {entry.model.fingerprint: entry for entry in self.gallery.entries}

    def exact_duplicates(self) -> list[list[Path]]:
        """Files with the same weights, group by group."""
        groups = [[entry.model.path, *(copy.path for copy in entry.copies)] for entry in self.gallery.entries]
        return [group for group in groups if len(group) > 1]

    def near_duplicates(self, threshold: float | None = None) -> list[tuple[Path, Path, float]]:
        """(a, b, cosine) of models that make nearly the same pictures of the same probes, most alike first."""
        found = alike(self.gallery, NEARLY_THE_SAME if threshold is None else threshold)
        paths = [entry.model.path for entry in self.gallery.entries]
        return [(paths[a], paths[b], cosine) for a, b, cosine in found]


def weighted(requirements: Sequence[Requirement], answers: Sequence[Answer]) -> Answer:
    """The product of experts of all inputs of a query."""
    parts = [(answer, requirement.weight) for answer, requirement in zip(answers, requirements, strict=True)]
    return added(parts, unrelated=True)
