"""From latents to 8-bit pictures, and whether they are any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..errors import InvalidOutputError
from ..model_files import ModelFile
from .devices import free_bytes, free_memory, is_out_of_memory

FLAT = 2.0  # standard deviation, of 255, below which a picture is constant
BLACK = 4.0  # mean, of 255, below which a constant picture is black
TOLERATED = 1 / 8  # of a model's pictures
EARLY = 4  # as many broken ones and no good one are enough to stop
A_PIXEL = 2178  # numbers held for each pixel that Stable Diffusion's VAE decodes, as ComfyUI has measured; others less
SHARE = 0.5  # of a card's free memory that decoding several pictures may take
ROOM = 2**29  # bytes of a device that does not tell what is free


def decoded(vae: Any, latents: torch.Tensor) -> torch.Tensor:
    """Pictures (n, 3, h, w) in -1 to 1.

    SDXL's VAE and some others overflow float16: they are computed in float32, once that shows or where the
    configuration says so.
    """
    if vae.dtype == torch.float16 and vae.config.get("force_upcast"):
        vae.to(torch.float32)
    images = _decode(vae, latents)
    if vae.dtype == torch.float16 and not torch.isfinite(images).all() and torch.isfinite(latents).all():
        vae.to(torch.float32)
        images = _decode(vae, latents)
    return images


def _decode(vae: Any, latents: torch.Tensor) -> torch.Tensor:
    """As many together as the first one's size and free memory tell; one by one from where they did not fit."""
    latents = _unscaled(vae.config, latents.to(vae.dtype))
    pictures = [_together(vae, latents[:1])]
    start, most = 1, _most(pictures[0], latents)
    while start < len(latents):
        part = latents[start : start + most]
        try:
            pictures.append(_together(vae, part))
        except RuntimeError as error:
            if len(part) == 1 or not is_out_of_memory(error):
                raise
        else:
            start += len(part)
            continue
        free_memory()  # only now, outside the handler: the traceback holds on to tensors
        most = 1
    return torch.cat(pictures)


def _together(vae: Any, latents: torch.Tensor) -> torch.Tensor:
    return vae.decode(latents, return_dict=False)[0].float()


def _most(picture: torch.Tensor, latents: torch.Tensor) -> int:
    """How many pictures of that size (1, 3, h, w) may be decoded together."""
    room = int(SHARE * free_bytes(latents.device)) or ROOM
    return max(1, room // (A_PIXEL * picture.shape[-2] * picture.shape[-1] * latents.element_size()))


def _unscaled(config: Any, latents: torch.Tensor) -> torch.Tensor:
    mean, std = config.get("latents_mean"), config.get("latents_std")
    if mean is None or std is None:
        return latents / config["scaling_factor"]
    mean, std = (latents.new_tensor(values).view(1, -1, 1, 1) for values in (mean, std))
    return latents * std / config["scaling_factor"] + mean


def to_pictures(images: torch.Tensor) -> tuple[list[Image.Image], list[str | None]]:
    """8-bit RGB pictures of images (n, 3, h, w) in -1 to 1, and what is wrong with each."""
    finite = torch.isfinite(images).flatten(1).all(dim=1).tolist()
    pixels = torch.nan_to_num(images / 2 + 0.5).clamp(0, 1).mul(255).round().to(torch.uint8)
    arrays = pixels.permute(0, 2, 3, 1).cpu().numpy()
    faults = [fault_of(array) if is_finite else "not a number" for array, is_finite in zip(arrays, finite, strict=True)]
    return [Image.fromarray(array) for array in arrays], faults


def fault_of(array: np.ndarray[Any, Any]) -> str | None:
    """What is wrong with a picture's pixels, if anything."""
    if array.std() >= FLAT:
        return None
    return "black" if array.mean() < BLACK else "constant"


class Inspection:
    """Counts a model's broken pictures. One in eight is tolerated: a probe may happen to come out flat."""

    def __init__(self, model: ModelFile, expected: int, precision: str, remedy: str = "try float32 precision") -> None:
        self._model, self._expected, self._precision, self._remedy = model, expected, precision, remedy
        self._made = 0
        self._faults: list[str] = []

    def add(self, faults: Sequence[str | None]) -> None:
        """Raises InvalidOutputError once it is certain, or likely from the first few, that too many are broken."""
        self._made += len(faults)
        self._faults += [fault for fault in faults if fault]
        broken = len(self._faults)
        if broken > self._expected * TOLERATED or (broken == self._made and broken >= EARLY):
            raise InvalidOutputError(self._message())

    def _message(self) -> str:
        kinds = " or ".join(sorted(set(self._faults)))
        cause = (
            "The weights are damaged or do not fit their base model"
            if self._precision == "float32"
            else f"Often {self._precision} overflows, mostly in the VAE; {self._remedy}"
        )
        return f"{len(self._faults)} of the first {self._made} pictures of {self._model.name} are {kinds}. {cause}"
