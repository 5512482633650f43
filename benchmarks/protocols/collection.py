"""The benchmark zoo as an index, and the queries that nothing in it was trained on."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.zoo.built import SIZE
from benchmarks.zoo.large import TRAINING, checkpoints, loras
from benchmarks.zoo.products import probe_prompts
from modelsearch_core.catalog import Catalog
from modelsearch_core.cli.arguments import parser
from modelsearch_core.cli.index import engine
from modelsearch_core.collection import Collection
from modelsearch_core.drawing import outlines
from modelsearch_core.embedding import Encoder, Features
from modelsearch_core.encoders import open_encoder
from modelsearch_core.indexing import IndexSettings, Report
from modelsearch_core.indexing import index as run_index
from modelsearch_core.indexing.indexing import generate_all
from modelsearch_core.indexing.progress import Step
from modelsearch_core.ranking import combine
from modelsearch_core.search.answering import Answering
from modelsearch_core.search.banks import Queries
from modelsearch_core.search.query import Query
from modelsearch_core.search.requirements import Reader
from modelsearch_core.search.text_features import TextFeatures
from modelsearch_core.specification import Modality
from modelsearch_core.statistics import Statistics

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"  # that paints
SAMPLES = 64
DEEP = 512  # samples of some models, for the curve
DEEP_LORAS, DEEP_CHECKPOINTS = 8, 2
Scores = NDArray[np.floating]
Numbers = NDArray[np.intp]


@dataclass(frozen=True)
class Questions:
    """Held-out pictures: features (T, D), those of their line drawings, their prompts, and who made them (T,)."""

    h: Features
    drawn: Features
    prompts: list[str]
    owner: Numbers

    def of(self, rows: Numbers) -> Questions:
        return Questions(self.h[rows], self.drawn[rows], [self.prompts[row] for row in rows], self.owner[rows])


@dataclass(frozen=True)
class Indexed:
    """An index of the zoo, its encoder, what each model really is (by row), and the questions."""

    statistics: Statistics
    encoder: Encoder
    records: list[dict[str, Any]]
    questions: Questions

    def of(self, *categories: str) -> Numbers:
        """Rows of models of some categories."""
        return np.array([m for m, record in enumerate(self.records) if record.get("category") in categories], np.intp)

    @property
    def collection(self) -> Collection:
        return self.statistics.collection

    @property
    def checkpoints(self) -> Numbers:
        return self.of("checkpoint")

    @property
    def training(self) -> Numbers:
        """The LoRA that learning may see."""
        names = {Path(plan.file).stem for plan in loras()[:TRAINING]}
        return np.array([m for m, r in enumerate(self.records) if Path(r.get("file", "")).stem in names], np.intp)

    @property
    def loras(self) -> Numbers:
        return np.array([m for m, e in enumerate(self.collection.entries) if e.kind.value == "lora"], np.intp)

    def reader(self) -> Reader:
        return Reader(self.statistics, lambda: self.encoder, lambda _: [], TextFeatures())

    def with_samples(self, S: int) -> Statistics:
        """The same with the first S samples of each model."""
        kept = [np.asarray(of.numbers) < S for of in self.collection.specifications(self.collection.all)]
        return Statistics(self.collection.keeping(kept))


def index(zoo: Path, *, deep: bool = False, share: tuple[int, int] = (0, 1)) -> Path:
    """Indexes the zoo as a user would, 64 samples a model; `deep`: some models with 512. `share` (i, n) has n processes
    generate side by side, each of every n-th model."""
    prompts = zoo / "prompts.txt"
    prompts.write_text("\n".join(probe_prompts(DEEP)) + "\n", encoding="utf-8")
    models = deep_models(zoo) if deep else zoo / "models"
    path = zoo / ("deep.sqlite" if deep else "index.sqlite")
    words = [
        "index",
        models,
        "--encoder",
        zoo / "clip",
        "--prompts",
        prompts,
        "--size",
        SIZE,
        "--samples",
        DEEP if deep else SAMPLES,
    ]
    args = parser().parse_args([str(word) for word in [*words, "--catalog", path, "--device", DEVICE]])
    with Catalog(path) as catalog:
        with_what, settings = engine(args, catalog), IndexSettings(samples=args.samples)
        run_index(catalog, args.folders, with_what, replace(settings, quick=True), print_steps)
        some = catalog.models()[share[0] :: share[1]]
        generate_all(catalog, some, with_what, settings, Report(), print_steps)
    return path


def print_steps(step: Step) -> None:
    if step.stage == "generate" and not step.images:
        print(f"{step.done} of {step.total}: {step.model}", flush=True)


def deep_models(zoo: Path) -> Path:
    """A folder of links to some of the models: unseen LoRA and checkpoints."""
    folder = zoo / "deep_models"
    some = [("loras", plan) for plan in loras()[TRAINING:][:DEEP_LORAS]]
    some += [("checkpoints", plan) for plan in checkpoints()[:DEEP_CHECKPOINTS]]
    for kind, plan in some:
        link = folder / kind / plan.file
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to((zoo / "models" / kind / plan.file).resolve())
    if not (folder / "base").exists():
        (folder / "base").symlink_to((zoo / "models" / "base").resolve())
    return folder


def read(zoo: Path, catalog: Path) -> Indexed:
    """What an index holds, with the questions whose models are in it."""
    kept, encoder = Catalog(catalog, read_only=True), open_encoder(str(zoo / "clip"), device="cpu")
    collection = Collection(kept, encoder.name, encoder.dimension)
    records = [_record(zoo, entry.path.stem) for entry in collection.entries]
    return Indexed(Statistics(collection), encoder, records, _questions(zoo, collection, encoder))


def _record(zoo: Path, name: str) -> dict[str, Any]:
    path = zoo / "records" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"category": "base", "description": ""}


def _questions(zoo: Path, collection: Collection, encoder: Encoder) -> Questions:
    parts = [
        (m, *_encoded(zoo, entry.path.stem, encoder))
        for m, entry in enumerate(collection.entries)
        if (zoo / "queries" / f"{entry.path.stem}.npz").is_file()
    ]
    return Questions(
        np.concatenate([h for _, h, _, _ in parts]),
        np.concatenate([drawn for _, _, drawn, _ in parts]),
        [prompt for *_, prompts in parts for prompt in prompts],
        np.concatenate([np.full(len(h), m) for m, h, _, _ in parts]),
    )


def _encoded(zoo: Path, name: str, encoder: Encoder) -> tuple[Features, Features, list[str]]:
    """Features of a model's held-out pictures and of their line drawings, kept."""
    with np.load(zoo / "queries" / f"{name}.npz") as kept:
        pictures, prompts = [Image.fromarray(p) for p in kept["pictures"]], [str(p) for p in kept["prompts"]]
    path = zoo / "features" / hashlib.sha256(encoder.name.encode()).hexdigest()[:12] / f"{name}.npz"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        drawn = encoder.encode_images([outlines(picture) for picture in pictures])
        np.savez(path, h=encoder.encode_images(pictures), drawn=drawn)
    with np.load(path) as kept:
        return kept["h"], kept["drawn"], prompts


class Asker:
    """Standardised scores of many questions under one method after another."""

    def __init__(self, of: Indexed, statistics: Statistics | None = None) -> None:
        self.of, self.statistics = of, statistics or of.statistics
        self.answering = Answering(self.statistics)

    def pictures(self, method: str, questions: Questions, prompts: Features | None = None) -> Scores:
        """(T, M)"""
        return self._each(method, Queries(modality=Modality.IMAGE, h=questions.h, prompts=prompts))

    def sketches(self, method: str, questions: Questions) -> Scores:
        return self._each(method, Queries(modality=Modality.SKETCH, h=questions.drawn))

    def texts(self, method: str, texts: Sequence[str]) -> Scores:
        """Without the authors' words, which the zoo's files do not hold."""
        reader = Reader(self.statistics, lambda: self.of.encoder, lambda _: [], TextFeatures())
        requirements = [requirement for text in texts for requirement in reader.read(Query(text=[text]))]
        return np.stack([self.answering.answer(requirement, method).z for requirement in requirements])

    def _each(self, method: str, asked: Queries) -> Scores:
        if not method.startswith("auto"):
            return self.answering.each(asked, method)
        parts = self.answering.weights(asked.modality, prompted=method != "auto")
        return combine([(self.answering.each(asked, name), weight) for name, weight in parts.items()])
