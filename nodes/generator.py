"""The generator that runs in ComfyUI's own engine: its loaders, LoRA patching, samplers and memory management."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import comfy.model_management as memory
from PIL import Image

from ..modelsearch_core.errors import MissingBaseError, ModelSearchError
from ..modelsearch_core.families import UNKNOWN, Recipe
from ..modelsearch_core.generators import GeneratorSettings
from ..modelsearch_core.generators.accelerators import Accelerator
from ..modelsearch_core.generators.bases import Bases
from ..modelsearch_core.generators.known_models import KnownModels
from ..modelsearch_core.generators.pictures import Inspection, to_pictures
from ..modelsearch_core.generators.planning import recipe_of, short
from ..modelsearch_core.generators.reference_plan import check_references, with_references
from ..modelsearch_core.model_files import Kind, ModelFile
from ..modelsearch_core.probes import Probe, ProbeSet
from ..modelsearch_core.reference_set import ReferenceSet
from .decoders import load_decoder, small_decoder
from .drawings import drawings_of
from .lending import Loaded, load_bare, load_checkpoint, shifted, with_lora
from .painting import Painter, stop_if_cancelled
from .parts import parts_for, what_is_missing
from .recipes import sampling_of


class ComfyGenerator:
    """Keeps the base model of the last call loaded, until `release`. `candidates` are all known models."""

    name = "comfyui"

    def __init__(self, candidates: Sequence[ModelFile], settings: GeneratorSettings) -> None:
        self.candidates = candidates
        self.settings = settings
        self.references: ReferenceSet | None = None  # the drawings that probes ask for
        self.check: Callable[[], None] = stop_if_cancelled  # called at every step; may raise to stop
        self._base: tuple[str, Loaded] | None = None

    @cached_property
    def _known(self) -> KnownModels:
        """What can be put under a LoRA: checkpoints, and diffusion models whose other parts are there."""
        bare = [model for model in self.candidates if model.kind is Kind.DIFFUSION_MODEL and parts_for(model)]
        carriers = [*self.candidates, *(replace(model, kind=Kind.CHECKPOINT) for model in bare)]
        return KnownModels(self.candidates, carriers=carriers)

    def base_of(self, model: ModelFile) -> ModelFile | None:
        return self._known.bases.of(model) if model.kind is Kind.LORA else None

    def plan(self, model: ModelFile, probes: Sequence[Probe]) -> ProbeSet:
        if model.architecture != UNKNOWN:
            check_references(model.title, model.architecture, probes)  # whether there is a base or not
        base = self.base_of(model)
        carrier = base or model
        recipe, accelerator = self._recipe(model, carrier)
        decoder = small_decoder(carrier.architecture)
        check_references(model.title, carrier.architecture, probes)
        probe_set = ProbeSet(
            probes=tuple(probes),
            width=recipe.size,
            height=recipe.size,
            steps=recipe.steps,
            guidance=recipe.guidance,
            sampler=recipe.sampler,
            shift=recipe.shift,
            negative_prompt=recipe.negative_prompt,
            generator=self.name,
            precision=str(memory.unet_dtype()).removeprefix("torch."),
            base=base.fingerprint if base else None,
            lora_weight=self.settings.lora_weight if base else 0.0,
            trigger_words=short(model.trigger_words),
            accelerator=accelerator.lora.fingerprint if accelerator else None,
            decoder=decoder[1] if decoder else None,
        )
        return with_references(probe_set, self.references)

    def generate(self, model: ModelFile, probe_set: ProbeSet, numbers: Sequence[int]) -> Iterator[list[Image.Image]]:
        loaded = self._load(model, probe_set)
        recipe, _ = self._recipe(model, self._known[probe_set.base] if probe_set.base else model)
        sampling = sampling_of(probe_set, embeds_guidance=recipe.embeds_guidance)
        painter = Painter(loaded, sampling, probe_set, self.check)
        inspection = Inspection(model, len(numbers), probe_set.precision)
        prompts = [probe_set.prompt(number) for number in numbers]
        seeds = [probe_set.probes[number].seed for number in numbers]
        for images in painter.paint(prompts, seeds, drawings_of(self.references, probe_set, numbers)):
            pictures, faults = to_pictures(2 * images.movedim(-1, 1) - 1)
            inspection.add(faults)
            yield pictures

    def _recipe(self, model: ModelFile, carrier: ModelFile) -> tuple[Recipe, Accelerator | None]:
        """How a model is asked on its base, or by itself."""
        return recipe_of(model, carrier, self._known.accelerators, self.settings)

    def release(self) -> None:
        """Gives the memory back."""
        self._base = None
        memory.cleanup_models_gc()
        memory.soft_empty_cache()

    def _load(self, model: ModelFile, probe_set: ProbeSet) -> Loaded:
        loaded = self._loaded_base(self._known[probe_set.base] if probe_set.base else model)
        if probe_set.accelerator:
            loaded = with_lora(loaded, self._known[probe_set.accelerator], 1.0)
        if model.kind is Kind.LORA:
            loaded = with_lora(loaded, model, probe_set.lora_weight)
        loaded = replace(loaded, decoder=self._decoder(model, probe_set, loaded))
        return loaded if probe_set.shift is None else shifted(loaded, probe_set.shift)

    def _loaded_base(self, model: ModelFile) -> Loaded:
        if self._base is None or self._base[0] != model.fingerprint:
            self.release()
            self._base = model.fingerprint, self._read(self._known[model.fingerprint])
        return self._base[1]

    def _read(self, model: ModelFile) -> Loaded:
        if model.path.is_dir():
            raise ModelSearchError(
                f"{model.path.name} is a folder in the diffusers layout, which ComfyUI does not load"
            )
        if model.kind is Kind.CHECKPOINT:
            return load_checkpoint(model)
        if model.kind is not Kind.DIFFUSION_MODEL:
            raise ModelSearchError(f"{model.path.name} is a {model.kind.value}, which makes no pictures by itself")
        parts = parts_for(model)
        return load_bare(model, parts, None if parts else self._lender(model))

    def _lender(self, model: ModelFile) -> ModelFile:
        """A checkpoint with the parts that a diffusion model lacks."""
        try:
            return Bases(self.candidates).of(model)
        except MissingBaseError as error:
            raise MissingBaseError(
                f"{model.path.name} is a bare {model.architecture} model: {what_is_missing(model)}, and there is no "
                "checkpoint of that architecture to borrow from"
            ) from error

    def _decoder(self, model: ModelFile, probe_set: ProbeSet, loaded: Loaded) -> Any:
        found = small_decoder(model.architecture) if probe_set.decoder else None
        return load_decoder(found[0], loaded.model.get_model_object("latent_format")) if found else None
