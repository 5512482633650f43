"""A picture as a line drawing, black on white, with nothing to load; a user's sketch brought to the same tone.

Drawers with weights (HED, PiDiNet) are in `encoders.drawers`, which prefers them where they are on disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter, ImageOps

Draw = Callable[[Image.Image], Image.Image]
WORKING_SIZE = 192  # pixels of the short side; small pictures are enlarged so that lines have a width
FINE_SIZE = 384
DEEP_GREYS = ("I", "I;16", "I;16L", "I;16B", "I;16N")
INVISIBLE = 20  # grey levels from white; a stroke lighter than that is not seen on white paper
FAINT = 96  # a sketch whose darkest strokes are lighter than that is darkened


@dataclass(frozen=True)
class Drawer:
    """RGB picture in, RGB line drawing of the same size out. `name` tells what drew."""

    name: str
    draw: Draw

    def __call__(self, image: Image.Image) -> Image.Image:
        return self.draw(image)


def outlines(image: Image.Image) -> Image.Image:
    """Morphological gradient of the strongest channel, with no weights to load. RGB, of the picture's size."""
    large = _enlarged(image).filter(ImageFilter.GaussianBlur(2))
    return _inked([_gradient(channel, 5) for channel in large.split()], image.size)


def fine_outlines(image: Image.Image) -> Image.Image:
    """The same with lines half as wide, which leaves the detail of a large picture in sight."""
    large = _enlarged(image, FINE_SIZE).filter(ImageFilter.GaussianBlur(1))
    return _inked([_gradient(channel, 3) for channel in large.split()], image.size)


def pencil(image: Image.Image) -> Image.Image:
    """Colour dodge: the grey picture divided by its blur, which leaves what is darker than its surroundings."""
    grey = _enlarged(image).convert("L")
    blurred = np.asarray(grey.filter(ImageFilter.GaussianBlur(6)), np.float32)
    return _drawn(np.clip((np.asarray(grey, np.float32) + 1) / (blurred + 1), 0, 1) ** 3, image.size)


def canny(image: Image.Image) -> Image.Image:
    """Canny's edges, thresholds from the median brightness. Needs OpenCV."""
    import cv2

    grey = np.asarray(_enlarged(image).convert("L").filter(ImageFilter.GaussianBlur(1)))
    median = float(np.median(grey))
    edges: NDArray[np.uint8] = np.asarray(cv2.Canny(grey, 0.66 * median, 1.33 * median + 1), np.uint8)
    return _drawn(1 - np.asarray(Image.fromarray(edges).filter(ImageFilter.MaxFilter(3)), np.float32) / 255, image.size)


WITHOUT_WEIGHTS = {
    drawer.__name__: Drawer(drawer.__name__, drawer) for drawer in (outlines, fine_outlines, pencil, canny)
}


def best_drawer() -> Drawer:
    """The best that needs no weights. `encoders.open_drawer` looks for those first."""
    return WITHOUT_WEIGHTS["outlines"]


def to_sketch_tone(image: Image.Image) -> Image.Image:
    """A user's sketch as black on white, RGB: transparency is paper, a dark page is turned over, paper becomes white
    and faint strokes dark."""
    grey = _on_paper(eight_bits(ImageOps.exif_transpose(image) or image))
    if _paper(grey) < 128:
        grey = ImageOps.invert(grey)
    white, black = max(_paper(grey), 1.0), float(np.percentile(np.asarray(grey), 0.5))
    black = black if FAINT < black < white - INVISIBLE else 0.0
    return grey.point([_clipped(255 * (v - black) / (white - black)) for v in range(256)]).convert("RGB")


def digest_of(image: Image.Image) -> str:
    """32 hex digits over a picture's size and pixels: the name by which a probe asks for a drawing."""
    image = image.convert("RGB")
    return hashlib.sha256(f"{image.width}x{image.height}:".encode() + image.tobytes()).hexdigest()[:32]


def eight_bits(image: Image.Image) -> Image.Image:
    """Greys of 16 bits as 8, which Pillow would cut off at 255; other pictures as they are."""
    if image.mode not in DEEP_GREYS:
        return image
    values = np.asarray(image, np.float32)
    return Image.fromarray(np.clip(values / 257 if values.max(initial=0) > 255 else values, 0, 255).astype(np.uint8))


def _on_paper(image: Image.Image) -> Image.Image:
    """Grey, without transparency: on white paper, or on black where the strokes would be lost on white."""
    rgba = image.convert("RGBA")
    on_white, on_black = (
        Image.alpha_composite(Image.new("RGBA", rgba.size, paper), rgba).convert("L") for paper in ("white", "black")
    )
    darkest, _ = on_white.getextrema()
    return on_black if isinstance(darkest, int) and darkest > 255 - INVISIBLE else on_white


def _paper(grey: Image.Image) -> float:
    """What most of the border has for a brightness."""
    pixels = np.asarray(grey, np.float32)
    return float(np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])))


def _clipped(value: float) -> int:
    return round(min(max(value, 0.0), 255.0))


def _enlarged(image: Image.Image, to: int = WORKING_SIZE) -> Image.Image:
    image = image.convert("RGB")
    scale = to / min(image.size)
    return image.resize([max(1, round(edge * scale)) for edge in image.size], Image.Resampling.BICUBIC)


def _drawn(paper: NDArray[np.floating], size: tuple[int, int]) -> Image.Image:
    """From the share of paper, 0 (ink) to 1, in RGB of that size."""
    return Image.fromarray((255 * paper).astype(np.uint8)).resize(size, Image.Resampling.BOX).convert("RGB")


def _inked(gradients: Sequence[Image.Image], size: tuple[int, int]) -> Image.Image:
    strongest = np.max([np.asarray(gradient, np.float32) for gradient in gradients], axis=0)
    return _drawn(1 - np.clip((strongest - 18) / 30, 0, 1), size)


def _gradient(channel: Image.Image, width: int) -> Image.Image:
    widest, narrowest = channel.filter(ImageFilter.MaxFilter(width)), channel.filter(ImageFilter.MinFilter(width))
    return ImageChops.difference(widest, narrowest)
