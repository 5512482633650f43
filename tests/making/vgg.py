"""A narrow VGG19 with random weights, in the two files in which VGG19 is published."""

from __future__ import annotations

import torch

BLOCKS = ((4, 2), (6, 2), (8, 4), (8, 4), (8, 4))  # (channels, convolutions) before each halving
DENSE, PLACES = 16, 7 * 7


def torchvision_state(seed: int = 0) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    state: dict[str, torch.Tensor] = {}

    def layer(name: str, *shape: int) -> None:
        inputs = torch.Size(shape[1:]).numel()
        state[f"{name}.weight"] = torch.randn(shape, generator=random) * (2 / inputs) ** 0.5
        state[f"{name}.bias"] = torch.zeros(shape[0])

    number, inputs = 0, 3
    for channels, count in BLOCKS:
        for _ in range(count):
            layer(f"features.{number}", channels, inputs, 3, 3)
            number, inputs = number + 2, channels
        number += 1
    layer("classifier.0", DENSE, inputs * PLACES)
    layer("classifier.3", DENSE, DENSE)
    layer("classifier.6", 1000, DENSE)
    return state


def timm_state(seed: int = 0) -> dict[str, torch.Tensor]:
    """The same weights: dense layers as convolutions."""
    state = torchvision_state(seed)
    channels = BLOCKS[-1][0]
    for ours, theirs, shape in (
        ("classifier.0", "pre_logits.fc1", (DENSE, channels, 7, 7)),
        ("classifier.3", "pre_logits.fc2", (DENSE, DENSE, 1, 1)),
        ("classifier.6", "head.fc", (1000, DENSE)),
    ):
        state[f"{theirs}.weight"] = state.pop(f"{ours}.weight").reshape(shape)
        state[f"{theirs}.bias"] = state.pop(f"{ours}.bias")
    return state
