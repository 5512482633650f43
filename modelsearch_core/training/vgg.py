"""VGG19 trained with triplets, as in the paper: minutes on a graphics card, many hours on a processor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image

from ..encoders.device import best_device
from ..encoders.style import SIDE, State, StyleEncoder, StyleNetwork, preparation, untrained
from .labels import Labels, Numbers
from .triplet import OnEpoch, TripletSettings, fit

PAPER = TripletSettings()


def train_network(
    images: Sequence[Image.Image],
    labels: Labels,
    weights: State,
    settings: TripletSettings = PAPER,
    *,
    kept: Path | None = None,
    on_epoch: OnEpoch | None = None,
    device: str = "auto",
    side: int = SIDE,
) -> StyleNetwork:
    """From pictures and ImageNet's weights."""
    torch.manual_seed(settings.seed)
    place = best_device(device)
    network, prepare = untrained(weights, settings.seed).to(place), preparation(side)

    def inputs(rows: Numbers) -> torch.Tensor:
        return torch.from_numpy(prepare([images[int(row)] for row in rows])).to(place)

    fit(network, inputs, labels, settings, kept=kept, on_epoch=on_epoch)
    return network


def before_training(weights: State, device: str, seed: int, side: int = SIDE) -> StyleEncoder:
    """The paper's transfer-only variant: ImageNet's weights under a head that was never trained."""
    return StyleEncoder(untrained(weights, seed), "style-vgg19:untrained", device, preparation(side))
