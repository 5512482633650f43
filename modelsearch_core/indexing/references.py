"""What every LoRA and its base make of the reference set's drawings: pictures, cleansed, and their features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..catalog import Catalog
from ..embedding import Encoder
from ..errors import InvalidOutputError
from ..generation import Generator
from ..model_files import ModelFile
from ..probes import ProbeSet
from ..reference_set import ReferenceSet, cleansed
from ..specification import Evidence, Specification
from .thumbnails import compressed

DRAWING, SUBJECT = "drawing", "subject"  # in place of a fingerprint: the inputs are kept among the samples


@dataclass(frozen=True, kw_only=True)
class ReferenceSampler:
    """What it takes to ask a model with drawings. `on_images` and `check` are as of a `Sampler`."""

    catalog: Catalog
    encoder: Encoder
    generator: Generator
    references: ReferenceSet
    refresh: bool
    on_images: Callable[[int], None]
    check: Callable[[ModelFile], None] = lambda _: None

    def sample(self, model: ModelFile) -> bool:
        """Whether there was anything to do. Raises UnsupportedReferenceError for what takes prompts only."""
        if self.is_current(model):
            return False
        probe_set = self.generator.plan(model, self.references.probes)
        base = self.generator.base_of(model)
        if base is not None and (plain := probe_set.for_base()).digest not in self._have(base.fingerprint):
            self._paint_base(base, plain)
        self._paint(model, probe_set)
        return True

    def _paint_base(self, base: ModelFile, plain: ProbeSet) -> None:
        """Once, whoever else asks LoRA of this base."""
        with self.catalog.claims.awaited(f"{base.fingerprint} {plain.digest}", lambda: self.on_images(0)):
            if plain.digest not in self._have(base.fingerprint):
                self._paint(base, plain)

    def claim_on(self, model: ModelFile) -> str:
        """What one indexer takes before it asks a model."""
        return f"{model.fingerprint} references"

    def is_current(self, model: ModelFile) -> bool:
        """Raises UnsupportedReferenceError for what takes prompts only."""
        probe_set = self.generator.plan(model, self.references.probes)
        have = self._have(model.fingerprint)
        return probe_set.digest in have or (bool(have) and not self.refresh)

    def _have(self, fingerprint: str) -> set[str]:
        keys = self.catalog.specification_keys(self.encoder.name)
        return {d for f, d, evidence, _ in keys if f == fingerprint and evidence is Evidence.REFERENCE}

    def _paint(self, model: ModelFile, probe_set: ProbeSet) -> None:
        """Pictures that are not their input again are stored batch by batch, features when all are there."""
        stored = self.catalog.sample_numbers(model.fingerprint, probe_set.digest)
        missing = [number for number in range(len(probe_set.probes)) if number not in set(stored)]
        start = 0
        for images in self.generator.generate(model, probe_set, missing) if missing else ():
            self.check(model)
            numbers = missing[start : start + len(images)]
            self._keep(model, probe_set, numbers, images)
            start += len(images)
        self._describe(model, probe_set)

    def _keep(
        self, model: ModelFile, probe_set: ProbeSet, numbers: Sequence[int], images: Sequence[Image.Image]
    ) -> None:
        kept = cleansed(images, [self.references.subjects[number] for number in numbers])
        made = zip(numbers, images, kept, strict=True)
        pictures = {n: compressed(image) for n, image, keep in made if keep}
        self.catalog.put_samples(model.fingerprint, probe_set.digest, pictures)
        self.catalog.claims.renew()
        self.on_images(len(images))

    def _describe(self, model: ModelFile, probe_set: ProbeSet) -> None:
        pictures = self.catalog.sample_images(model.fingerprint, probe_set.digest)
        if not pictures:
            asked = len(probe_set.probes)
            raise InvalidOutputError(f"{model.name} gives back all {asked} reference pictures unchanged")
        features = self.encoder.encode_images([*pictures.values()])
        with self.catalog.transaction():
            self.put_inputs()
            self.catalog.put_probe_set(probe_set)
            self.catalog.put_specification(
                Specification(
                    fingerprint=model.fingerprint,
                    digest=probe_set.digest,
                    encoder=self.encoder.name,
                    evidence=Evidence.REFERENCE,
                    Z=features,
                    numbers=np.array([*pictures], np.int32),
                )
            )

    def put_inputs(self) -> None:
        """Each drawing and its subject, by the drawing's digest, for pictures of before and after."""
        of = self.references
        for digest, drawing, subject in zip(of.digests, of.drawings, of.subjects, strict=True):
            if not self.catalog.sample_numbers(DRAWING, digest):
                self.catalog.put_samples(DRAWING, digest, {0: compressed(drawing)})
                self.catalog.put_samples(SUBJECT, digest, {0: compressed(subject)})
