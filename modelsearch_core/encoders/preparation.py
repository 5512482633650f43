"""Pictures as an encoder sees them: 8-bit RGB, anti-aliased bicubic, short side to size, centre cut out.

Resizing 8-bit pictures with Pillow's filter is what keeps features comparable (Parmar et al., clean-fid,
arXiv 2104.11222); a stored thumbnail and a fresh picture of the same size give the same numbers. What is outside the
centre square is not seen, as in CLIP's own preparation; models that were trained on squashed pictures get those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ..drawing import eight_bits

OPENAI_MEAN, OPENAI_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")
FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """What an encoder's pictures looked like in its training."""

    size: int
    mean: Sequence[float] = OPENAI_MEAN
    std: Sequence[float] = OPENAI_STD
    squash: bool = False
    filter: Image.Resampling = Image.Resampling.BICUBIC

    @classmethod
    def of(cls, size: int, settings: Mapping[str, Any]) -> Preparation:
        """From open_clip's `preprocess_cfg` or the record of a pretrained tag; either may leave values out."""
        return cls(
            size=size,
            mean=tuple(settings.get("mean") or OPENAI_MEAN),
            std=tuple(settings.get("std") or OPENAI_STD),
            squash=settings.get("resize_mode") == "squash",
            filter=FILTERS.get(settings.get("interpolation") or "bicubic", Image.Resampling.BICUBIC),
        )

    def __call__(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """(n, 3, size, size), normalised."""
        batch = np.stack([np.asarray(self.seen(image), np.float32) for image in images])
        mean, std = (np.array(values, np.float32) for values in (self.mean, self.std))
        return np.ascontiguousarray(((batch / 255 - mean) / std).transpose(0, 3, 1, 2), np.float32)

    def seen(self, image: Image.Image) -> Image.Image:
        """The (size, size) picture in RGB that goes into the network."""
        image = rgb(image)
        if self.squash:
            return self._resized(image, (self.size, self.size))
        short = min(image.size)
        width, height = (int(self.size * edge / short) for edge in image.size)
        left, top = (round((edge - self.size) / 2) for edge in (width, height))
        return self._resized(image, (width, height)).crop((left, top, left + self.size, top + self.size))

    def _resized(self, image: Image.Image, size: tuple[int, int]) -> Image.Image:
        return image if image.size == size else image.resize(size, self.filter)


def rgb(image: Image.Image) -> Image.Image:
    """Upright, without alpha (on white), three channels of 8 bits."""
    image = eight_bits(ImageOps.exif_transpose(image) or image)
    if image.mode in WITH_ALPHA or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")
