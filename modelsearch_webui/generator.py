"""The generator that lends the WebUI's own pipeline: whatever this WebUI can load can be indexed.

A model may lie in several places; the WebUI is asked for the copy that it lists.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from modelsearch_core.errors import MissingBaseError, ModelSearchError, UnsupportedReferenceError
from modelsearch_core.generators.accelerators import Accelerators
from modelsearch_core.generators.bases import Bases
from modelsearch_core.generators.planning import recipe_of, short
from modelsearch_core.generators.settings import GeneratorSettings
from modelsearch_core.model_files import Kind, ModelFile
from modelsearch_core.probes import Probe, ProbeSet
from modelsearch_core.prompt_tags import LoraTag, lora_tag

from . import hosts, pipeline, places, samplers

FULL_PRECISION = "start the WebUI with --no-half-vae, or choose another VAE"


class WebUIGenerator:
    """Lends the pipeline to `modelsearch_core.indexing`. `host` is the sort of WebUI: each draws differently; `files`
    are all files that are known, copies too."""

    def __init__(
        self,
        candidates: Sequence[ModelFile],
        settings: GeneratorSettings,
        host: str,
        files: Iterable[ModelFile] = (),
    ) -> None:
        self.name = f"webui:{host}"
        self._settings = settings
        self._batch = settings.batch or 1
        self._paths: dict[str, list[Path]] = defaultdict(list)
        for file in files:
            self._paths[file.fingerprint].append(file.path)
        self._architectures = {file.path: file.architecture for file in (*candidates, *files)}
        self._loras = [m for m in candidates if m.kind is Kind.LORA and places.lora_name(*self._copies(m))]
        self._accelerators = Accelerators(self._loras)
        self._bases = Bases(
            m for m in candidates if m.kind is not Kind.LORA and places.checkpoint_title(*self._copies(m))
        )

    def base_of(self, model: ModelFile) -> ModelFile | None:
        if model.kind is not Kind.LORA:
            return None
        try:
            return self._bases.of(model)
        except MissingBaseError as error:
            raise MissingBaseError(f"{error}: Settings, Model Search, Base models under LoRA") from error

    def plan(self, model: ModelFile, probes: Sequence[Probe]) -> ProbeSet:
        if any(probe.drawing for probe in probes):
            raise UnsupportedReferenceError(
                "a WebUI's pipeline is asked by prompts only; for searching by style run `modelsearch index --style`"
            )
        base = self.base_of(model)
        recipe, accelerator = recipe_of(model, base or model, self._accelerators, self._settings)
        return ProbeSet(
            probes=tuple(probes),
            width=recipe.size,
            height=recipe.size,
            steps=recipe.steps,
            guidance=recipe.guidance,
            sampler=samplers.label(recipe.sampler),
            negative_prompt=recipe.negative_prompt,
            generator=self.name,
            precision="webui",
            base=base.fingerprint if base else None,
            lora_weight=self._settings.lora_weight if base else 0.0,
            trigger_words=short(model.trigger_words),
            accelerator=accelerator.lora.fingerprint if accelerator else None,
        )

    def generate(self, model: ModelFile, probe_set: ProbeSet, numbers: Sequence[int]) -> Iterator[list[Image.Image]]:
        from modelsearch_core.generators.pictures import Inspection, fault_of  # brings torch along

        inspection = Inspection(model, len(numbers), "the WebUI's half precision", FULL_PRECISION)
        for start in range(0, len(numbers), self._batch):
            part = numbers[start : start + self._batch]
            images = pipeline.run(self._job(model, probe_set, part))
            if len(images) != len(part):
                raise ModelSearchError(f"the WebUI made {len(images)} pictures of {len(part)} for {model.path.name}")
            inspection.add([fault_of(np.asarray(image)) for image in images])
            yield images

    def _job(self, model: ModelFile, probe_set: ProbeSet, numbers: Sequence[int]) -> pipeline.Job:
        tags = " ".join(map(str, self._tags(model, probe_set)))
        sampler, scheduler = samplers.labelled(probe_set.sampler)
        carrier = self.base_of(model) or model
        return pipeline.Job(
            checkpoint=self._entry(carrier),
            own_parts=self._has_own_parts(carrier),
            prompts=[f"{probe_set.prompt(number)} {tags}".rstrip() for number in numbers],
            negative_prompt=probe_set.negative_prompt,
            seeds=[probe_set.probes[number].seed for number in numbers],
            width=probe_set.width,
            height=probe_set.height,
            steps=probe_set.steps,
            guidance=probe_set.guidance,
            sampler=sampler,
            scheduler=scheduler,
        )

    def _tags(self, model: ModelFile, probe_set: ProbeSet) -> Iterator[LoraTag]:
        """The few-step LoRA and the LoRA that is asked."""
        for other in self._loras:
            if other.fingerprint == probe_set.accelerator:
                yield lora_tag(self._lora_name(other), 1.0)
                break
        if model.kind is Kind.LORA:
            yield lora_tag(self._lora_name(model), probe_set.lora_weight)

    def _has_own_parts(self, carrier: ModelFile) -> bool:
        """Whether it needs none of the parts that the user has chosen for a checkpoint of another architecture: they
        would be put in place of its own, and fit only theirs."""
        users = places.chosen_checkpoint()
        others = users is None or self._architectures.get(users) != carrier.architecture
        return carrier.kind is Kind.CHECKPOINT and others

    def _copies(self, model: ModelFile) -> list[Path]:
        return self._paths.get(model.fingerprint) or [model.path]

    def _entry(self, model: ModelFile) -> Any:
        title = places.checkpoint_title(*self._copies(model))
        if title is None:
            raise ModelSearchError(
                f"the WebUI does not list {model.path}; press the refresh button beside its checkpoints"
            )
        return hosts.checkpoints().checkpoints_list[title]

    def _lora_name(self, model: ModelFile) -> str:
        name = places.lora_name(*self._copies(model))
        if name is None:
            raise ModelSearchError(
                f"the WebUI cannot name {model.path.name} in a prompt: it does not list it, or another file has "
                "that name"
            )
        return name
