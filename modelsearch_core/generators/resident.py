"""The one model in memory, and a batch of pictures from it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from PIL import Image

from ..errors import ModelSearchError
from ..model_files import ModelFile
from ..probes import ProbeSet
from .decoders import SmallDecoder, load_decoder
from .devices import device_of, free_memory
from .loading import load_bare, load_pipeline
from .patches import Patches
from .pictures import decoded, to_pictures
from .reference_latents import looking_at_drawings
from .samplers import scheduler_for
from .settings import GeneratorSettings

SDXL_SAYS = (1024, 1024)  # the size SDXL is told that its picture has; what it was trained on looks best
SAMPLER_SEED = 2**32  # added to a probe's seed for samplers that draw noise at every step


class Resident:
    """A pipeline with its LoRA, sampler and decoder."""

    def __init__(
        self,
        carrier: ModelFile,
        bare: ModelFile | None,
        candidates: Sequence[ModelFile],
        settings: GeneratorSettings,
        precision: str,
    ) -> None:
        self._key = _key(carrier, bare, precision)
        self.device = device_of(settings)
        self.dtype: torch.dtype = getattr(torch, precision)
        pipe = load_pipeline(carrier, candidates, self.dtype)
        pipe = load_bare(bare, pipe, self.dtype) if bare else pipe
        self.pipe: Any = pipe.to(self.device)
        self._scheduler: Any = self.pipe.scheduler
        self._patches = Patches(self.pipe.components)
        self._network: ModelFile | None = None
        self._decoders: dict[str, Any] = {}
        self.decoder: Any = None

    def serves(self, carrier: ModelFile, bare: ModelFile | None, precision: str) -> bool:
        return self._key == _key(carrier, bare, precision)

    def prepare(self, networks: Sequence[tuple[ModelFile, float]], decoder: SmallDecoder | None, sampler: str) -> None:
        """Puts exactly these networks on the base. Raises ModelSearchError when one does not fit."""
        if self.has_unet:
            self._patches.set(networks)
            self.pipe.scheduler = scheduler_for(sampler, self._scheduler)
        else:
            self._load_adapters(networks)
        self.decoder = self._decoder(decoder) if decoder else getattr(self.pipe, "vae", None)

    @property
    def has_unet(self) -> bool:
        return hasattr(self.pipe, "unet")

    def close(self) -> None:
        del self.pipe, self._patches, self.decoder
        self._decoders.clear()
        free_memory()

    def _decoder(self, decoder: SmallDecoder) -> Any:
        if decoder.fingerprint not in self._decoders:
            self._decoders[decoder.fingerprint] = load_decoder(decoder, self.dtype, self.device)
        return self._decoders[decoder.fingerprint]

    def _load_adapters(self, networks: Sequence[tuple[ModelFile, float]]) -> None:
        """Transformers' LoRA go through diffusers' own loader, which knows their many ways of writing."""
        self.pipe.unload_lora_weights()
        for number, (network, strength) in enumerate(networks):
            try:
                self.pipe.load_lora_weights(str(network.path), adapter_name=f"network{number}", local_files_only=True)
                self.pipe.set_adapters([f"network{number}"], [strength])
            except (ValueError, KeyError, RuntimeError, AttributeError) as error:
                self.pipe.unload_lora_weights()
                raise ModelSearchError(f"{network.path.name} could not be applied ({str(error)[:200]})") from error


def _key(carrier: ModelFile, bare: ModelFile | None, precision: str) -> tuple[str, str | None, str]:
    return carrier.fingerprint, bare.fingerprint if bare else None, precision


@dataclass(frozen=True)
class Request:
    """Called with numbers of probes, gives their pictures and what is wrong with each."""

    resident: Resident
    probe_set: ProbeSet
    drawings: Mapping[str, Image.Image] = field(default_factory=dict[str, Image.Image])

    @torch.no_grad()
    def __call__(self, numbers: Sequence[int]) -> tuple[list[Image.Image], list[str | None]]:
        pipe, probe_set = self.resident.pipe, self.probe_set
        options: dict[str, Any] = {
            "prompt": [probe_set.prompt(number) for number in numbers],
            "width": probe_set.width,
            "height": probe_set.height,
            "num_inference_steps": probe_set.steps,
            "guidance_scale": probe_set.guidance,
        }
        if not self.resident.has_unet:
            images = pipe(**options, generator=self._generators(numbers, 0), output_type="pt").images
            return to_pictures(images * 2 - 1)
        options |= self._for_unet(numbers)
        with looking_at_drawings(pipe, probe_set, numbers, self.drawings):
            latents = pipe(**options, output_type="latent").images
        return to_pictures(decoded(self.resident.decoder, latents))

    def _for_unet(self, numbers: Sequence[int]) -> dict[str, Any]:
        options: dict[str, Any] = {
            "negative_prompt": [self.probe_set.negative_prompt] * len(numbers),
            "latents": self._noise(numbers),
            "generator": self._generators(numbers, SAMPLER_SEED),
        }
        if "original_size" in inspect.signature(self.resident.pipe.__call__).parameters:
            options |= {"original_size": SDXL_SAYS, "target_size": SDXL_SAYS}
        return options

    def _noise(self, numbers: Sequence[int]) -> torch.Tensor:
        """Made on the CPU in float32, each picture's from its own seed: the same for any model, batch and device."""
        pipe, probe_set = self.resident.pipe, self.probe_set
        channels, factor = pipe.unet.config["in_channels"], pipe.vae_scale_factor
        shape = (1, channels, probe_set.height // factor, probe_set.width // factor)
        noise = [torch.randn(shape, generator=generator) for generator in self._generators(numbers, 0)]
        return torch.cat(noise).to(self.resident.device, self.resident.dtype)

    def _generators(self, numbers: Sequence[int], offset: int) -> list[torch.Generator]:
        return [torch.Generator().manual_seed(self.probe_set.probes[n].seed + offset) for n in numbers]
