"""Prompts and seeds into pictures, with ComfyUI's sampling."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import comfy.model_management as memory
import comfy.sample
import torch
from PIL import Image

from ..modelsearch_core.errors import ModelSearchError
from ..modelsearch_core.probes import ProbeSet
from .drawings import reference_of
from .lending import Loaded
from .recipes import Sampling
from .reference_only import with_reference

LARGEST_BATCH = 4  # a user's prompt waits for one batch at most
SHARE = 0.5  # of the free memory


class InterruptedIndexing(BaseException):
    """Our pause, or a prompt of the user's that waits: no model's failure."""


class CancelledIndexing(InterruptedIndexing):
    """The user pressed ComfyUI's Cancel."""


def stop_if_cancelled() -> None:
    try:
        memory.throw_exception_if_processing_interrupted()
    except memory.InterruptProcessingException as error:
        raise CancelledIndexing from error


class Painter:
    """Pictures of one loaded model under one recipe. `check` is called at every step; it may raise to stop."""

    def __init__(
        self,
        loaded: Loaded,
        sampling: Sampling,
        probe_set: ProbeSet,
        check: Callable[[], None] = stop_if_cancelled,
    ) -> None:
        self._loaded, self._sampling, self._probe_set = loaded, sampling, probe_set
        self._width, self._height = probe_set.width, probe_set.height
        self._negative = self._encoded([probe_set.negative_prompt])
        self._check = check
        self._batch = 1 if sampling.is_noisy else None

    def paint(
        self, prompts: Sequence[str], seeds: Sequence[int], drawings: Sequence[Image.Image] = ()
    ) -> Iterator[torch.Tensor]:
        """(n, height, width, 3) in 0 to 1, batch by batch, in order. `drawings`: one to fill out for each, or none."""
        done = 0
        while done < len(prompts):
            size = self._batch or self._fitting()
            part = slice(done, done + size)
            try:
                with torch.inference_mode():
                    model = self._looking_at(drawings[part], seeds[part])
                    yield self._painted(model, self._encoded(prompts[part]), seeds[part])
            except memory.OOM_EXCEPTION as error:
                if size == 1:
                    raise ModelSearchError(f"a picture of {self._width}x{self._height} needs more memory") from error
                memory.soft_empty_cache()
                self._batch = size // 2
                continue
            except memory.InterruptProcessingException as error:
                raise CancelledIndexing from error
            done += len(prompts[part])

    def _looking_at(self, drawings: Sequence[Image.Image], seeds: Sequence[int]) -> Any:
        model = self._loaded.model
        if not drawings:
            return model
        return with_reference(model, reference_of(self._loaded, self._probe_set, drawings, seeds))

    def _painted(self, model: Any, positive: list[Any], seeds: Sequence[int]) -> torch.Tensor:
        latent = self._empty(len(seeds))
        noise = torch.cat([self._noise(latent[:1], seed) for seed in seeds])
        samples = comfy.sample.sample(
            model,
            noise,
            self._probe_set.steps,
            self._sampling.cfg,
            self._sampling.sampler,
            self._sampling.scheduler,
            positive,
            self._negative,
            latent,
            callback=lambda *_: self._check(),
            disable_pbar=True,
            seed=int(seeds[0]),
        )
        images = (self._loaded.decoder or self._loaded.vae).decode(samples)
        return images[:, 0] if images.ndim == 5 else images  # a video model's first frame

    def _empty(self, count: int) -> torch.Tensor:
        down = self._loaded.vae.spacial_compression_decode()
        empty = torch.zeros([count, 4, self._height // down, self._width // down])
        return comfy.sample.fix_empty_latent_channels(self._loaded.model, empty)

    def _noise(self, latent: torch.Tensor, seed: int) -> torch.Tensor:
        """What KSampler starts from with this seed and a batch of one."""
        generator = torch.Generator("cpu").manual_seed(seed)
        return torch.randn(latent.size(), dtype=latent.dtype, generator=generator)

    def _encoded(self, texts: Sequence[str]) -> list[Any]:
        """CONDITIONING of several texts as one batch."""
        clip = self._loaded.clip
        with torch.inference_mode():
            each = [clip.encode_from_tokens_scheduled(clip.tokenize(text), show_pbar=False)[0] for text in texts]
        options = {key: _together([more.get(key) for _, more in each]) for key in each[0][1]}
        if self._sampling.embedded is not None:
            options["guidance"] = self._sampling.embedded
        return [[_stacked([condition for condition, _ in each]), options]]

    def _fitting(self) -> int:
        """How many pictures ComfyUI expects to have room for."""
        shape = self._empty(1).shape
        free = memory.get_free_memory(self._loaded.model.load_device) * SHARE
        sizes = [n for n in (4, 2, 1) if self._loaded.model.memory_required([2 * n, *shape[1:]]) < free]
        return min(LARGEST_BATCH, max(sizes, default=1))


def _together(values: list[Any]) -> Any:
    return _stacked(values) if all(torch.is_tensor(value) for value in values) else values[0]


def _stacked(tensors: list[torch.Tensor]) -> torch.Tensor:
    """One row each; shorter texts are filled up with their last token's features."""
    longest = max(tensor.shape[1] for tensor in tensors) if tensors[0].ndim > 2 else 0
    return torch.cat([_filled(tensor, longest) if longest else tensor for tensor in tensors])


def _filled(tensor: torch.Tensor, length: int) -> torch.Tensor:
    missing = length - tensor.shape[1]
    return torch.cat([tensor, tensor[:, -1:].expand(-1, missing, -1)], dim=1) if missing else tensor
