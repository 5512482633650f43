"""What several style families need: grids, blurs, edges, cells. Images are (side, side, 3) floats in 0..1."""

from __future__ import annotations

import numpy as np

from .styles import SCALE, Array


def grid(image: Array) -> tuple[Array, Array]:
    """Row and column of every pixel, in pixels of the final picture, from the centre."""
    side = image.shape[0]
    line = (np.arange(side) + 0.5 - side / 2) / SCALE
    y, x = np.meshgrid(line, line, indexing="ij")
    return y, x


def luminance(image: Array) -> Array:
    return image @ np.array([0.3, 0.59, 0.11], dtype=np.float32)


def blurred(image: Array, sigma: float) -> Array:
    """Gaussian blur (sigma in final pixels), edges repeated."""
    s = sigma * SCALE
    reach = max(1, int(3 * s))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / s) ** 2)
    kernel = (kernel / kernel.sum()).astype(np.float32)
    for axis in (0, 1):
        image = _convolved(image, kernel, axis)
    return image


def _convolved(image: Array, kernel: Array, axis: int) -> Array:
    reach, side = len(kernel) // 2, image.shape[axis]
    index = np.clip(np.arange(side)[:, None] + np.arange(-reach, reach + 1)[None], 0, side - 1)
    matrix = np.zeros((side, side), dtype=np.float32)
    np.add.at(matrix, (np.repeat(np.arange(side), len(kernel)), index.ravel()), np.tile(kernel, side))
    return np.moveaxis(np.tensordot(matrix, image, axes=(1, axis)), 0, axis).astype(np.float32)


def edges(image: Array, width: float) -> Array:
    """Strength of outlines in 0..1, (side, side), about `width` final pixels wide."""
    soft = blurred(image, 0.35)
    gy, gx = np.gradient(soft, axis=(0, 1))
    strength = np.sqrt(gx**2 + gy**2).max(axis=-1)
    return np.clip(blurred(np.minimum(strength * 6, 1)[..., None], width / 2.5)[..., 0] * 1.8, 0, 1)


def cells(image: Array, size: float, rng: np.random.Generator, jitter: float = 0.9) -> tuple[Array, Array]:
    """Each pixel painted with the colour at its Voronoi cell's centre, and the distance to the cell's border."""
    y, x = grid(image)
    side = image.shape[0]
    n = int(np.ceil(side / SCALE / size)) + 3
    centres = rng.uniform(-jitter / 2, jitter / 2, (n, n, 2)) * size
    i0, j0 = np.round(y / size).astype(int) + n // 2, np.round(x / size).astype(int) + n // 2
    first = np.full(y.shape, np.inf)
    second = np.full(y.shape, np.inf)
    best = np.zeros((*y.shape, 2))
    for di in (-1, 0, 1):
        for dj in (-1, 0, 1):
            i, j = np.clip(i0 + di, 0, n - 1), np.clip(j0 + dj, 0, n - 1)
            c = centres[i, j] + np.stack([i - n // 2, j - n // 2], axis=-1) * size
            d = np.hypot(y - c[..., 0], x - c[..., 1])
            closer = d < first
            second = np.where(closer, first, np.minimum(second, d))
            best = np.where(closer[..., None], c, best)
            first = np.where(closer, d, first)
    return sampled(image, best[..., 0], best[..., 1]), second - first


def sampled(image: Array, y: Array, x: Array) -> Array:
    """The image's colours at the given places (nearest pixel, edges repeated)."""
    side = image.shape[0]
    i = np.clip(np.floor(y * SCALE + side / 2), 0, side - 1).astype(int)
    j = np.clip(np.floor(x * SCALE + side / 2), 0, side - 1).astype(int)
    return image[i, j]


def turned(y: Array, x: Array, degrees: float) -> tuple[Array, Array]:
    t = np.deg2rad(degrees)
    return y * np.cos(t) - x * np.sin(t), y * np.sin(t) + x * np.cos(t)


def smooth_step(value: Array, width: float) -> Array:
    """0 below, 1 above zero, over about `width`."""
    return np.clip(value / width + 0.5, 0, 1)
