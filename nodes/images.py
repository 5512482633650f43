"""ComfyUI's IMAGE (N, height, width, 3), 0 to 1, and Pillow's pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageOps

NOTHING = (256, 256)
GREY = (96, 96, 100)


def to_pictures(images: Any) -> list[Image.Image]:
    """None is no picture."""
    if images is None:
        return []
    arrays = (255 * images.cpu().float().clamp(0, 1).numpy()).round().astype(np.uint8)
    return [Image.fromarray(array[..., :3]) for array in arrays]


def to_images(pictures: Sequence[Image.Image]) -> Any:
    """One batch: pictures of other sizes are fitted into the first one's; a grey one where there is none."""
    import torch

    shown = [picture.convert("RGB") for picture in pictures] or [Image.new("RGB", NOTHING, GREY)]
    size = shown[0].size
    same = [picture if picture.size == size else ImageOps.pad(picture, size, color=GREY) for picture in shown]
    return torch.from_numpy(np.stack([np.asarray(picture, np.float32) / 255 for picture in same]))
