"""What the courses of `curve` cost: processor seconds for going to a model and for a picture of it, measured, and
summed over all that a course has visited."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.zoo.built import FOLDER, SIZE
from modelsearch_core.encoders import open_encoder
from modelsearch_core.generators.diffusers import DiffusersGenerator
from modelsearch_core.generators.settings import GeneratorSettings
from modelsearch_core.indexing import silent
from modelsearch_core.indexing.user_pictures import store_pictures
from modelsearch_core.indexing.weight_sketches import store_sketches
from modelsearch_core.model_files import Kind, ModelFile, scan
from modelsearch_core.probes import default_probes

from .asking import save_outputs
from .curve import PROCEDURAL, SHARES, after, counts_of, courses, orders

TURNS = (8, 32, 16, 8, 32, 16)  # pictures of one model after another: both costs show


def cost(source: Path) -> dict[str, Any]:
    """`each`: processor seconds of a visit to a LoRA or checkpoint, of a picture and of all sources; `spent`: by
    course, at each share of the pictures."""
    models = [model for model in scan([FOLDER / "models"]) if isinstance(model, ModelFile)]
    each = {**visits_and_pictures(models), "sources": _of_sources(source)}
    kinds = {model.fingerprint: model.kind.value for model in models}
    spent: list[dict[str, float]] = []
    for share in SHARES:
        row = {"share": share}
        for name, (order, rounds) in courses(orders(source), PROCEDURAL).items():
            row[name] = each["sources"] if name.endswith("sources") else 0.0
            row[name] += seconds(order, rounds, share, each, kinds)
        spent.append(row)
    return {"each": each, "spent": spent}


def seconds(
    order: Sequence[str], rounds: Sequence[int], share: float, each: Mapping[str, float], kinds: Mapping[str, str]
) -> float:
    """Of so much of a course: a model is gone to once a round in which it gets pictures."""
    counts = counts_of(order, rounds, share)
    visits = {f: sum(n > done for done in (0, *rounds[:-1])) for f, n in counts.items()}
    return sum(visits[f] * each[kinds[f]] + n * each["picture"] for f, n in counts.items())


def visits_and_pictures(models: Sequence[ModelFile]) -> dict[str, float]:
    """By least squares, of asking LoRA and checkpoints of one base for few pictures and for many."""
    generator = DiffusersGenerator(models, GeneratorSettings(device="cpu", size=int(SIZE)))
    loras = [model for model in models if model.kind is Kind.LORA][: len(TURNS)]
    checkpoints = [model for model in models if model.kind is Kind.CHECKPOINT][: len(TURNS) // 2]
    turns = [*zip(loras, TURNS, strict=True), *zip(checkpoints, TURNS, strict=False)]
    _asked(generator, loras[0], 8)  # libraries load once
    A = [[model.kind is Kind.LORA, model.kind is Kind.CHECKPOINT, n] for model, n in turns]
    b = [_spent(lambda model=model, n=n: _asked(generator, model, n)) for model, n in turns]
    generator.close()
    found = np.maximum(np.linalg.lstsq(np.array(A, float), np.array(b), rcond=None)[0], 0)  # less is noise
    return dict(zip((Kind.LORA.value, Kind.CHECKPOINT.value, "picture"), found.round(3).tolist(), strict=True))


def _asked(generator: DiffusersGenerator, model: ModelFile, n: int) -> None:
    probe_set = generator.plan(model, default_probes(PROCEDURAL.each))
    for _ in generator.generate(model, probe_set, list(range(n))):
        pass


def _of_sources(source: Path) -> float:
    """Reading users' pictures and all weights, once."""
    encoder = open_encoder(str(FOLDER / "clip"), device="cpu")
    with after(source, {}) as catalog, tempfile.TemporaryDirectory() as outputs:
        save_outputs(Path(outputs))

        def read() -> None:
            store_pictures(catalog, encoder, [Path(outputs)], silent)
            store_sketches(catalog, catalog.models(), silent)

        return round(_spent(read), 2)


def _spent(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
