"""A worker as a driver uses it, on a small random Stable Diffusion: really sampled, really painted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from modelsearch_core.catalog import Catalog
from modelsearch_core.cluster.orders import Order, Outcome, Task
from modelsearch_core.cluster.worker import Worker
from modelsearch_core.encoders import open_encoder, open_subject_drawer
from modelsearch_core.generators import GeneratorSettings
from modelsearch_core.generators.diffusers import DiffusersGenerator
from modelsearch_core.indexing import IndexSettings
from modelsearch_core.model_files import Kind, ModelFile, scan
from modelsearch_core.probes import Probe, default_probes
from modelsearch_core.reference_set import ReferenceSet, reference_set
from modelsearch_core.specification import Evidence
from tests.making import stable_diffusion as sd
from tests.making.clip import clip_folder

GENERATION = GeneratorSettings(device="cpu", steps=1, size=64)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("worker")
    pipe = sd.pipeline(48, 0, folder / "tokenizer")
    pipe.save_pretrained(folder / "models" / "base")
    sd.write_kohya(folder / "models" / "kohya.safetensors", pipe)
    clip_folder(folder / "clip")
    return folder


@pytest.fixture(scope="module")
def models(folder: Path) -> list[ModelFile]:
    return [file for file in scan([folder / "models"], {}) if isinstance(file, ModelFile)]


@pytest.fixture(scope="module")
def order(folder: Path, models: list[ModelFile]) -> Order:
    encoder = open_encoder(str(folder / "clip"), device="cpu")
    return Order(
        encoder_source=str(folder / "clip"),
        encoder=encoder.name,
        dimension=encoder.dimension,
        probes=tuple(default_probes(4))[:2],
        settings=IndexSettings(samples=2),
        generation=GENERATION,
        candidates=tuple(models),
    )


@pytest.fixture
def worker(order: Order) -> Iterator[Worker]:
    worker = Worker()
    assert worker.begin(order) is None
    yield worker
    place = Path(worker._folder.name)
    assert place.is_dir()
    worker.close()
    assert not place.exists()


def drawings() -> ReferenceSet:
    image = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(image).ellipse((5, 5, 35, 30), fill="navy")
    return reference_set({"a": image}, open_subject_drawer(device="cpu"))


def task(
    worker: Worker, models: Sequence[ModelFile], probes: Sequence[Probe], references: ReferenceSet | None = None
) -> Task:
    """Of a driver that knows nothing of the models yet."""
    (lora,) = [model for model in models if model.kind is Kind.LORA]
    nothing = worker._catalog.parcel([lora.fingerprint])
    planner = DiffusersGenerator(models, GENERATION, references)
    return Task(model=lora, base=planner.base_of(lora), digest=planner.plan(lora, probes).digest, known=nothing)


def evidence(outcome: Outcome, place: Path) -> list[Evidence]:
    with Catalog(place) as catalog:
        catalog.take_in(outcome.parcel)
        (encoder,) = {row[2] for row in outcome.parcel["specification"][1]}
        return [evidence for *_, evidence, _ in catalog.specification_keys(encoder)]


def test_a_lora_comes_back_with_what_its_base_makes(
    worker: Worker, order: Order, models: list[ModelFile], tmp_path: Path
):
    outcome = worker.sample(task(worker, models, order.probes))
    assert (outcome.error, outcome.images) == (None, 4)
    assert outcome.strength is not None and outcome.strength > 0
    assert evidence(outcome, tmp_path / "c.sqlite") == [Evidence.GENERATED, Evidence.GENERATED]


def test_drawings_are_filled_out_by_the_lora_and_its_base(
    worker: Worker, order: Order, models: list[ModelFile], tmp_path: Path
):
    references = drawings()
    assert worker.begin(replace(order, probes=references.probes, references=references)) is None
    outcome = worker.sample(task(worker, models, references.probes, references))
    assert (outcome.error, outcome.images) == (None, 2)
    assert evidence(outcome, tmp_path / "c.sqlite") == [Evidence.REFERENCE, Evidence.REFERENCE]


def test_what_was_planned_otherwise_is_not_asked(worker: Worker, order: Order, models: list[ModelFile]):
    outcome = worker.sample(replace(task(worker, models, order.probes), digest="another"))
    assert outcome.error is not None
    assert "would ask kohya something else than was planned" in outcome.error
    assert (outcome.images, outcome.parcel["specification"][1]) == (0, [])


def test_another_encoder_and_one_that_is_not_there_are_no_reason_to_die(order: Order):
    worker = Worker()
    assert "has another encoder" in (worker.begin(replace(order, encoder="another")) or "")
    assert "nowhere" in (worker.begin(replace(order, encoder_source="/nowhere/clip")) or "")
    assert worker.begin(order) is None


def test_a_driver_that_is_started_again_finds_the_base_loaded(worker: Worker, order: Order, models: list[ModelFile]):
    worker.sample(task(worker, models, order.probes))
    loaded = worker._generator._resident
    assert loaded is not None
    assert worker.begin(replace(order)) is None
    worker.sample(task(worker, models, order.probes))
    assert worker.begin(replace(order, settings=IndexSettings(samples=1))) is None
    worker.sample(task(worker, models, order.probes))
    assert worker._generator._resident is loaded
