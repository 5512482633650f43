"""One model's pictures and features: generated, topped up while its direction is not yet reliable, stored at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from ..catalog import Catalog
from ..catalog.records import from_webp
from ..embedding import Encoder, Features
from ..families.costs import pictures_of_sd15
from ..generation import Generator
from ..model_files import ModelFile
from ..probes import Probe, ProbeSet
from ..scores import differences
from ..specification import Evidence, Specification
from . import pace
from .large_pictures import keep_large
from .settings import IndexSettings
from .thumbnails import compressed

BEGUN = "few_of_all"  # the catalog's setting while models have a few pictures each, and are to have more

Draw = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """What it takes to sample a model. `on_images` hears of every batch; it may raise to stop. `check` is asked before
    a model's pictures are stored; it raises where they may be of other weights."""

    catalog: Catalog
    encoder: Encoder
    generator: Generator
    draw: Draw
    probes: Sequence[Probe]
    settings: IndexSettings
    on_images: Callable[[int], None]
    check: Callable[[ModelFile], None] = lambda _: None

    def is_current(self, model: ModelFile, have: dict[str, int]) -> bool:
        """Whether the stored samples (number by probe-set digest) are all that is asked for. A model of which the user
        has set something is asked again as it is now."""
        if not have:
            return False
        if (self.settings.refresh or model.by_hand) and self.generator.plan(model, self.probes).digest not in have:
            return False
        most = max(have.values())
        if self.settings.samples is None:
            return most != self.settings.few or not self.catalog.setting(BEGUN)
        return most >= self.settings.samples

    def sample(self, model: ModelFile) -> Specification:
        """Generates, encodes and stores what is missing: pictures batch by batch, features when all are there."""
        probe_set = self.generator.plan(model, self.probes)
        base = self.generator.base_of(model)
        settings = self.settings.within_budget(pictures_of_sd15(model.architecture, model.variant))
        if base is None:
            with self._alone(model, probe_set):
                work = self._begin(model, probe_set)
                self._extend(work, settings.samples or settings.plain)
                return self._store(work)
        work = self._begin(model, probe_set)
        self._extend(work, settings.samples or settings.first)
        facets = self._compare(work, base)
        while (wanted := _wanted(facets, settings)) > len(work.numbers):
            self._extend(work, wanted)
            facets = self._compare(work, base)
        return self._store(work, facets)

    def _compare(self, work: _Work, base: ModelFile) -> tuple[float, float]:
        """Strength and consistency of what the LoRA adds to its base."""
        delta = work.features - self._ensure_base(base, work.probe_set, work.numbers)
        all_of_it = np.array([0, len(delta)])
        return (
            float(differences.strength(delta, all_of_it)[0]),
            float(differences.consistency(delta, all_of_it)[0]),
        )

    def _ensure_base(self, base: ModelFile, probe_set: ProbeSet, numbers: Sequence[int]) -> Features:
        """The base's features on these probes; generated once per base and stored on their own."""
        plain, missing = probe_set.for_base(), max(numbers) + 1
        work = self._begin(base, plain)
        if len(work.numbers) < missing:
            with self._alone(base, plain):
                work = self._begin(base, plain)  # another indexer may have been at it
                self._extend(work, missing)
                self._store(work)
        return work.rows(numbers)

    def _alone(self, model: ModelFile, probe_set: ProbeSet) -> AbstractContextManager[None]:
        """Waits for another indexer that asks the same: a base is asked for itself, and for each of its LoRA."""
        return self.catalog.claims.awaited(f"{model.fingerprint} {probe_set.digest}", lambda: self.on_images(0))

    def _begin(self, model: ModelFile, probe_set: ProbeSet) -> _Work:
        stored = self.catalog.specification(model.fingerprint, probe_set.digest, self.encoder.name)
        work = _Work(model=model, probe_set=probe_set, dimension=self.encoder.dimension)
        if stored is not None and stored.drawings is not None:
            work.add(list(stored.numbers), np.asarray(stored.Z, np.float32), np.asarray(stored.drawings, np.float32))
        return work

    def _extend(self, work: _Work, count: int) -> None:
        missing = [number for number in range(min(count, len(work.probe_set.probes))) if number not in work.numbers]
        for numbers, images, new in self._pictures(work, missing):
            work.add(numbers, self.encoder.encode_images(images), self.encoder.encode_images([*map(self.draw, images)]))
            self._keep(work, dict(zip(numbers, new, strict=False)))
            self.on_images(len(images))

    def _keep(self, work: _Work, pictures: dict[int, bytes]) -> None:
        """Stores a batch at once: whatever stops the work, the next run takes these pictures up."""
        with self.catalog.transaction():
            self.catalog.put_probe_set(work.probe_set)
            self.catalog.put_samples(work.model.fingerprint, work.probe_set.digest, pictures)
            self.catalog.claims.renew()

    def _pictures(
        self, work: _Work, missing: Sequence[int]
    ) -> Iterator[tuple[list[int], list[Image.Image], list[bytes]]]:
        """(numbers, pictures, WebP of those that are not stored yet): first what is stored, then what is generated."""
        stored = self.catalog.sample_images(work.model.fingerprint, work.probe_set.digest)
        kept = [number for number in missing if number in stored]
        if kept:
            yield kept, [stored[number] for number in kept], []
        new = [number for number in missing if number not in stored]
        start, seconds, began = 0, 0.0, time.monotonic()
        for images in self.generator.generate(work.model, work.probe_set, new) if new else ():
            seconds += time.monotonic() - began  # not what whoever takes the pictures does with them
            self.check(work.model)
            webps = [compressed(image) for image in images]
            large = dict(zip(new[start:], images, strict=False))
            keep_large(self.catalog, work.model, work.probe_set.digest, large)
            yield new[start : start + len(images)], [*map(from_webp, webps)], webps
            start += len(images)
            began = time.monotonic()
        if start:
            pace.note(self.catalog, work.model, seconds, start)

    def _store(self, work: _Work, facets: tuple[float, float] | None = None) -> Specification:
        specification = work.specification(self.encoder.name, facets)
        prompts = list(dict.fromkeys(work.probe_set.probes[number].prompt for number in work.numbers))
        known = self.catalog.text_features(self.encoder.name, prompts)
        new = [prompt for prompt in prompts if prompt not in known]
        features = self.encoder.encode_texts(new) if new else np.empty((0, self.encoder.dimension))
        with self.catalog.transaction():
            self.catalog.put_probe_set(work.probe_set)
            self.catalog.put_text_features(self.encoder.name, new, features)
            self.catalog.put_specification(specification)
        return specification


def _wanted(facets: tuple[float, float], settings: IndexSettings) -> int:
    """How many samples a LoRA needs, from how well its differences agree."""
    if settings.samples is not None:
        return settings.samples
    return int(min(settings.most, differences.samples_needed(facets[1], settings.reliability)))


@dataclass(kw_only=True)
class _Work:
    """A model in progress: rows in the order of `numbers`."""

    model: ModelFile
    probe_set: ProbeSet
    dimension: int
    numbers: list[int] = field(default_factory=list[int])

    def __post_init__(self) -> None:
        self.features: Features = np.empty((0, self.dimension), np.float32)
        self.drawings: Features = np.empty((0, self.dimension), np.float32)

    def add(self, numbers: Sequence[int], Z: Features, drawings: Features) -> None:
        self.numbers.extend(int(number) for number in numbers)
        self.features = np.concatenate([self.features, Z])
        self.drawings = np.concatenate([self.drawings, drawings])

    def rows(self, numbers: Sequence[int]) -> Features:
        place = {number: row for row, number in enumerate(self.numbers)}
        return self.features[[place[number] for number in numbers]]

    def specification(self, encoder: str, facets: tuple[float, float] | None) -> Specification:
        strength, consistency = facets or (None, None)
        return Specification(
            fingerprint=self.model.fingerprint,
            digest=self.probe_set.digest,
            encoder=encoder,
            evidence=Evidence.GENERATED,
            Z=self.features,
            numbers=np.asarray(self.numbers, np.int32),
            drawings=self.drawings,
            strength=strength,
            consistency=consistency,
        )
