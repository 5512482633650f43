"""Left against right: `python benchmarks/spatial.py`, after benchmarks.zoo.large_build and benchmarks.zoo.convnext.

Indexes two LoRA that draw the same things, one facing left and one facing right, and asks with held-out pictures which
of the two is favoured, as appendix A of arXiv 2210.03116 does; then the mini zoo's pictures, to see what respecting the
layout does where it is not the question. Writes benchmarks/results/spatial.json and docs/results_spatial.md.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.zoo.large import facing
from benchmarks.zoo.products import PROBES
from benchmarks.zoo.world import caption, sample_scene
from modelsearch_core.cli import main as modelsearch
from modelsearch_core.cli.evaluate import figures
from modelsearch_core.embedding import Features, ImageEncoder, unit
from modelsearch_core.encoders import open_encoder
from modelsearch_core.encoders.spatial import open_spatial_encoder
from modelsearch_core.mini_zoo import FOLDER, PROMPTS, zoo_models
from modelsearch_core.search import ModelIndex, Query, refining

RESULT = ROOT / "benchmarks" / "results" / "spatial.json"
PAGE = ROOT / "docs" / "results_spatial.md"
ZOO = ROOT / "build" / "benchmark_zoo"
MINI = ROOT / "build" / "mini_zoo.sqlite"
WORK = ROOT / "build" / "spatial"
LAYOUT = "auto, respecting the layout"
METHODS = ("first_moment", "gaussian", "auto", "spatial", LAYOUT)
PIXELS = "pixels averaged to 7×7"
WEIGHTS = (0.25, 0.5, 1.0, 2.0)  # of the layout, on the mini zoo
PAPER = {"first_moment": 0.52, "gaussian": 0.49, "spatial": 1.0}  # both without fine-tuning


Scores = Callable[[Query], dict[str, float]]  # of the two, by name


@dataclass(frozen=True)
class Question:
    """A picture, the model that faces the same way, and what it shows."""

    query: Query
    name: str
    thing: str


class Kept:
    """An encoder that looks at every picture once, however many methods ask by it."""

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder
        self._seen: dict[bytes, Features] = {}
        self.name, self.dimension, self.encode_texts = (
            encoder.name,
            encoder.dimension,
            getattr(encoder, "encode_texts", None),
        )

    def encode_images(self, images: Sequence[Image.Image]) -> Features:
        keys = [image.tobytes() for image in images]
        new = {key: image for key, image in zip(keys, images, strict=True) if key not in self._seen}
        self._seen |= dict(zip(new, self._encoder.encode_images([*new.values()]), strict=True))
        return np.array([self._seen[key] for key in keys])


def collection(zoo: Path, folder: Path) -> Path:
    """The two LoRA and their base in a folder of their own."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(zoo / "models" / "base", folder / "base")
    (folder / "loras").mkdir()
    for plan in facing():
        shutil.copy(zoo / "models" / "loras" / plan.file, folder / "loras" / plan.file)
    return folder


def own_prompts(path: Path) -> Path:
    """Scenes of the things that the two were trained on, as many as the world's prompts."""
    rng, subjects, prompts = np.random.default_rng(20_001), facing()[0].subjects, dict[str, None]()
    while len(prompts) < PROBES:
        prompts[caption(sample_scene(rng, (subjects[len(prompts) % len(subjects)],)))] = None
    path.write_text("\n".join(prompts) + "\n", encoding="utf-8")
    return path


def indexed(folder: Path, prompts: Path, catalog: Path, convnext: Path, samples: int) -> Path:
    words = ["index", str(folder), "--encoder", str(FOLDER / "clip"), "--samples", str(samples)]
    words += ["--prompts", str(prompts), "--spatial-encoder", str(convnext)]
    if modelsearch([*words, "--catalog", str(catalog), "--device", "cpu"]):
        raise SystemExit("the two models could not be indexed")
    return catalog


def held_out(zoo: Path) -> list[Question]:
    """Pictures that each of the two made of prompts which no training has seen."""
    found: list[Question] = []
    for plan in facing():
        with np.load(zoo / "queries" / f"{plan.name}.npz") as kept:
            for pixels, prompt in zip(kept["pictures"], kept["prompts"], strict=True):
                thing = next(subject for subject in plan.subjects if subject in str(prompt))
                found.append(Question(Query(images=[Image.fromarray(pixels)]), plan.name, thing))
    return found


def mirrored(asked: Sequence[Question]) -> list[Question]:
    """The paper's: each picture as it is, and facing the other way."""
    left, right = (plan.name for plan in facing())
    found: list[Question] = []
    for question in asked:
        other = Query(images=[ImageOps.mirror(question.query.images[0])])
        found += [question, Question(other, right if question.name == left else left, question.thing)]
    return found


def favoured(asked: Sequence[Question], method: str, scores: Scores) -> dict[str, Any]:
    """How often the model that faces the same way is favoured of the two, also thing by thing. A tie is half a time."""
    points = np.array([point(scores(question.query), question.name) for question in asked])
    low, high = wilson(float(points.mean()), len(asked))
    things = {name: np.array([question.thing == name for question in asked]) for name in facing()[0].subjects}
    return {
        "method": method,
        "of": len(asked),
        "share": float(points.mean()),
        "low": low,
        "high": high,
        "things": {name: float(points[of].mean()) for name, of in things.items() if of.any()},
    }


def point(scores: dict[str, float], name: str) -> float:
    mine, theirs = scores[name], *(score for other, score in scores.items() if other != name)
    return 0.5 if mine == theirs else float(mine > theirs)


def by_method(index: ModelIndex, method: str) -> Scores:
    rows = {plan.name: index.row(plan.name) for plan in facing()}

    def scores(query: Query) -> dict[str, float]:
        z = index.scores(*with_layout(query, method))
        return {name: float(z[row]) for name, row in rows.items()}

    return scores


def by_pixels(index: ModelIndex) -> Scores:
    """1st Moment on the pictures themselves, averaged to 7×7: what a map has to do better than."""
    ids = {plan.name: index.describe(plan.name).id for plan in facing()}
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


def left_and_right(catalog: Path, zoo: Path, encoders: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    pictures = held_out(zoo)
    with ModelIndex.open(catalog, **encoders) as index:
        protocols = {"held out": pictures, "mirrored": mirrored(pictures)}
        scores = {method: by_method(index, method) for method in METHODS} | {PIXELS: by_pixels(index)}
        return {
            name: [favoured(asked, method, of) for method, of in scores.items()] for name, asked in protocols.items()
        }


def mirror_cosine(encoder: ImageEncoder, asked: Sequence[Question]) -> float:
    """How alike a picture and its mirror image are to an encoder."""
    images = [question.query.images[0] for question in asked]
    there, back = encoder.encode_images(images), encoder.encode_images([*map(ImageOps.mirror, images)])
    return float((there * back).sum(axis=1).mean())


def elsewhere(mini: Path, convnext: Path, work: Path, encoders: dict[str, Any]) -> list[dict[str, Any]]:
    """The mini zoo's image queries, by layout alone, by `auto`, and by both in several proportions."""
    catalog = work / "mini_zoo.sqlite"
    copied(mini, catalog)
    words = ["index", str(FOLDER / "models"), "--quick", "--spatial-encoder", str(convnext), "--device", "cpu"]
    modelsearch([*words, "--catalog", str(catalog)])
    with ModelIndex.open(catalog, **encoders) as index:
        asked = [(Query(images=[image]), index.row(name)) for name, image in mini_pictures()]
        rows = [measured(index, asked, method, method) for method in ("auto", "spatial")]
        usual = refining.WEIGHT
        for weight in WEIGHTS:
            refining.WEIGHT = weight
            rows.append(measured(index, asked, LAYOUT, f"{LAYOUT}, weight {weight:g}"))
        refining.WEIGHT = usual
    return rows


def copied(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def mini_pictures() -> Iterator[tuple[str, Image.Image]]:
    for model in zoo_models().values():
        for number in range(len(model.pictures)):
            yield str(Path(model.name).with_suffix("")), model.picture(number)


def measured(index: ModelIndex, asked: Sequence[tuple[Query, int]], method: str, name: str) -> dict[str, Any]:
    scores = np.stack([index.scores(*with_layout(query, method)) for query, _ in asked])
    return figures(name, scores, np.array([row for _, row in asked]))


INTRODUCTION = """# Results: where things are

Made by `python benchmarks/spatial.py` from `benchmarks/results/spatial.json`. No figure here is typed by hand, but for
the paper's own.

Two LoRA draw the same {things}, one facing left and one facing right. {samples} pictures a model are in the index. They
are asked with held-out pictures, the two being the only candidates: how often is the model favoured that faces the same
way? Chance is .5. In brackets the 95 % interval. `spatial` is 1st Moment on the last 7×7 map of a ConvNeXt, which here
is a tiny one that was trained to tell the world's things and colours ({told:.0%} of unseen pictures are told, among
{classes}); global features are those of the mini CLIP. The paper has 50 pictures of horses and their mirror images, a
ConvNeXt with ImageNet-22k's weights, and models that draw nothing but horses.

A picture and its mirror image have a cosine of {mirror:.3f} to this ConvNeXt, and {mirror_global:.3f} to the mini CLIP: what
is left of 1 is all that either has to tell them apart by, while things, colours and backgrounds change as well. For
comparison: the pictures themselves, averaged to 7×7 pixels, their means compared in the same way.
"""

HEADINGS = {
    ("world", "held out"): "Probes of the whole world, asked with each model's own pictures",
    ("world", "mirrored"): "Probes of the whole world, asked with pictures and their mirror images",
    ("things", "held out"): "Probes of the things that they draw, asked with each model's own pictures",
    ("things", "mirrored"): "Probes of the things that they draw, asked with pictures and their mirror images",
}

ELSEWHERE = """
## Where the layout is not the question

The mini zoo's {queries} held-out pictures, among its {models} models: the layout of a picture says little of its style,
so it is not part of `auto`. With `--respect-layout` it is added to the {first} best with the weight {weight:g}.
"""


def page(results: dict[str, Any]) -> str:
    text = INTRODUCTION.format(**results["facts"])
    for (probes, protocol), heading in HEADINGS.items():
        text += f"\n### {heading}\n\n{comparison(results['facing'][probes][protocol])}"
    return text + ELSEWHERE.format(**results["facts"]["elsewhere"]) + "\n" + finding(results["elsewhere"])


def comparison(rows: Sequence[dict[str, Any]]) -> str:
    things = list(rows[0]["things"])
    lines = [f"| method | favours the right one | {' | '.join(things)} | paper |", "|---" * (len(things) + 3) + "|"]
    for row in rows:
        paper = f"{PAPER[row['method']]:.0%}" if row["method"] in PAPER else ""
        ours = f"{row['share']:.0%} of {row['of']} ({row['low']:.0%}–{row['high']:.0%})"
        each = " | ".join(f"{row['things'][thing]:.0%}" for thing in things)
        lines.append(f"| {row['method']} | {ours} | {each} | {paper} |")
    return "\n".join(lines) + "\n"


def finding(rows: Sequence[dict[str, Any]]) -> str:
    lines = ["| method | top-1 | top-5 | MRR | average rank |", "|---|---|---|---|---|"]
    for row in rows:
        measures = f"{row['top1']:.3f} | {row['top5']:.3f} | {row['mrr']:.3f} | {row['average_rank']:.2f}"
        lines.append(f"| {row['method']} | {measures} |")
    return "\n".join(lines) + "\n"


def facts(
    samples: int, convnext: Path, queries: int, asked: Sequence[Question], encoders: dict[str, Any]
) -> dict[str, Any]:
    things = facing()[0].subjects
    told = json.loads((convnext / "figures.json").read_text())
    return {
        "things": f"{', '.join(things[:-1])} and {things[-1]}",
        "samples": samples,
        "told": told["accuracy"],
        "classes": told["classes"],
        "mirror": mirror_cosine(encoders["spatial_encoder"], asked),
        "mirror_global": mirror_cosine(encoders["encoder"], asked),
        "elsewhere": {
            "queries": queries,
            "models": len(zoo_models()) + 1,
            "first": refining.REFINED,
            "weight": refining.WEIGHT,
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zoo", type=Path, default=ZOO, help="with models/ and queries/ of facing_left and _right")
    parser.add_argument("--convnext", type=Path, default=ZOO / "convnext")
    parser.add_argument("--mini", type=Path, default=MINI, help="the mini zoo's catalog (copied, not changed)")
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--samples", type=int, default=64)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    folder = collection(args.zoo, args.work / "models")
    probes = {"world": PROMPTS, "things": own_prompts(args.work / "prompts.txt")}
    encoders = {
        "encoder": Kept(open_encoder(str(FOLDER / "clip"), device="cpu")),
        "spatial_encoder": Kept(open_spatial_encoder(str(args.convnext), device="cpu")),
    }
    facing_results: dict[str, Any] = {}
    for name, prompts in probes.items():
        catalog = indexed(folder, prompts, args.work / f"{name}.sqlite", args.convnext, args.samples)
        facing_results[name] = left_and_right(catalog, args.zoo, encoders)
    other = elsewhere(args.mini, args.convnext, args.work, encoders)
    count = sum(len(model.pictures) for model in zoo_models().values())
    known = facts(args.samples, args.convnext, count, held_out(args.zoo), encoders)
    results = {"facts": known, "facing": facing_results, "elsewhere": other}
    RESULT.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(results), encoding="utf-8")
    print(page(results))


if __name__ == "__main__":
    main()
