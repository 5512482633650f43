"""Training with triplets: max(‖a − p‖ − ‖a − n‖ + margin, 0) (Hoffer and Ailon 2015; equation 2 of Vu et al.).

A network gives style vectors of unit length, so that a margin means the same for every network; the paper leaves the
margin and the vectors' scale open. An epoch's triplets follow from the seed and the epoch alone, so that a training
that was interrupted goes on exactly as it would have.

Formulas, sources, constants: docs/methods.md 7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch.nn import functional

from ..errors import ModelSearchError
from ..model_files.pickles import load_pickle
from .labels import Labels, Numbers, triplets

Inputs = Callable[[Numbers], torch.Tensor]  # of numbered pictures
OnEpoch = Callable[[int, float], None]  # epochs done, mean loss; may raise to stop


@dataclass(frozen=True, kw_only=True)
class TripletSettings:
    """The paper's: SGD with 1e-3, batches of 20, 12 epochs."""

    epochs: int = 12
    batch: int = 20
    rate: float = 1e-3
    margin: float = 0.2
    optimiser: str = "sgd"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 1 or self.rate <= 0 or self.margin <= 0:
            raise ValueError(f"epochs, batch, rate and margin must be above 0, not {asdict(self)}")


LINEAR = TripletSettings(epochs=30, rate=3e-3, optimiser="adam")


def triplet_loss(a: torch.Tensor, p: torch.Tensor, n: torch.Tensor, margin: float) -> torch.Tensor:
    """Mean of max(‖a − p‖ − ‖a − n‖ + margin, 0) over rows (B, d)."""
    return functional.relu(_distance(a, p) - _distance(a, n) + margin).mean()


def _distance(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return ((x - y).square().sum(dim=1) + 1e-12).sqrt()  # the root of 0 has no slope


def fit(
    network: torch.nn.Module,
    inputs: Inputs,
    labels: Labels,
    settings: TripletSettings,
    *,
    kept: Path | None = None,
    on_epoch: OnEpoch | None = None,
) -> list[float]:
    """Trains in place; the mean loss of each epoch. State goes to `kept` after every epoch; what is there goes on."""
    optimiser = _optimiser(network, settings)
    losses = _restored(kept, network, optimiser, settings, len(labels)) if kept else []
    network.train()
    for epoch in range(len(losses), settings.epochs):
        batches = [_step(network, inputs, rows, optimiser, settings) for rows in _batches(labels, settings, epoch)]
        if not batches:
            raise ValueError(f"{len(labels)} pictures make no triplet; two models with two subjects are the least")
        losses.append(float(np.mean(batches)))
        if kept:
            _keep(kept, network, optimiser, settings, len(labels), losses)
        if on_epoch:
            on_epoch(epoch + 1, losses[-1])
    network.eval()
    return losses


def _batches(labels: Labels, settings: TripletSettings, epoch: int) -> Iterator[Numbers]:
    found = triplets(labels, np.random.default_rng([settings.seed, epoch]))
    for start in range(0, len(found), settings.batch):
        yield found[start : start + settings.batch]


def _step(
    network: torch.nn.Module, inputs: Inputs, rows: Numbers, optimiser: torch.optim.Optimizer, settings: TripletSettings
) -> float:
    a, p, n = network(inputs(rows.T.reshape(-1))).chunk(3)
    loss = triplet_loss(a, p, n, settings.margin)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
    return float(loss.detach())


def _optimiser(network: torch.nn.Module, settings: TripletSettings) -> torch.optim.Optimizer:
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    if settings.optimiser == "adam":
        return torch.optim.AdamW(weights, lr=settings.rate, weight_decay=1e-4)
    return torch.optim.SGD(weights, lr=settings.rate)


def _keep(
    path: Path,
    network: torch.nn.Module,
    optimiser: torch.optim.Optimizer,
    settings: TripletSettings,
    pictures: int,
    losses: list[float],
) -> None:
    state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "losses": losses}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    torch.save(state | {"of": _of(settings, pictures)}, part)
    part.replace(path)


def _of(settings: TripletSettings, pictures: int) -> dict[str, Any]:
    """What an interrupted training must have in common with the one that goes on."""
    return {**asdict(settings), "epochs": 0, "pictures": pictures}


def _restored(
    path: Path, network: torch.nn.Module, optimiser: torch.optim.Optimizer, settings: TripletSettings, pictures: int
) -> list[float]:
    if not path.is_file():
        return []
    try:
        state = cast("dict[str, Any]", load_pickle(path))
        if state["of"] != _of(settings, pictures):
            return []
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        return list(state["losses"])
    except Exception as error:  # zip, pickle and torch each have their own
        raise ModelSearchError(f"{path} cannot be gone on from ({error}); delete it to train from the start") from error
