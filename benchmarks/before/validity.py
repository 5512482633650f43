"""How well what a LoRA's pictures would be is guessed from its weights, by how many were generated and by which layers count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from modelsearch_core.catalog.weight_sketches import Sketch
from modelsearch_core.embedding import unit
from modelsearch_core.scores import ridge

KNOWN = (6, 8, 12, 16, 20, 23)
DRAWS, SEED = 40, 72_000
GROUPS = {"self-attention": "attn1", "cross-attention": "attn2", "convolutions": "resnets"}
STEP = 4  # shares of groups that are tried, in quarters

Gram = np.ndarray


def validity(sketches: Sequence[Sketch], D: np.ndarray) -> dict[str, dict[str, float]]:
    """Mean cosine of what is predicted of the LoRA that were not generated with their directions D (n, d), by the number
    of those that were. The penalty, and how much a group counts where that is learned, are those that predict best what
    is left out of the known ones."""
    D = unit(np.asarray(D, float))
    grams = _grams(sketches)
    learned = [_mixed(grams, shares) for shares in product(range(STEP + 1), repeat=len(GROUPS)) if sum(shares) == STEP]
    choices = {name: [G] for name, G in grams.items()} | {"weights of groups learned": learned}
    rng, found = np.random.default_rng(SEED), dict[str, dict[str, float]]()
    for known in KNOWN:
        draws = [rng.permutation(len(D)) for _ in range(DRAWS)]
        told = {name: [_cosine(of, D, draw[:known], draw[known:]) for draw in draws] for name, of in choices.items()}
        told["mean of the known ones"] = [_of_mean(D, draw[:known], draw[known:]) for draw in draws]
        found[str(known)] = {name: round(float(np.mean(values)), 3) for name, values in told.items()}
    return found


def _grams(sketches: Sequence[Sketch]) -> dict[str, Gram]:
    """Of all layers, of all with every layer as long as any other, and of groups of them."""
    layers, S = sketches[0].names, np.array([of.s for of in sketches], float)  # (n, L, K)
    found = {"all layers": _gram(S), "all layers, each of unit length": _gram(unit(S))}
    for name, word in GROUPS.items():
        found[name] = _gram(S[:, [word in layer for layer in layers]])
    return found


def _gram(S: np.ndarray) -> Gram:
    X = unit(S.reshape(len(S), -1))
    return X @ X.T


def _mixed(grams: Mapping[str, Gram], shares: Sequence[int]) -> Gram:
    return np.sum([share / STEP * grams[name] for name, share in zip(GROUPS, shares, strict=True)], axis=0)


def _cosine(grams: Sequence[Gram], D: np.ndarray, known: np.ndarray, others: np.ndarray) -> float:
    fits = [ridge.fit(G[np.ix_(known, known)], D[known]) for G in grams]
    best = int(np.argmax([fit.cosine for fit in fits]))
    predicted = fits[best].predict(grams[best][np.ix_(others, known)])
    return float((unit(predicted) * D[others]).sum(axis=1).mean())


def _of_mean(D: np.ndarray, known: np.ndarray, others: np.ndarray) -> float:
    return float((unit(D[known].mean(axis=0)) @ D[others].T).mean())


def table(found: Mapping[str, Mapping[str, float]]) -> str:
    """In Markdown."""
    names: list[Any] = list(next(iter(found.values())))
    lines = [f"| generated | {' | '.join(names)} |", f"|{'---|' * (len(names) + 1)}"]
    lines += [f"| {known} | {' | '.join(f'{of[name]:.3f}' for name in names)} |" for known, of in found.items()]
    return "\n".join(lines) + "\n"
