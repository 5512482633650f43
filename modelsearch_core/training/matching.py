"""Learned matching (section 3.2 of arXiv 2210.03116): the matrix of `scores.matching`, trained with InfoNCE.

Every model is a class, pictures that its statistics do not hold are the queries. `cross_validation` chooses how the
matrix is parameterised and how long it is trained.

Formulas, sources, constants: docs/methods.md 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from ..embedding import Features, unit
from ..scores import content, gaussian
from ..scores.matching import Matrix, learned_first_moment, learned_gaussian
from ..scores.samples import Offsets, offsets_of

PARAMETERISATIONS = ("diagonal", "triangular", "full")
BATCH = 64
MOST = 512  # models that one step tells apart
RATE = {"diagonal": 1e-2, "triangular": 2e-3, "full": 2e-3}
START_SPREAD = 3.0  # of the plain scores over the models, as logits

Numbers = NDArray[np.intp]
OnStep = Callable[[], None]  # after every `REPORT_EVERY` steps; may raise to stop
REPORT_EVERY = 20


@dataclass(frozen=True, kw_only=True)
class Round:
    """Samples that M models' statistics are made of, and queries (T, D) that are none of them; owner (T,)."""

    Z: Features
    offsets: Offsets
    h: Features
    owner: Numbers


def halves(
    Z: Features, offsets: Offsets, numbers: NDArray[np.integer], queries: Features, seed: int = 0
) -> list[Round]:
    """Two rounds: statistics of one half of the probes, `queries` (N, D) features of the other half, and the other way.

    The halves are of probes, not of rows, so that no query's prompt is behind a statistic.
    """
    known = np.unique(numbers)
    first = np.random.default_rng(seed).permutation(known)[: len(known) // 2]
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    in_first = np.isin(numbers, first)
    return [_round(Z, owner, queries, inside) for inside in (in_first, ~in_first)]


def _round(Z: Features, owner: Numbers, queries: Features, inside: NDArray[np.bool_]) -> Round:
    """A model without a sample on one side keeps all of them and asks nothing."""
    M = int(owner[-1]) + 1
    lacking = (np.bincount(owner[inside], minlength=M) == 0) | (np.bincount(owner[~inside], minlength=M) == 0)
    kept, asking = inside | lacking[owner], ~inside & ~lacking[owner]
    offsets = offsets_of(np.bincount(owner[kept], minlength=M))
    return Round(Z=Z[kept], offsets=offsets, h=queries[asking], owner=owner[asking])


class FirstMoment:
    """A between means and queries, both at unit length."""

    name = "first_moment"

    def __init__(self, of: Round) -> None:
        self.means = unit(content.means(of.Z, of.offsets)).astype(np.float32)

    def plain(self, h: Features) -> NDArray[np.floating]:
        return content.first_moment(self.means, h)

    def learned(self, matrix: Matrix, h: Features) -> NDArray[np.floating]:
        return learned_first_moment(matrix, self.means, h)

    def logits(self, apply: Apply, h: torch.Tensor, models: Numbers) -> torch.Tensor:
        """(b, m)"""
        mu = torch.from_numpy(self.means[models])
        return functional.normalize(apply(h), dim=1) @ functional.normalize(apply(mu), dim=1).T

    @staticmethod
    def inverted(parameterisation: str) -> bool:
        return False


class GaussianDensity:
    """B = A⁻¹ between queries and means, the covariances left as they are."""

    name = "gaussian"

    def __init__(self, of: Round) -> None:
        self.gaussians = gaussian.fit(of.Z, of.offsets)

    def plain(self, h: Features) -> NDArray[np.floating]:
        return gaussian.log_density(self.gaussians, h)

    def learned(self, matrix: Matrix, h: Features) -> NDArray[np.floating]:
        return learned_gaussian(matrix, self.gaussians, h)

    def logits(self, apply: Apply, h: torch.Tensor, models: Numbers) -> torch.Tensor:
        """(b, m): log density less what is the same for all models."""
        g = self.gaussians
        mu, V = (torch.from_numpy(np.asarray(x[models], np.float32)) for x in (g.mean, g.axes))
        λ, constant = (torch.from_numpy(np.asarray(x[models], np.float32)) for x in (g.variances, g.log_normaliser))
        h, mu = apply(h), apply(mu)
        squared = h.square().sum(1)[:, None] + mu.square().sum(1) - 2 * h @ mu.T
        m, r, D = V.shape
        on_axes = (h @ V.reshape(m * r, D).T).view(-1, m, r) - torch.einsum("mrd,md->mr", V, mu)
        along = on_axes.square()
        distance = (squared - along.sum(2)) / g.floor + (along / (λ + g.floor)).sum(2)
        return -distance / 2 - constant

    @staticmethod
    def inverted(parameterisation: str) -> bool:
        """A diagonal B is 1 over the paper's sigmoid; a triangular or full B is as free as its A."""
        return parameterisation == "diagonal"


SCORES: dict[str, type[FirstMoment] | type[GaussianDensity]] = {s.name: s for s in (FirstMoment, GaussianDensity)}
Apply = Callable[[torch.Tensor], torch.Tensor]


class Transformation(torch.nn.Module):
    """A (or B), the identity to begin with: 2·sigmoid(ψ) on the diagonal, I + a triangle of ψ, or I + ψ."""

    def __init__(self, parameterisation: str, dimension: int, *, inverted: bool) -> None:
        super().__init__()
        shape = (dimension,) if parameterisation == "diagonal" else (dimension, dimension)
        self.psi = torch.nn.Parameter(torch.zeros(shape))
        self.kind, self.inverted = parameterisation, inverted

    def matrix(self) -> torch.Tensor:
        if self.kind == "diagonal":
            diagonal = 2 * torch.sigmoid(self.psi)
            return 1 / diagonal if self.inverted else diagonal
        free = torch.tril(self.psi) if self.kind == "triangular" else self.psi
        return torch.eye(len(free)) + free

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        matrix = self.matrix()
        return rows * matrix if matrix.ndim == 1 else rows @ matrix.T


def fit(
    rounds: Sequence[Round],
    score: str,
    parameterisation: str,
    steps: Sequence[int],
    models: Numbers | None = None,
    *,
    seed: int = 0,
    on_step: OnStep | None = None,
) -> list[Matrix]:
    """The matrix after each of `steps`, trained to tell `models` (all unless said) apart by their own queries."""
    scorers = [SCORES[score](r) for r in rounds]
    models = np.arange(len(rounds[0].offsets) - 1) if models is None else models
    rows = [np.flatnonzero(np.isin(r.owner, models)) for r in rounds]
    rng = np.random.default_rng([seed, 5])
    network = Transformation(parameterisation, rounds[0].Z.shape[1], inverted=SCORES[score].inverted(parameterisation))
    scale = torch.nn.Parameter(torch.tensor(_start(scorers[0], rounds[0], rows[0], models)))
    optimiser = torch.optim.AdamW([{"params": [network.psi], "lr": RATE[parameterisation]}, {"params": [scale]}])
    found: list[Matrix] = []
    for step in range(1, max(steps) + 1):
        turn = step % len(rounds)
        loss = _loss(network, scale, scorers[turn], rounds[turn], rows[turn], models, rng)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        if step in steps:
            found.append(network.matrix().detach().numpy().copy())
        if on_step and step % REPORT_EVERY == 0:
            on_step()
    return found


def _start(scorer: FirstMoment | GaussianDensity, of: Round, rows: Numbers, models: Numbers) -> float:
    """Log of the scale at which plain scores differ by `START_SPREAD` over the models."""
    spread = float(scorer.plain(of.h[rows[:256]])[:, models].std(axis=1).mean())
    return float(np.log(START_SPREAD / max(spread, 1e-9)))


def _loss(
    network: Transformation,
    scale: torch.nn.Parameter,
    scorer: FirstMoment | GaussianDensity,
    of: Round,
    rows: Numbers,
    models: Numbers,
    rng: np.random.Generator,
) -> torch.Tensor:
    """InfoNCE of a batch of queries against `MOST` models, their own among them."""
    batch = rng.choice(rows, size=min(BATCH, len(rows)), replace=False)
    own = np.unique(of.owner[batch])
    others = np.setdiff1d(models, own)
    compared = np.concatenate([own, rng.permutation(others)[: max(0, MOST - len(own))]])
    logits = scorer.logits(network, torch.from_numpy(np.asarray(of.h[batch], np.float32)), compared)
    return functional.cross_entropy(scale.exp() * logits, torch.from_numpy(np.searchsorted(own, of.owner[batch])))
