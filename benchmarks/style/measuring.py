"""Heads trained on some LoRA, asked about others: the two automatic evaluations of Vu et al."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PIL import Image

from modelsearch_core.embedding import Features, unit
from modelsearch_core.evaluation import mean_reciprocal_rank
from modelsearch_core.ranking import from_distance
from modelsearch_core.reference_set import ReferenceSet
from modelsearch_core.scores import style
from modelsearch_core.scores.samples import offsets_of
from modelsearch_core.training.figures import pair_agreement
from modelsearch_core.training.linear import train_head

from .world import World

FOLDS = 4
PAPER = {  # F1, precision, recall (its table 1), MRR (table 2)
    "fine-tuned": (0.7030, 0.78, 0.69, 0.44),
    "fine-tuned on half as many LoRA again": (0.723, 0.79, 0.69, 0.47),
    "no cleansing": (0.7014, 0.75, 0.68, 0.39),
    "transfer only": (0.62, 0.72, 0.60, 0.35),
    "one category of subjects": (0.5088, 0.54, 0.51, 0.26),
}


def folds(world: World) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(twelfths for training, half as many again, unseen) LoRA numbers; each LoRA is unseen once."""
    order = np.random.default_rng(7).permutation(len(world.names))
    for unseen in np.array_split(order, FOLDS):
        rest = order[~np.isin(order, unseen)]
        yield rest[: 2 * len(rest) // 3], rest, unseen


def variants(
    world: World, few: np.ndarray, more: np.ndarray
) -> dict[str, Callable[[], Callable[[Features], Features]]]:
    """What is trained on which pictures."""

    def trained(loras: np.ndarray, name: str, *, clean: bool = True) -> Callable[[Features], Features]:
        rows = np.flatnonzero(np.isin(world.labels.models, loras) & (world.sets == name) & (world.kept | (not clean)))
        return train_head(world.Z[rows], world.labels.of(rows), "")

    return {
        "fine-tuned": lambda: trained(few, "diverse"),
        "fine-tuned on half as many LoRA again": lambda: trained(more, "diverse"),
        "no cleansing": lambda: trained(few, "diverse", clean=False),
        "transfer only": lambda: unit,
        "one category of subjects": lambda: trained(few, "one category"),
    }


def measure(world: World, space: Callable[[Features], Features], unseen: np.ndarray) -> dict[str, float]:
    """The paper's two automatic evaluations on LoRA that training never saw, and the ranking among all LoRA of the zoo."""
    V = space(world.Z)
    asked = np.isin(world.labels.models, unseen) & np.isin(world.sets, ["reference", "query"]) & world.kept
    agreement = pair_agreement(V[asked], world.labels.of(asked), np.random.default_rng(1))
    return {
        "f1": agreement.f1,
        "precision": agreement.precision,
        "recall": agreement.recall,
        "mrr": reciprocal_rank(world, V, unseen, unseen),
        "mrr_among_all": reciprocal_rank(world, V, unseen, np.arange(len(world.names))),
    }


def reciprocal_rank(world: World, V: Features, asking: np.ndarray, gallery: np.ndarray) -> float:
    """MRR of the LoRA that painted each query, by the mean distance to the 30 reference pictures of each of the gallery."""
    gallery = np.sort(gallery)
    rows = [np.flatnonzero((world.labels.models == m) & (world.sets == "reference") & world.kept) for m in gallery]
    queries = np.flatnonzero(np.isin(world.labels.models, asking) & (world.sets == "query"))
    distances = style.mean_style_distances(
        V[np.concatenate(rows)], offsets_of(np.array([len(r) for r in rows])), V[queries]
    )
    return mean_reciprocal_rank(from_distance(distances), np.searchsorted(gallery, world.labels.models[queries]))


def evaluate(world: World) -> dict[str, Any]:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in PAPER}
    seconds = 0.0
    for few, more, unseen in folds(world):
        for name, train in variants(world, few, more).items():
            started = time.perf_counter()
            space = train()
            seconds += time.perf_counter() - started
            found[name].append(measure(world, space, unseen))
    table = {name: {key: float(np.mean([f[key] for f in of])) for key in of[0]} for name, of in found.items()}
    spread = {name: float(np.std([f["mrr"] for f in of])) for name, of in found.items()}
    few, more, unseen = next(folds(world))
    return {
        "loras": len(world.names),
        "trained_on": [len(few), len(more)],
        "unseen": len(unseen),
        "queries": int((world.sets == "query").sum()),
        "cleansed": int((~world.kept).sum()),
        "pictures": len(world.labels),
        "training_seconds": round(seconds, 1),
        "table": table,
        "mrr_spread_over_folds": spread,
    }


def follows(references: ReferenceSet, pictures: np.ndarray) -> float:
    """How often a picture's marks lie more like its own drawing's than like another's: 0.5 is chance, 1 always."""
    ink = [marks(np.asarray(drawing)) for drawing in references.drawings]
    cosine = unit(np.stack([marks(picture) for picture in pictures])) @ unit(np.stack(ink)).T
    own = np.diag(cosine)[:, None]
    return float(((own > cosine).sum() + 0.5 * ((own == cosine).sum() - len(own))) / (cosine.size - len(own)))


def marks(picture: np.ndarray) -> np.ndarray:
    """Where a picture differs from its border's usual colour, at 16 by 16, with the mean taken off."""
    small = np.asarray(Image.fromarray(picture).resize((16, 16), Image.Resampling.BOX), float)
    border = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    far = np.linalg.norm(small - np.median(border, axis=0), axis=2).ravel()
    return far - far.mean()
