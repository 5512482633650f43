"""Two LoRA that draw the same things, one facing left and one facing right, as in appendix A of arXiv 2210.03116."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from benchmarks.zoo.built import FOLDER, SIZE
from benchmarks.zoo.large import Pair
from benchmarks.zoo.products import PROBES
from benchmarks.zoo.world import caption, sample_scene
from modelsearch_core.cli import main as modelsearch
from modelsearch_core.embedding import Features, ImageEncoder, unit
from modelsearch_core.search import ModelIndex, Query

LAYOUT = "auto, respecting the layout"
METHODS = ("first_moment", "gaussian", "auto", "spatial", LAYOUT)
PIXELS = "pixels averaged to 7×7"

Scores = Callable[[Query], dict[str, float]]  # of the two, by name


@dataclass(frozen=True)
class Question:
    """A picture, the model that faces the same way, and what it shows."""

    query: Query
    name: str
    thing: str


def collection(zoo: Path, pair: Pair, folder: Path) -> Path:
    """The two LoRA and their base in a folder of their own."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(zoo / "models" / "base", folder / "base")
    (folder / "loras").mkdir()
    for plan in pair:
        shutil.copy(zoo / "models" / "loras" / plan.file, folder / "loras" / plan.file)
    return folder


def own_prompts(pair: Pair, path: Path) -> Path:
    """Scenes of the things that the two were trained on, as many as the world's prompts."""
    rng, subjects, prompts = np.random.default_rng(20_001), pair[0].subjects, dict[str, None]()
    while len(prompts) < PROBES:
        prompts[caption(sample_scene(rng, (subjects[len(prompts) % len(subjects)],)))] = None
    path.write_text("\n".join(prompts) + "\n", encoding="utf-8")
    return path


def indexed(folder: Path, prompts: Path, catalog: Path, convnext: Path, samples: int) -> Path:
    words = ["index", str(folder), "--encoder", str(FOLDER / "clip"), "--size", SIZE, "--samples", str(samples)]
    words += ["--prompts", str(prompts), "--spatial-encoder", str(convnext)]
    if modelsearch([*words, "--catalog", str(catalog), "--device", "cpu"]):
        raise SystemExit("the two models could not be indexed")
    return catalog


def held_out(zoo: Path, pair: Pair) -> list[Question]:
    """Pictures that each of the two made of prompts which no training has seen."""
    found: list[Question] = []
    for plan in pair:
        with np.load(zoo / "queries" / f"{plan.name}.npz") as kept:
            for pixels, prompt in zip(kept["pictures"], kept["prompts"], strict=True):
                thing = next(subject for subject in plan.subjects if subject in str(prompt))
                found.append(Question(Query(images=[Image.fromarray(pixels)]), plan.name, thing))
    return found


def mirrored(asked: Sequence[Question], names: Sequence[str]) -> list[Question]:
    """The paper's: each picture as it is, and facing the other way, for the other of the two names."""
    left, right = names
    found: list[Question] = []
    for question in asked:
        other = Query(images=[ImageOps.mirror(question.query.images[0])])
        found += [question, Question(other, right if question.name == left else left, question.thing)]
    return found


def favoured(asked: Sequence[Question], method: str, scores: Scores) -> dict[str, Any]:
    """How often the model that faces the same way is favoured of the two, also thing by thing. A tie is half a time."""
    points = np.array([point(scores(question.query), question.name) for question in asked])
    low, high = wilson(float(points.mean()), len(asked))
    things = {name: np.array([q.thing == name for q in asked]) for name in dict.fromkeys(q.thing for q in asked)}
    return {
        "method": method,
        "of": len(asked),
        "share": float(points.mean()),
        "low": low,
        "high": high,
        "things": {name: float(points[of].mean()) for name, of in things.items()},
    }


def point(scores: dict[str, float], name: str) -> float:
    mine, theirs = scores[name], *(score for other, score in scores.items() if other != name)
    return 0.5 if mine == theirs else float(mine > theirs)


def by_method(index: ModelIndex, pair: Pair, method: str) -> Scores:
    rows = {plan.name: index.row(plan.name) for plan in pair}

    def scores(query: Query) -> dict[str, float]:
        z = index.scores(*with_layout(query, method))
        return {name: float(z[row]) for name, row in rows.items()}

    return scores


def by_pixels(index: ModelIndex, pair: Pair) -> Scores:
    """1st Moment on the pictures themselves, averaged to 7×7: what a map has to do better than."""
    ids = {plan.name: index.describe(plan.name).id for plan in pair}
    samples = {name: [image for image, _ in index.samples_with_prompts(id)] for name, id in ids.items()}
    means = {name: unit(seven_by_seven(images).mean(axis=0)) for name, images in samples.items()}
    return lambda query: {name: float(seven_by_seven(query.images)[0] @ mean) for name, mean in means.items()}


def seven_by_seven(images: Sequence[Image.Image]) -> Features:
    small = (image.convert("RGB").resize((7, 7), Image.Resampling.BOX) for image in images)
    return unit(np.array([np.asarray(image, np.float32).ravel() / 127.5 - 1 for image in small]))


def with_layout(query: Query, method: str) -> tuple[Query, str]:
    return (replace(query, respect_layout=True), "auto") if method == LAYOUT else (query, method)


def wilson(share: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share of n."""
    middle, half = share + z * z / (2 * n), z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return float((middle - half) / (1 + z * z / n)), float((middle + half) / (1 + z * z / n))


def left_and_right(catalog: Path, zoo: Path, pair: Pair, encoders: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    pictures = held_out(zoo, pair)
    with ModelIndex.open(catalog, **encoders) as index:
        protocols = {"held out": pictures, "mirrored": mirrored(pictures, [plan.name for plan in pair])}
        scores = {method: by_method(index, pair, method) for method in METHODS} | {PIXELS: by_pixels(index, pair)}
        return {
            name: [favoured(asked, method, of) for method, of in scores.items()] for name, asked in protocols.items()
        }


def mirror_cosine(encoder: ImageEncoder, asked: Sequence[Question]) -> float:
    """How alike a picture and its mirror image are to an encoder."""
    images = [question.query.images[0] for question in asked]
    there, back = encoder.encode_images(images), encoder.encode_images([*map(ImageOps.mirror, images)])
    return float((there * back).sum(axis=1).mean())
