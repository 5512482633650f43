"""One training loop for every network of the zoo: AdamW, warm-up and cosine, an average of the weights, resumable."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True, kw_only=True)
class Schedule:
    steps: int
    batch: int
    rate: float
    seed: int
    average: float = 0.0  # decay of the weights' moving average; 0 keeps the last weights
    weight_decay: float = 1e-3


@dataclass
class Figures:
    """What a training reports: its schedule and the mean loss of its first and last tenth."""

    steps: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list[float])

    def summary(self) -> dict[str, Any]:
        n = max(1, len(self.losses) // 10)
        return {
            "steps": self.steps,
            "seconds": round(self.seconds),
            "first_loss": round(float(np.mean(self.losses[:n])), 5),
            "last_loss": round(float(np.mean(self.losses[-n:])), 5),
        }


Loss = Callable[[np.random.Generator, torch.Generator], torch.Tensor]


def train(weights: Sequence[torch.nn.Parameter], loss: Loss, schedule: Schedule, kept: Path) -> Figures:
    """Train in place; state goes to `kept` every minute, and an interrupted training goes on from there.

    A step's data depend on the seed and the step alone, so a resumed run equals an uninterrupted one.
    """
    optimiser = torch.optim.AdamW(weights, lr=schedule.rate, weight_decay=schedule.weight_decay, betas=(0.9, 0.98))
    average = [w.detach().clone() for w in weights]
    figures = Figures()
    if kept.exists():
        _restore(torch.load(kept, weights_only=True, map_location="cpu"), weights, average, optimiser, figures)
    saved = started = time.monotonic()
    before = figures.seconds
    while figures.steps < schedule.steps:
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate * _cosine(figures.steps, schedule.steps)
        step_loss = loss(*_generators(schedule.seed, figures.steps))
        optimiser.zero_grad(set_to_none=True)
        step_loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        figures.steps += 1
        figures.losses.append(float(step_loss.detach()))
        _update(average, weights, min(schedule.average, figures.steps / (figures.steps + 10)))
        figures.seconds = before + time.monotonic() - started
        if time.monotonic() - saved > 60 or figures.steps == schedule.steps:
            saved = time.monotonic()
            _keep(kept, weights, average, optimiser, figures)
            print(f"{kept.stem}: step {figures.steps}/{schedule.steps} {figures.summary()}", flush=True)
    if schedule.average:
        with torch.no_grad():
            for w, a in zip(weights, average, strict=True):
                w.copy_(a)
    return figures


def _cosine(step: int, steps: int) -> float:
    warm = max(1, min(100, steps // 10))
    return float(min((step + 1) / warm, 0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * step / steps))))


def _generators(seed: int, step: int) -> tuple[np.random.Generator, torch.Generator]:
    rng = np.random.default_rng([seed, step])
    return rng, torch.Generator().manual_seed(int(rng.integers(2**62)))


@torch.no_grad()
def _update(average: list[torch.Tensor], weights: Sequence[torch.Tensor], decay: float) -> None:
    if decay:
        torch._foreach_lerp_(average, [w.detach() for w in weights], 1 - decay)


def _keep(
    path: Path,
    weights: Sequence[torch.Tensor],
    average: list[torch.Tensor],
    optimiser: torch.optim.Optimizer,
    figures: Figures,
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "weights": [w.detach() for w in weights],
        "average": average,
        "optimiser": optimiser.state_dict(),
        "figures": vars(figures),
    }
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


@torch.no_grad()
def _restore(
    state: dict[str, Any],
    weights: Sequence[torch.Tensor],
    average: list[torch.Tensor],
    optimiser: torch.optim.Optimizer,
    figures: Figures,
) -> None:
    for w, a, kept, kept_average in zip(weights, average, state["weights"], state["average"], strict=True):
        w.copy_(kept)
        a.copy_(kept_average)
    optimiser.load_state_dict(state["optimiser"])
    figures.__dict__.update(state["figures"])
