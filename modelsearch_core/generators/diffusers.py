"""The generator that stands on diffusers: what a command line, and a host without its own engine, indexes with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from PIL import Image

from ..errors import ModelSearchError
from ..model_files import Kind, ModelFile
from ..places import expanded
from ..probes import Probe, ProbeSet
from ..reference_set import ReferenceSet
from .bases import chosen_base
from .batches import BatchSize, in_batches
from .decoders import decoder_for
from .devices import batch_size, precision_of
from .known_models import KnownModels
from .pictures import Inspection
from .planning import recipe_of, short
from .reference_plan import check_references, with_references
from .settings import GeneratorSettings

if TYPE_CHECKING:
    from .resident import Resident

DEFAULTS = GeneratorSettings()


class DiffusersGenerator:
    """Pictures from checkpoints, LoRA and bare diffusion models. One base model is in memory at a time.

    `candidates` are all models known here: bases for LoRA, few-step LoRA, and folders to borrow configurations from.
    `references` has the drawings that probes ask for.
    """

    name = "diffusers"

    def __init__(
        self,
        candidates: Sequence[ModelFile] = (),
        settings: GeneratorSettings = DEFAULTS,
        references: ReferenceSet | None = None,
    ) -> None:
        self.settings = settings
        self.references = references
        self.loads = 0  # pipelines loaded so far
        self._candidates = candidates
        self._resident: Resident | None = None
        self._batches: dict[tuple[str, int], BatchSize] = {}

    @cached_property
    def known(self) -> KnownModels:
        """All known models and the chosen base."""
        return KnownModels(self._candidates, chosen=self._chosen)

    @property
    def _chosen(self) -> ModelFile | None:
        """As it is known, where it is: its fingerprint may have been settled by its weights."""
        if self.settings.base is None:
            return None
        path = expanded(self.settings.base).absolute()
        known = (model for model in self._candidates if model.path == path and model.kind is Kind.CHECKPOINT)
        return next(known, None) or chosen_base(path)

    def base_of(self, model: ModelFile) -> ModelFile | None:
        """The base a LoRA is applied to; None for what stands alone. Raises MissingBaseError."""
        return self.known.bases.of(model) if model.kind is Kind.LORA else None

    def plan(self, model: ModelFile, probes: Sequence[Probe]) -> ProbeSet:
        """What the model will be asked and how; reads headers at most."""
        carrier = self._carrier(model)
        check_references(model.name, carrier.architecture, probes)
        recipe, accelerator = recipe_of(model, carrier, self.known.accelerators, self.settings)
        decoder = decoder_for(carrier.architecture, self.settings.decoders)
        is_lora = model.kind is Kind.LORA
        probe_set = ProbeSet(
            probes=tuple(probes),
            width=recipe.size,
            height=recipe.size,
            steps=recipe.steps,
            guidance=recipe.guidance,
            sampler=recipe.sampler,
            negative_prompt=recipe.negative_prompt,
            generator=self.name,
            precision=precision_of(self.settings, carrier.architecture),
            base=None if carrier is model else carrier.fingerprint,
            lora_weight=self.settings.lora_weight if is_lora else 0.0,
            trigger_words=short(model.trigger_words),
            accelerator=accelerator.lora.fingerprint if accelerator else None,
            decoder=decoder.fingerprint if decoder else None,
        )
        return with_references(probe_set, self.references)

    def generate(self, model: ModelFile, probe_set: ProbeSet, numbers: Sequence[int]) -> Iterator[list[Image.Image]]:
        """8-bit RGB pictures of the numbered probes, in order, batch by batch. The same on one machine whatever the
        batch, up to the last bits of a float; the starting noise is exactly the same everywhere."""
        from .resident import Request  # planning needs no diffusers

        resident = self._load(model, probe_set)
        inspection = Inspection(model, len(numbers), probe_set.precision)
        size = self._batch(model.architecture, probe_set)
        what = f"a picture of {probe_set.width}x{probe_set.height} from {model.name}"
        drawings = self.references.by_digest if self.references else {}
        for pictures, faults in in_batches(numbers, Request(resident, probe_set, drawings), size, what):
            inspection.add(faults)
            yield pictures

    def take_over(self, other: DiffusersGenerator) -> None:
        """What another one has loaded, which is of no use from then on."""
        if other.settings == self.settings:
            self._resident, other._resident = other._resident, None
        other.close()

    def close(self) -> None:
        """Gives the memory back."""
        if self._resident is not None:
            self._resident.close()
        self._resident = None

    def _carrier(self, model: ModelFile) -> ModelFile:
        """The model that brings text encoders and VAE: the base, or the model itself."""
        if model.kind is Kind.CHECKPOINT:
            return model
        return self.known.bases.of(model)

    def _load(self, model: ModelFile, probe_set: ProbeSet) -> Resident:
        from .resident import Resident

        carrier = self.known[probe_set.base] if probe_set.base else model
        bare = model if model.kind is Kind.DIFFUSION_MODEL else None
        resident = self._resident
        if resident is None or not resident.serves(carrier, bare, probe_set.precision):
            self.close()
            self._resident = resident = Resident(carrier, bare, self.known.models, self.settings, probe_set.precision)
            self.loads += 1
        networks = [(self.known[probe_set.accelerator], 1.0)] if probe_set.accelerator else []
        if model.kind is Kind.LORA:
            networks.append((model, probe_set.lora_weight))
        resident.prepare(networks, self._decoder_of(carrier, probe_set), probe_set.sampler)
        return resident

    def _decoder_of(self, carrier: ModelFile, probe_set: ProbeSet):
        if probe_set.decoder is None:
            return None
        decoder = decoder_for(carrier.architecture, self.settings.decoders)
        if decoder is None or decoder.fingerprint != probe_set.decoder:
            raise ModelSearchError(f"the decoder {probe_set.decoder[:8]} is gone; run the index again with --refresh")
        return decoder

    def _batch(self, architecture: str, probe_set: ProbeSet) -> BatchSize:
        pixels = probe_set.width * probe_set.height
        return self._batches.setdefault((architecture, pixels), BatchSize(batch_size(self.settings, pixels)))
