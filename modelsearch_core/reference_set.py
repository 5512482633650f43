"""The reference set: subjects of all sorts as line drawings, which every model is asked to fill out.

After "Image-Generation AI Model Retrieval by Contrastive Learning-based Style Distance Calculation"; docs/methods.md 7.
The bundled subjects are drawn by `benchmarks/reference_subjects.py`; a user's own folder of pictures does as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from .drawing import Drawer, digest_of
from .errors import ModelSearchError
from .model_files.opening import open_regular
from .probes import Probe, reference_probes
from .raster import open_raster

BUNDLED = Path(__file__).parent / "reference_subjects"
ENDINGS = (".webp", ".png", ".jpg", ".jpeg", ".bmp")
SIZE = 512  # pixels of the square in which subjects are drawn
UNCHANGED = 0.01  # mean squared error under which an output is its input again, as far as one can see
LONGEST_SIDE = 8192


@dataclass(frozen=True, kw_only=True)
class ReferenceSet:
    """Subjects and their line drawings, both RGB of SIZE by SIZE, in an order that counts."""

    names: tuple[str, ...]
    subjects: tuple[Image.Image, ...]
    drawings: tuple[Image.Image, ...]
    drawer: str
    weight: float = 1.0
    style_fidelity: float = 0.5

    @cached_property
    def digests(self) -> tuple[str, ...]:
        return tuple(map(digest_of, self.drawings))

    @property
    def probes(self) -> tuple[Probe, ...]:
        return reference_probes(self.digests)

    @cached_property
    def by_digest(self) -> Mapping[str, Image.Image]:
        """The drawings by what probes call them."""
        return dict(zip(self.digests, self.drawings, strict=True))


def reference_set(
    subjects: Mapping[str, Image.Image], draw: Drawer, *, weight: float = 1.0, style_fidelity: float = 0.5
) -> ReferenceSet:
    """Draws the subjects. ValueError where there is none."""
    if not subjects:
        raise ValueError("0 subjects; a reference set needs one or more")
    squares = tuple(map(square, subjects.values()))
    return ReferenceSet(
        names=tuple(subjects),
        subjects=squares,
        drawings=tuple(map(draw, squares)),
        drawer=draw.name,
        weight=weight,
        style_fidelity=style_fidelity,
    )


def read_subjects(folder: Path = BUNDLED) -> dict[str, Image.Image]:
    """Pictures of a folder by name. ModelSearchError where there is none, or one cannot be read."""
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in ENDINGS)
    if not files:
        raise ModelSearchError(f"{folder} has no pictures ({', '.join(ENDINGS)}) to take as reference subjects")
    return {path.stem: _opened(path) for path in files}


def square(image: Image.Image) -> Image.Image:
    """The centre square in RGB, SIZE pixels wide."""
    return ImageOps.fit(image.convert("RGB"), (SIZE, SIZE), Image.Resampling.BICUBIC)


def mean_squared_error(a: Image.Image, b: Image.Image) -> float:
    """Equation 1 of the paper: squared differences summed over RGB, mean over pixels; of intensities from 0 to 1.

    The paper counts them from 0 to 255, where its threshold of 0.01 asks for a copy bit by bit; what comes out of a
    model's decoder never is one, and the paper means to drop what is "almost indistinguishable from the original".
    """
    first, second = (_pixels(image, a.size) / 255 for image in (a, b))
    return float(((first - second) ** 2).sum(axis=2).mean())


def cleansed(outputs: Sequence[Image.Image], inputs: Sequence[Image.Image]) -> list[bool]:
    """Which outputs, as the model gave them, are to be kept: those that are not their own input again."""
    return [mean_squared_error(o, i) >= UNCHANGED for o, i in zip(outputs, inputs, strict=True)]


def _pixels(image: Image.Image, size: tuple[int, int]) -> NDArray[np.float64]:
    image = image.convert("RGB")
    return np.asarray(image if image.size == size else image.resize(size, Image.Resampling.BICUBIC), np.float64)


def _opened(path: Path) -> Image.Image:
    try:
        with open_regular(path) as file:
            return open_raster(file, LONGEST_SIDE)
    except (ModelSearchError, OSError) as error:
        raise ModelSearchError(f"{path} cannot be read as a picture ({error}); take it out of the folder") from error
