"""A linear style head on an encoder's features: seconds on a processor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from ..embedding import Features
from ..encoders.style_head import StyleHead
from .labels import Labels
from .triplet import LINEAR, OnEpoch, TripletSettings, fit

DIMENSION = 128


class Linear(torch.nn.Module):
    """W·z + b at unit length. Begins as the features' principal directions, which keep all distances as they are."""

    def __init__(self, features: Features) -> None:
        super().__init__()
        weight, bias = principal_directions(features, DIMENSION)
        self.weight = torch.nn.Parameter(torch.from_numpy(weight))
        self.bias = torch.nn.Parameter(torch.from_numpy(bias))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return functional.normalize(functional.linear(z, self.weight, self.bias), dim=1)


def train_head(
    features: Features,
    labels: Labels,
    encoder: str,
    settings: TripletSettings = LINEAR,
    *,
    kept: Path | None = None,
    on_epoch: OnEpoch | None = None,
) -> StyleHead:
    """From unit features (N, D) of the pictures."""
    network = Linear(features)
    z = torch.from_numpy(np.asarray(features, np.float32))
    losses = fit(network, lambda rows: z[torch.from_numpy(rows)], labels, settings, kept=kept, on_epoch=on_epoch)
    weight, bias = (parameter.detach().numpy() for parameter in (network.weight, network.bias))
    return StyleHead(weight=weight.copy(), bias=bias.copy(), encoder=encoder, record={"losses": _rounded(losses)})


def principal_directions(features: Features, most: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(W, b) that centre features and turn them so that the first `most` directions hold what differs most."""
    z = np.asarray(features, np.float64)
    mean = z.mean(axis=0)
    _, _, Vt = np.linalg.svd(z - mean, full_matrices=False)
    W = Vt[:most]
    return W.astype(np.float32), (-W @ mean).astype(np.float32)


def _rounded(losses: list[float]) -> list[float]:
    return [round(loss, 5) for loss in losses]
