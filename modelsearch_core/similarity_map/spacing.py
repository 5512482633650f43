"""Moves tiles apart that lie over each other, by as little as it takes, without chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.floating]  # (M, 2), centres of tiles of side 1

ROOM = 2.0  # area of the map for a tile of area 1, at first
ROUNDS = 60  # of pushing before the whole map grows
GROWTH = 1.06
TOUCHING = 1e-3  # overlap that nobody sees
OUTLIER = 0.02  # share of models at either end that do not say how large the map is
EVEN = 0.4  # how far places follow the models' order along an axis rather than their distance: fills empty stretches


def spaced(points: Points, *, aspect: float = 1.0) -> Points:
    """Points in units of a tile, no two tiles over each other. `aspect`: how many times as wide as high the map is."""
    if len(points) < 2:
        return np.zeros((len(points), 2))
    places = _fitted(points, aspect)
    while True:
        for _ in range(ROUNDS):
            push = _push(places)
            if push is None:
                return places - (places.max(axis=0) + places.min(axis=0)) / 2
            places = places + push
        places *= GROWTH


def _fitted(points: Points, aspect: float) -> Points:
    """Spread over an area with room for all; ends that lie far off are drawn nearer."""
    low, high = np.quantile(points, [OUTLIER, 1 - OUTLIER], axis=0)
    span = np.where(high - low > 1e-9, high - low, 1)
    place = (points - (low + high) / 2) / span  # most of it within ±.5
    beyond = np.maximum(np.abs(place) - 0.5, 0)
    place = np.sign(place) * (np.minimum(np.abs(place), 0.5) + np.log1p(2 * beyond) / 4)
    order = np.argsort(np.argsort(points, axis=0, kind="stable"), axis=0) / (len(points) - 1) - 0.5
    place = (1 - EVEN) * place + EVEN * np.where(high - low > 1e-9, order, 0)
    side = np.sqrt(ROOM * len(points))
    return place * [side * np.sqrt(aspect), side / np.sqrt(aspect)] + _sunflower(len(points))


def _sunflower(count: int) -> Points:
    """Half a tile at most: what lies on one spot, or in one line, may give way to all sides (Vogel 1979)."""
    n = np.arange(count)
    angle = n * np.pi * (3 - np.sqrt(5))
    return np.sqrt(n / count)[:, None] / 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _push(places: Points) -> Points | None:
    """Where each tile gives way to; None where no two overlap. Neighbours are met in the order of x."""
    order = np.argsort(places[:, 0], kind="stable")
    x, y = places[order].T
    push = np.zeros_like(places)
    met = False
    for k in range(1, len(places)):
        dx, dy = x[k:] - x[:-k], y[k:] - y[:-k]
        near = dx < 1 - TOUCHING
        if not near.any():
            break
        over = near & (np.abs(dy) < 1 - TOUCHING)
        if over.any():
            met = True
            _part(push, np.flatnonzero(over), k, dx[over], dy[over])
    placed = np.empty_like(push)
    placed[order] = push
    return placed if met else None


def _part(push: Points, left: NDArray[np.intp], k: int, dx: NDArray[np.floating], dy: NDArray[np.floating]) -> None:
    """Pairs (left, left + k) give way along the axis on which less is needed, either by half."""
    along_x = 1 - dx <= 1 - np.abs(dy)
    half = np.zeros((len(left), 2))
    half[along_x, 0] = (1 - dx[along_x]) / 2
    half[~along_x, 1] = np.where(dy[~along_x] < 0, -1, 1) * (1 - np.abs(dy[~along_x])) / 2
    push[left + k] += half
    push[left] -= half
