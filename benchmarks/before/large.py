"""What weights say on the benchmark zoo, by how many LoRA were generated: `python -m benchmarks.before --large ZOO`.

ZOO is what `python -m benchmarks.zoo.large_build` has made; its LoRA are enough. Indexes it with a few pictures of each
and goes on where it was interrupted, a draw at a time.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from benchmarks.zoo.built import FOLDER, PROMPTS, SIZE
from benchmarks.zoo.large import loras
from modelsearch_core.catalog import Catalog
from modelsearch_core.catalog.weight_sketches import VERSION, Sketch
from modelsearch_core.cli import main as modelsearch
from modelsearch_core.collection import Collection
from modelsearch_core.embedding import unit
from modelsearch_core.generators.base_weights import BaseWeights
from modelsearch_core.generators.sketches import sketch_of
from modelsearch_core.model_files import Kind, ModelFile
from modelsearch_core.scores import differences, ridge
from modelsearch_core.statistics import Statistics

from . import curve
from .encoder import AsInW2T, LearnedProbes, predicted
from .large_asking import Questions
from .tokens import Tokens, narrowed, tokens
from .validity import GROUPS, STEP

SAMPLES, STEPS = 32, 10  # pictures of each, and steps of each picture
KNOWN = (8, 16, 32, 64, 128)
ROUNDS = (8, SAMPLES)  # pictures of each after every round of indexing
SHARES_MADE = (0.0, 0.125, 0.25, 0.5, 1.0)
DRAWS, SEED = 10, 74_000
LEARNED, SHARES, MEAN = "kernel", "groups learned", "mean"
ENCODERS = {"as in W2T": AsInW2T, "learned probes": LearnedProbes}
Rows = NDArray[np.floating]
Numbers = NDArray[np.integer]


@dataclass(frozen=True)
class Zoo:
    """Its LoRA with unit directions D (n, d) and of how many pictures these are; sketches, and those of DoRA without
    their magnitudes."""

    names: list[str]
    D: Rows
    reliability: float
    sketches: list[Sketch]
    plain: dict[str, Sketch]
    tokens: Tokens


def measure(zoo: Path) -> dict[str, Any]:
    """All figures; those of draws that were made before are read from beside the zoo."""
    catalog = index(zoo)
    of = read(catalog)
    drawn = draws(of, zoo / f"before_draws_{len(of.names)}")
    return {
        "loras": len(of.names),
        "scale": scale_of(zoo),
        "pictures": SAMPLES,
        "steps": STEPS,
        "reliability": round(of.reliability, 3),
        "draws": DRAWS,
        "known": {known: summary(figures) for known, figures in drawn.items()},
        "doras": doras(of),
        "curve": course(zoo, catalog, zoo / f"before_curve_{len(of.names)}.json"),
    }


def draws(of: Zoo, kept: Path, numbers: Sequence[int] = range(DRAWS)) -> dict[str, list[dict[str, float]]]:
    """Figures of the draws by the number of known LoRA, each in a file of its own, so that several processes may draw."""
    kept.mkdir(exist_ok=True)
    grams = grams_of(of.sketches)
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    for number, known in product(numbers, [known for known in KNOWN if known < len(of.names)]):
        path = kept / f"{known}_{number}.json"
        if not path.is_file():
            path.write_text(json.dumps(one_draw(of, grams, known, number), indent=1), encoding="utf-8")
        found[str(known)].append(json.loads(path.read_text("utf-8")))
    return found


def course(zoo: Path, catalog: Path, kept: Path) -> list[dict[str, Any]]:
    """Accuracy by the share of all pictures that was made."""
    found: list[dict[str, Any]] = json.loads(kept.read_text("utf-8")) if kept.is_file() else []
    asking = Questions(zoo)
    of = curve.Course(rounds=ROUNDS, figures=asking.figures, save_outputs=asking.save_outputs)
    for row in curve.rows(catalog, of, SHARES_MADE[len(found) :]):
        found.append(row)
        kept.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return found


def scale_of(zoo: Path) -> float:
    """Share of the steps that the plans have, with which its LoRA were trained."""
    plans = {plan.name: plan.steps for plan in loras()}
    taken = {path.stem: json.loads(path.read_text("utf-8"))["training"]["steps"] for path in zoo.glob("records/*.json")}
    return round(float(np.mean([taken[name] / plans[name] for name in plans.keys() & taken.keys()])), 2)


def index(zoo: Path) -> Path:
    """As a user would, with few steps."""
    catalog = zoo / "before.sqlite"
    words = ["index", zoo / "models", "--encoder", FOLDER / "clip", "--prompts", PROMPTS, "--size", SIZE]
    words += ["--steps", STEPS, "--no-accelerator", "--samples", SAMPLES, "--catalog", catalog, "--device", "cpu"]
    modelsearch([str(word) for word in words])
    return catalog


def read(path: Path) -> Zoo:
    with Catalog(path, read_only=True) as catalog:
        models = sorted((m for m in catalog.models() if m.kind is Kind.LORA), key=lambda model: model.path)
        base = next(m for m in catalog.models() if m.path.name == "base").path
        name, _, dimension = catalog.encoders()[0]
        statistics = Statistics(Collection(catalog, name, dimension))
        collection = statistics.collection
        models = [m for m in models if _is_generated(collection, m)]
        rows = [collection.row_of[m.fingerprint] for m in models]
        consistencies = np.array([collection.facets[collection.entries[row].key][1] for row in rows])
        sketches = catalog.sketches.get([m.fingerprint for m in models], VERSION)
        with BaseWeights(base) as weights:
            found = narrowed(tokens(models, weights))
        return Zoo(
            names=[m.name for m in models],
            D=unit(np.asarray(statistics.directions[rows], float)),
            reliability=float(np.mean(differences.reliability(consistencies, SAMPLES))),
            sketches=[sketches[m.fingerprint] for m in models],
            plain={m.name: Sketch(*sketch_of(m)[:2]) for m in models if m.network == "dora"},
            tokens=found,
        )


def _is_generated(collection: Collection, model: ModelFile) -> bool:
    row = collection.row_of.get(model.fingerprint)
    return row is not None and collection.entries[row].samples >= SAMPLES


def grams_of(sketches: Sequence[Sketch]) -> dict[str, Rows]:
    """Of groups of layers as they are, and with each layer as long as any other of its LoRA."""
    layers = sketches[0].names
    S = np.array([of.s for of in sketches], float)  # (n, L, K)
    groups = {"all": [True] * len(layers)} | {g: [word in layer for layer in layers] for g, word in GROUPS.items()}
    found: dict[str, Rows] = {}
    for name, chosen in groups.items():
        for ending, of in (("", S), (" normalised", unit(S))):
            X = unit(of[:, chosen].reshape(len(S), -1))
            found[name + ending] = X @ X.T
    return found


def one_draw(of: Zoo, grams: Mapping[str, Rows], known: int, number: int) -> dict[str, float]:
    """With so many LoRA generated: mean cosine of what is predicted of the others with the truth; and, of pairs of one
    of these and one of those, how their cosines of ΔW go with those of their directions."""
    order = np.random.default_rng([SEED, known, number]).permutation(len(of.D))
    rows, others = order[:known], order[known:]
    found = {MEAN: agreement(np.broadcast_to(of.D[rows].mean(axis=0), of.D[others].shape), of.D[others])}
    truth = (of.D[others] @ of.D[rows].T).ravel()
    for name, G in grams.items():
        found[f"{LEARNED} {name}"] = _of_ridge([G], of.D, rows, others)
        cosines = G[np.ix_(others, rows)].ravel()
        found[f"pearson {name}"] = _correlation(cosines, truth)
        found[f"spearman {name}"] = _correlation(rankdata(cosines), rankdata(truth))
    shares = [shares for shares in product(range(STEP + 1), repeat=len(GROUPS)) if sum(shares) == STEP]
    mixed = [sum(share / STEP * grams[name] for share, name in zip(each, GROUPS, strict=True)) for each in shares]
    found[SHARES] = _of_ridge(mixed, of.D, rows, others)  # type: ignore[arg-type]  # sum of arrays
    for name, kind in ENCODERS.items():
        found[name] = agreement(predicted(kind, of.tokens, of.D, rows, number)[others], of.D[others])
    return {name: round(value, 4) for name, value in found.items()}


def _of_ridge(grams: Sequence[Rows], D: Rows, rows: Numbers, others: Numbers) -> float:
    """By the Gram matrix that predicts best what is left out of the known ones."""
    fits = [ridge.fit(G[np.ix_(rows, rows)], D[rows]) for G in grams]
    best = int(np.argmax([fit.cosine for fit in fits]))
    return agreement(fits[best].predict(grams[best][np.ix_(others, rows)]), D[others])


def agreement(guessed: Rows, truth: Rows) -> float:
    """Mean cosine with unit rows."""
    return float((unit(guessed) * truth).sum(axis=1).mean())


def _correlation(a: Rows, b: Rows) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def summary(drawn: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """Of each figure the mean, and where the middle 80 % of the draws lie; of what predicts, also of its lead over the
    mean of the known ones, draw by draw."""
    found: dict[str, list[float]] = {}
    for name in drawn[0]:
        values = np.array([of[name] for of in drawn])
        found[name] = _spread(values)
        if not name.startswith(("pearson", "spearman", MEAN)):
            found[f"{name} - {MEAN}"] = _spread(values - [of[MEAN] for of in drawn])
    for name in ENCODERS:
        found[f"{name} - {LEARNED}"] = _spread(np.array([of[name] - of[f"{LEARNED} all"] for of in drawn]))
    return found


def _spread(values: Rows) -> list[float]:
    return [round(float(v), 3) for v in (values.mean(), *np.quantile(values, (0.1, 0.9)))]


def doras(of: Zoo) -> dict[str, Any]:
    """Mean cosine of what all others predict of each DoRA with the truth, with magnitudes and without any DoRA's; and
    of what it changes with its BA alone."""
    rows = [of.names.index(name) for name in of.plain]
    plain = [of.plain.get(name, sketch) for name, sketch in zip(of.names, of.sketches, strict=True)]

    def told(sketches: Sequence[Sketch]) -> list[float]:
        G, all_rows = grams_of(sketches)["all"], np.arange(len(of.D))
        return [_of_ridge([G], of.D, np.delete(all_rows, row), all_rows[row : row + 1]) for row in rows]

    own = [_cosine(of.sketches[row], of.plain[of.names[row]]) for row in rows]
    figures = {"with magnitudes": told(of.sketches), "without": told(plain), "of its own change": own}
    means = {name: round(float(np.mean(values)), 3) for name, values in figures.items() if rows}
    return {"count": len(rows), **means}


def _cosine(a_sketch: Sketch, b_sketch: Sketch) -> float:
    a, b = a_sketch.s.ravel(), b_sketch.s.ravel()
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
