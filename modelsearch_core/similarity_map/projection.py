"""Two coordinates for many: principal axes, or UMAP (McInnes et al. 2018) where umap-learn is installed.

x (M, D): what tells models apart, rows with the common part taken off.
"""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..embedding import Features
from ..errors import ModelSearchError

NEIGHBOURS = 15  # of UMAP, its own usual
FEWEST_FOR_UMAP = 5


class Projection(NamedTuple):
    """Points (M, 2), and the share of all differences that they hold; None where no such thing can be told."""

    points: NDArray[np.floating]
    share: float | None


def principal_axes(x: Features) -> Projection:
    """The two directions in which models differ most. An axis points to where its largest part is positive."""
    x = np.asarray(x, np.float64)
    total = float((x**2).sum())
    points = np.zeros((len(x), 2))
    for number, axis in enumerate(_axes(x)[:2]):
        points[:, number] = x @ (axis * np.sign(axis[np.abs(axis).argmax()]))
    return Projection(points, float((points**2).sum()) / total if total > 0 else None)


def _axes(x: NDArray[np.floating]) -> NDArray[np.floating]:
    """Unit rows, the strongest first; through the smaller of XᵀX and X."""
    if len(x) > x.shape[1]:
        return np.linalg.eigh(x.T @ x)[1].T[::-1]
    return np.linalg.svd(x, full_matrices=False)[2]


def umap(x: Features) -> Projection:
    """Keeps neighbours together rather than distances. ModelSearchError where the package is missing."""
    try:
        reducer = import_module("umap").UMAP
    except ImportError as error:
        raise ModelSearchError('UMAP needs umap-learn; `pip install "model-search[map]"`, or choose pca') from error
    if len(x) < FEWEST_FOR_UMAP:
        return principal_axes(x)
    made = reducer(n_neighbors=min(NEIGHBOURS, len(x) - 1), metric="cosine", random_state=0, n_jobs=1)
    points = np.asarray(made.fit_transform(np.asarray(x, np.float32)), np.float64)
    return Projection(points - points.mean(axis=0), None)
