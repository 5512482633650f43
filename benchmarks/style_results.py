"""The style tables of Vu et al. on the mini zoo: `python benchmarks/style_results.py`.

Every LoRA of the zoo paints line drawings of scenes that no training has seen; style heads are trained on some of the LoRA
and asked about the others. Writes benchmarks/results/style.json, docs/results_style.md and docs/style_grid.png. Pictures
are kept below build/, so the command goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.zoo.subjects import BASE_SUBJECTS
from benchmarks.zoo.world import render, sample_scene
from modelsearch_core.contact_sheet import Cell, Row, contact_sheet
from modelsearch_core.drawing import WITHOUT_WEIGHTS, digest_of
from modelsearch_core.embedding import Encoder, Features, unit
from modelsearch_core.encoders import open_encoder
from modelsearch_core.evaluation import mean_reciprocal_rank
from modelsearch_core.generators import GeneratorSettings
from modelsearch_core.generators.diffusers import DiffusersGenerator
from modelsearch_core.mini_zoo import FOLDER
from modelsearch_core.model_files import Kind, ModelFile, scan
from modelsearch_core.ranking import from_distance
from modelsearch_core.reference_set import ReferenceSet, cleansed
from modelsearch_core.scores import style
from modelsearch_core.scores.samples import offsets_of
from modelsearch_core.training.figures import pair_agreement
from modelsearch_core.training.labels import Labels
from modelsearch_core.training.linear import train_head

RESULT = ROOT / "benchmarks" / "results" / "style.json"
PAGE = ROOT / "docs" / "results_style.md"
GRID = ROOT / "docs" / "style_grid.png"
SETS = {"diverse": 30, "one category": 30, "reference": 30, "query": 10}
CATEGORY = "cat"
FOLDS = 4
PAPER = {  # F1, precision, recall (its table 1), MRR (table 2)
    "fine-tuned": (0.7030, 0.78, 0.69, 0.44),
    "fine-tuned on half as many LoRA again": (0.723, 0.79, 0.69, 0.47),
    "no cleansing": (0.7014, 0.75, 0.68, 0.39),
    "transfer only": (0.62, 0.72, 0.60, 0.35),
    "one category of subjects": (0.5088, 0.54, 0.51, 0.26),
}


@dataclass(frozen=True)
class World:
    """Features (N, D) of all pictures, which LoRA painted which subject, the set of each subject, and what cleansing keeps."""

    Z: Features
    labels: Labels
    sets: np.ndarray  # (N,) of names
    kept: np.ndarray  # (N,)
    names: list[str]


def scenes() -> dict[str, Image.Image]:
    """Unstyled pictures of the zoo's world, by set and number; none is in any training."""
    rng = np.random.default_rng(20_240)
    pictures: dict[str, Image.Image] = {}
    for name, count in SETS.items():
        subjects = (CATEGORY,) if name == "one category" else tuple(BASE_SUBJECTS)
        for number in range(count):
            picture = Image.fromarray(render(sample_scene(rng, subjects, query=True)))
            pictures[f"{name}:{number}"] = picture
    return pictures


def references_of(pictures: dict[str, Image.Image]) -> ReferenceSet:
    """At the pictures' own size: the tiny models paint 64 pixels."""
    drawer = WITHOUT_WEIGHTS["outlines"]
    subjects = tuple(pictures.values())
    return ReferenceSet(
        names=tuple(pictures), subjects=subjects, drawings=tuple(map(drawer, subjects)), drawer=drawer.name
    )


def painted(
    references: ReferenceSet, models: list[ModelFile], settings: GeneratorSettings, kept: Path
) -> Iterator[tuple[ModelFile, np.ndarray]]:
    """Each model's pictures (S, h, w, 3), painted now or before."""
    generator = DiffusersGenerator(models, settings, references)
    order = [*(m for m in models if m.kind is Kind.CHECKPOINT), *(m for m in models if m.kind is Kind.LORA)]
    for model in order:
        probe_set = generator.plan(model, references.probes)
        path = kept / f"{model.fingerprint[:16]}-{probe_set.digest[:16]}.npy"
        if not path.is_file():
            numbers = list(range(len(references.probes)))
            images = [image for batch in generator.generate(model, probe_set, numbers) for image in batch]
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path.with_suffix(".part.npy"), np.stack([np.asarray(image) for image in images]))
            path.with_suffix(".part.npy").replace(path)
            print(f"painted: {model.path.stem}", flush=True)
        yield model, np.load(path)


def world_of(references: ReferenceSet, arrays: dict[str, np.ndarray], encoder: Encoder) -> World:
    S = len(references.names)
    Z = [encoder.encode_images([Image.fromarray(a) for a in pictures]) for pictures in arrays.values()]
    kept = [cleansed([Image.fromarray(a) for a in p], references.subjects) for p in arrays.values()]
    labels = Labels(np.repeat(np.arange(len(arrays)), S), np.tile(np.arange(S), len(arrays)))
    sets = np.array([name.partition(":")[0] for name in references.names])
    return World(np.concatenate(Z), labels, np.tile(sets, len(arrays)), np.concatenate(kept), list(arrays))


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


def fast_form() -> list[dict[str, float]]:
    """Overlap, comparisons and time of the fast form against the paper's, on styles in families of close neighbours."""
    rows: list[dict[str, float]] = []
    for M in (100, 1_000, 10_000):
        rng = np.random.default_rng(M)
        S, d = 30, 128
        centres = rng.normal(size=(max(8, M // 60), d))[rng.integers(max(8, M // 60), size=M)] + 0.5 * rng.normal(
            size=(M, d)
        )
        scatter = 0.8 * rng.uniform(0.5, 1.5, size=(M, 1, 1))
        V = unit(
            (centres[:, None] + scatter * (0.7 * rng.normal(size=(S, d)) + rng.normal(size=(M, S, d)))).reshape(-1, d)
        )
        q = unit(centres[rng.integers(M, size=50)] + 0.8 * rng.normal(size=(50, d))).astype(np.float32)
        V, offsets = V.astype(np.float32), np.arange(M + 1) * S
        fast = style.Shortlist(V, offsets, style.moments(V, offsets))
        exact_seconds, exact = timed(lambda V=V, offsets=offsets, q=q: style.mean_style_distances(V, offsets, q))
        fast_seconds, near = timed(lambda fast=fast, q=q: fast(q))
        few = style.comparisons(M, S, fast.pool)
        rows.append({
            "models": M, "overlap": style.overlap_at(exact, near), "comparisons": few[0], "fast_comparisons": few[1],
            "ms": 1000 * exact_seconds / len(q), "fast_ms": 1000 * fast_seconds / len(q),
        })  # fmt: skip
    return rows


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def grid(references: ReferenceSet, arrays: dict[str, np.ndarray], base: np.ndarray) -> Image.Image:
    chosen = [references.names.index(f"reference:{number}") for number in range(10)]
    rows = [
        Row("subject", [Cell(image=references.subjects[n]) for n in chosen]),
        Row("line drawing", [Cell(image=references.drawings[n]) for n in chosen]),
        Row("without a LoRA", [Cell(image=Image.fromarray(base[n])) for n in chosen]),
    ]
    rows += [Row(name, [Cell(image=Image.fromarray(p[n])) for n in chosen]) for name, p in arrays.items()]
    return contact_sheet(rows, "What each LoRA of the mini zoo makes of the same drawings")


INTRODUCTION = """# Style search

Made by `python benchmarks/style_results.py` from `benchmarks/results/style.json`. Nothing here is typed by hand.

The protocol is that of Vu et al., "Image-Generation AI Model Retrieval by Contrastive Learning-based Style Distance
Calculation": LoRA paint line drawings by reference-only attention with an empty prompt; an encoder is trained with triplets
on some LoRA and asked about others. The world is smaller. The paper trains VGG19 on 20 and 30 LoRA from the hubs with 238
photos and ranks 100 unseen ones; here a linear head on the mini CLIP is trained on {few} and {more} of the mini zoo's {loras}
LoRA with {diverse} scenes and ranks the {unseen} unseen ones, in {folds} folds so that each LoRA is unseen once ({queries}
queries). VGG19 itself is not in the table: ImageNet's weights are no part of this repository (`modelsearch train style
--network vgg19` trains it where they are on disk). Chance for the MRR is {chance:.2f} among {unseen} and {chance_all:.2f} among {loras}; always
saying "same model" has an F1 of .667.

| | F1 | precision | recall | MRR | MRR among all {loras} | *paper:* F1 | precision | recall | MRR |
|---|---|---|---|---|---|---|---|---|---|
"""


def page(results: dict[str, Any]) -> str:
    r = results["zoo"]
    few, more = r["trained_on"]
    chance, chance_all = (float(np.mean(1 / np.arange(1, n + 1))) for n in (r["unseen"], r["loras"]))
    text = INTRODUCTION.format(
        few=few, more=more, loras=r["loras"], diverse=SETS["diverse"], unseen=r["unseen"], folds=FOLDS,
        queries=r["queries"], chance=chance, chance_all=chance_all,
    )  # fmt: skip
    for name, figures in r["table"].items():
        ours = " | ".join(f"{figures[key]:.3f}" for key in ("f1", "precision", "recall", "mrr", "mrr_among_all"))
        text += f"| {name} | {ours} | {' | '.join(f'{value:.2f}' for value in PAPER[name])} |\n"
    text += "\n" + "\n".join(f"- {line}" for line in compared(r)) + "\n"
    return text + benchmark_zoo() + fast_table(results["fast_form"])


def benchmark_zoo() -> str:
    """What `python -m benchmarks.protocols style` has found, if it was run."""
    from benchmarks.protocols.style import section

    found = RESULT.with_name("zoo_style.json")
    return "\n" + section(json.loads(found.read_text())) if found.is_file() else ""


def compared(r: dict[str, Any]) -> list[str]:
    """Where the order is the paper's and where it is not."""
    lines = [
        f"Cleansing (mean squared error below 0.01) dropped {r['cleansed']} of {r['pictures']} pictures"
        + (", so the two rows differ in nothing." if not r["cleansed"] else "."),
        *against_the_paper(r),
        "A picture's marks lie more like its own drawing's than like another's in "
        f"{r['follows_drawing']['base']:.0%} of all comparisons without a LoRA, {r['follows_drawing']['loras']:.0%} with "
        "one (chance 50 %): the tiny model attends to itself at 8 by 8 places only, so the drawing sets paper and mass "
        "and hardly the outline. Stable Diffusion's self-attention sees 64 by 64.",
    ]
    spread = max(r["mrr_spread_over_folds"].values())
    lines.append(
        f"The MRR of single folds scatters by up to {spread:.2f} (standard deviation of {FOLDS}), so differences below "
        f"about {2 * spread / FOLDS**0.5:.2f} say nothing. All heads together took {r['training_seconds']:.0f} s to train."
    )
    return lines


def against_the_paper(r: dict[str, Any]) -> list[str]:
    """Each row's distance from the fine-tuned one, and whether it has the paper's sign."""
    own = r["table"]["fine-tuned"]
    lines: list[str] = []
    for name, (f1, _, _, mrr) in PAPER.items():
        figures = r["table"][name]
        if name == "fine-tuned" or (name == "no cleansing" and not r["cleansed"]):
            continue
        parts = [
            f"{what} {ours:+.3f} (paper {theirs:+.2f}{'' if agrees(ours, theirs) else ': **the order differs**'})"
            for what, ours, theirs in (
                ("F1", figures["f1"] - own["f1"], f1 - PAPER["fine-tuned"][0]),
                ("MRR", figures["mrr"] - own["mrr"], mrr - PAPER["fine-tuned"][3]),
            )
        ]
        lines.append(f"{name[0].upper()}{name[1:]}, against fine-tuned: {', '.join(parts)}.")
    return lines


def agrees(ours: float, theirs: float) -> bool:
    return ours * theirs >= 0


def fast_table(rows: list[dict[str, float]]) -> str:
    head = (
        "\n## The fast form\n\nThe paper compares a query with every reference vector of every model. Here all models are "
        "ranked by mean and spread of their\nvectors first, and the 50 nearest by all of their 30 vectors. Styles in families "
        "of close neighbours, 50 queries.\n\n| models | overlap of the ten nearest | comparisons, the paper's | comparisons "
        "here | ms, the paper's | ms here |\n|---|---|---|---|---|---|\n"
    )
    return (
        head
        + "".join(
            f"| {row['models']:,} | {row['overlap']:.3f} | {row['comparisons']:,} | {row['fast_comparisons']:,} "
            f"| {row['ms']:.2f} | {row['fast_ms']:.2f} |\n"
            for row in rows
        )
        + "\n![What each LoRA makes of the same drawings](style_grid.png)\n"
    )


def models_of(folder: Path) -> list[ModelFile]:
    found = [file for file in scan([folder]) if isinstance(file, ModelFile)]
    base = next(file for file in found if file.path.name == "base")
    return [base, *(file for file in found if file.kind is Kind.LORA)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zoo", type=Path, default=FOLDER, help="with models/ and clip/")
    parser.add_argument("--kept", type=Path, default=ROOT / "build" / "style", help="pictures made so far")
    parser.add_argument("--steps", type=int, default=12)
    args = parser.parse_args()
    references = references_of(scenes())
    models = models_of(args.zoo / "models")
    settings = GeneratorSettings(device="cpu", base=models[0].path, steps=args.steps)
    pictures = dict(painted(references, models, settings, args.kept))
    arrays = {model.path.stem: array for model, array in pictures.items() if model.kind is Kind.LORA}
    zoo = evaluate(world_of(references, arrays, open_encoder(str(args.zoo / "clip"), device="cpu")))
    zoo["follows_drawing"] = {
        "base": follows(references, pictures[models[0]]),
        "loras": float(np.mean([follows(references, array) for array in arrays.values()])),
    }
    results = {
        "python": platform.python_version(),
        "steps": args.steps,
        "drawings": digest_of(references.drawings[0]),
        "zoo": zoo,
        "fast_form": fast_form(),
    }
    RESULT.write_text(json.dumps(results, indent=1) + "\n")
    PAGE.write_text(page(results), encoding="utf-8")
    grid(references, arrays, pictures[models[0]]).quantize(64).save(GRID, optimize=True)
    print(page(results))


if __name__ == "__main__":
    main()
