"""A driver keeps all workers busy with bases that they have loaded, stores each model once, and loses no model with a
worker. The workers here are in the same process; `test_ray.py` has real ones."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.catalog.copying import copy
from modelsearch_core.catalog.pictures import SETTING as PICTURES
from modelsearch_core.cluster import driving, orders
from modelsearch_core.cluster.driving import OnCluster
from modelsearch_core.cluster.orders import Description, Order, Outcome, PathMap, Task
from modelsearch_core.cluster.queue import Queue
from modelsearch_core.errors import ModelSearchError, UnsupportedReferenceError
from modelsearch_core.generators import GeneratorSettings
from modelsearch_core.indexing import Engine, IndexSettings, Report, Step, index
from modelsearch_core.indexing import settings as index_settings
from modelsearch_core.indexing.references import ReferenceSampler
from modelsearch_core.indexing.sampling import Sampler
from modelsearch_core.model_files import Kind, ModelFile
from modelsearch_core.places import Place
from modelsearch_core.probes import Probe, ProbeSet, default_probes
from modelsearch_core.reference_set import ReferenceSet
from tests.indexing.folders import make_folder
from tests.making.fakes import ColourEncoder, ColourGenerator, model_file
from tests.making.references import plain_references

NAMES = ["base checkpoint", "red", "blue", "green", "pink"]
TABLES = {
    "specification": "fingerprint, digest, encoder, evidence, samples, strength, consistency, packing, numbers, z, "
    "drawings, density, drawn_density",
    "statistic": "*",
    "sample": "*",
    "probe_set": "*",
    "recipe": "*",
    "text_feature": "*",
    "failure": "fingerprint, reason",
}


class Hands:
    """Workers that sample with the colours' generator. `dies` is asked with a worker and a model's title."""

    device = "cpu"

    def __init__(self, folder: Path, *names: str, broken: Sequence[str] = ()) -> None:
        self.folder, self.idle, self.broken = folder, list(names), broken
        self.dies: Callable[[str, str], bool] = lambda worker, title: False
        self.returns: list[str] = []
        self.done: list[tuple[str, Outcome | None]] = []
        self.asked: list[tuple[str, str]] = []
        self.told: dict[str, str] = {}

    def begin(self, order: Order) -> None:
        self.order = order

    def free(self) -> list[str]:
        return list(self.idle)

    def start(self, worker: str, task: Task) -> None:
        self.idle.remove(worker)
        self.asked.append((worker, task.model.title))
        lost = self.dies(worker, task.model.title)
        self.done.append((worker, None if lost else self.sample(worker, task)))

    def ended(self, seconds: float) -> list[tuple[str, Outcome | None]]:
        done, self.done = self.done, []
        self.idle += [worker for worker, outcome in done if outcome is not None] + self.returns
        self.returns = []
        return done

    def expects_workers(self) -> bool:
        return False

    def refused(self) -> Mapping[str, str]:
        told, self.told = self.told, {}
        return told

    def sample(self, worker: str, task: Task) -> Outcome:
        generator = ColourGenerator(self.order.candidates, broken=self.broken)
        assert generator.plan(task.model, self.order.probes).digest == task.digest
        made: list[int] = []
        with Catalog(self.folder / f"{worker} {len(self.asked)}.sqlite") as catalog:
            catalog.put_encoder(self.order.encoder, "colours", self.order.dimension)
            catalog.take_in(task.known)
            what: Any = {"catalog": catalog, "encoder": ColourEncoder(), "generator": generator}
            settings, references = self.order.settings, self.order.references
            models = [model.fingerprint for model in (task.model, task.base) if model]
            try:
                if references is not None:
                    painter = ReferenceSampler(
                        **what, references=references, refresh=settings.refresh, on_images=made.append
                    )
                    strength = None if painter.sample(task.model) else 0.0
                else:
                    what |= {"draw": lambda image: image, "probes": self.order.probes}
                    strength = Sampler(**what, settings=settings, on_images=made.append).sample(task.model).strength
            except ModelSearchError as error:
                return Outcome(parcel=catalog.parcel(models[1:]), error=str(error), images=sum(made))
            return Outcome(parcel=catalog.parcel(models, ColourEncoder.name), images=sum(made), strength=strength)


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder, self.models = folder, make_folder(folder / "models", NAMES)
        self.steps: list[Step] = []

    def run(
        self,
        catalog: Place,
        pool: Hands | None,
        *,
        broken: Sequence[str] = (),
        references: ReferenceSet | None = None,
        planner: type[ColourGenerator] = ColourGenerator,
        **settings: object,
    ) -> Report:
        def generator_for(models: Sequence[ModelFile]) -> ColourGenerator:
            return planner(models, broken=broken)

        cluster = pool and OnCluster(pool, generator_for, GeneratorSettings(), PathMap({}))
        engine = Engine(
            encoder=ColourEncoder(),
            encoder_source="colours",
            generator_for=generator_for,
            draw=lambda image: image,
            references=references,
            generate_all=cluster,
            paint_all=cluster and cluster.paint,
        )
        with Catalog(catalog) as opened:
            return index(opened, [self.folder / "models"], engine, IndexSettings(**settings), self.steps.append)  # type: ignore[arg-type]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def content(catalog: Path) -> dict[str, list[object]]:
    """All that was measured, without when."""
    with closing(sqlite3.connect(catalog)) as opened:
        return {name: sorted(opened.execute(f"SELECT {columns} FROM {name}")) for name, columns in TABLES.items()}


@pytest.mark.parametrize("samples", [6, None])
def test_two_workers_measure_the_same_as_one_machine_bit_by_bit(
    bench: Bench, samples: int | None, new_place: Callable[[], Place]
):
    pool, place = Hands(bench.folder, "one", "two"), new_place()
    report = bench.run(place, pool, samples=samples)
    alone = bench.run(bench.folder / "alone.sqlite", None, samples=samples)
    assert sorted(report.generated) == sorted(alone.generated)
    assert report.images == alone.images
    copy(place, bench.folder / "cluster.sqlite")
    assert content(bench.folder / "cluster.sqlite") == content(bench.folder / "alone.sqlite")
    assert {worker for worker, _ in pool.asked} == {"one", "two"}


def test_pictures_that_are_outside_of_the_catalog_are_known_to_workers_and_come_back_to_their_place(bench: Bench):
    for name in ("cluster", "alone"):
        with Catalog(bench.folder / f"{name}.sqlite") as catalog:
            catalog.put_setting(PICTURES, (bench.folder / name).as_uri())
        for samples in (4, 8):  # the second time, what is there is topped up
            pool = Hands(bench.folder, "one", "two") if name == "cluster" else None
            bench.run(bench.folder / f"{name}.sqlite", pool, samples=samples, references=plain_references(3))
    pictures = [
        {file.relative_to(place): file.read_bytes() for file in place.rglob("*.webp")}
        for place in (bench.folder / "cluster", bench.folder / "alone")
    ]
    assert pictures[0] == pictures[1] != {}
    assert content(bench.folder / "cluster.sqlite") == content(bench.folder / "alone.sqlite")
    assert {webp for *_, webp in content(bench.folder / "cluster.sqlite")["sample"]} == {b""}


def test_a_picture_that_its_store_has_lost_comes_back_with_what_a_worker_has_made(tmp_path: Path):
    probes = ProbeSet(
        probes=default_probes(2), width=8, height=8, steps=1, guidance=1.0, sampler="none", generator="none"
    )
    made = {0: b"RIFF first", 1: b"RIFF second"}
    with Catalog(tmp_path / "worker.sqlite") as worker, Catalog(tmp_path / "catalog.sqlite") as catalog:
        catalog.put_setting(PICTURES, (tmp_path / "pictures").as_uri())
        for each in (worker, catalog):
            each.put_probe_set(probes)
            each.put_samples("lora", probes.digest, made)
        (lost,) = (tmp_path / "pictures").rglob("0.webp")
        lost.unlink()
        assert [number for *_, number, _ in catalog.parcel(["lora"])["sample"][1]] == [1]
        catalog.take_in(worker.parcel(["lora"]))
        assert {number: catalog.sample("lora", probes.digest, number) for number in made} == made


def test_many_models_get_a_few_pictures_each_before_any_gets_more(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(index_settings, "MANY", 2)
    pool = Hands(bench.folder, "one", "two")
    bench.run(bench.folder / "cluster.sqlite", pool, samples=12)
    bench.run(bench.folder / "alone.sqlite", None, samples=12)
    titles = [title for _, title in pool.asked]
    assert sorted(titles[: len(NAMES)]) == sorted(titles[len(NAMES) :]) == sorted(NAMES)
    assert content(bench.folder / "cluster.sqlite") == content(bench.folder / "alone.sqlite")


def test_what_is_current_is_not_asked_again(bench: Bench):
    catalog = bench.folder / "c.sqlite"
    bench.run(catalog, Hands(bench.folder, "one"), samples=4)
    pool = Hands(bench.folder, "one")
    report = bench.run(catalog, pool, samples=4)
    assert (report.unchanged, pool.asked) == (len(NAMES), [])


def test_a_worker_that_is_lost_costs_only_the_model_that_it_was_at(bench: Bench):
    pool = Hands(bench.folder, "one", "two")
    pool.dies = lambda worker, title: worker == "two"
    report = bench.run(bench.folder / "c.sqlite", pool, samples=4)
    assert len(report.generated) == len(NAMES)
    assert report.failed == {}
    times = Counter(title for _, title in pool.asked)
    assert sum(times.values()) == len(NAMES) + 1


def test_the_first_of_a_base_is_asked_again_where_its_worker_is_lost(bench: Bench):
    pool = Hands(bench.folder, "one", "two")
    lost: list[str] = []

    def dies(worker: str, title: str) -> bool:
        if title == "base checkpoint" and not lost:
            lost.append(worker)
            pool.returns.append(worker)
            return True
        return False

    pool.dies = dies
    report = bench.run(bench.folder / "c.sqlite", pool, samples=4)
    assert len(report.generated) == len(NAMES)
    assert [title for _, title in pool.asked][:2] == ["base checkpoint", "base checkpoint"]


def test_a_model_that_takes_its_workers_along_is_recorded_and_the_others_go_on(bench: Bench):
    pool = Hands(bench.folder, "one", "two")

    def dies(worker: str, title: str) -> bool:
        if title == "blue":
            pool.returns.append(worker)
        return title == "blue"

    pool.dies = dies
    report = bench.run(bench.folder / "c.sqlite", pool, samples=4)
    assert [path.stem for path in report.failed] == ["blue"]
    assert "3 workers ended while they were at it" in str(report.failed)
    assert len(report.generated) == len(NAMES) - 1


def test_a_model_that_fails_is_recorded_with_its_workers_words(bench: Bench):
    catalog = bench.folder / "c.sqlite"
    report = bench.run(catalog, Hands(bench.folder, "one", "two", broken=["pink"]), samples=4)
    assert list(report.failed.values()) == ["pink paints black"]
    with Catalog(catalog) as opened:
        assert list(opened.failures().values()) == ["pink paints black"]
    bench.run(catalog, Hands(bench.folder, "one"), samples=4)
    with Catalog(catalog) as opened:
        assert opened.failures() == {}


def test_who_watches_may_stop_it_and_what_was_done_stays(bench: Bench):
    class StoppedError(Exception):
        pass

    def stop(step: Step) -> None:
        if step.stage == "generate" and step.done == 2:
            raise StoppedError

    bench.steps = type("Watch", (list,), {"append": lambda self, step: stop(step)})()
    catalog = bench.folder / "c.sqlite"
    with pytest.raises(StoppedError):
        bench.run(catalog, Hands(bench.folder, "one", "two"), samples=4)
    bench.steps = []
    report = bench.run(catalog, Hands(bench.folder, "one", "two"), samples=4)
    assert report.unchanged >= 2
    assert report.unchanged + len(report.generated) == len(NAMES)


def test_drawings_that_two_workers_fill_out_are_those_of_one_machine_bit_by_bit(
    bench: Bench, new_place: Callable[[], Place]
):
    drawings, pool, place = plain_references(6), Hands(bench.folder, "one", "two"), new_place()
    report = bench.run(place, pool, samples=4, references=drawings)
    alone = bench.run(bench.folder / "alone.sqlite", None, samples=4, references=drawings)
    assert sorted(report.rendered) == sorted(alone.rendered)
    assert len(report.rendered) == len(NAMES) - 1
    assert report.images == alone.images
    copy(place, bench.folder / "cluster.sqlite")
    assert content(bench.folder / "cluster.sqlite") == content(bench.folder / "alone.sqlite")
    assert {worker for worker, _ in pool.asked[len(NAMES) :]} == {"one", "two"}

    again = Hands(bench.folder, "one")
    assert bench.run(place, again, samples=4, references=drawings).rendered == []
    assert again.asked == []


def test_drawings_outlive_the_worker_that_was_at_them(bench: Bench):
    pool = Hands(bench.folder, "one", "two")
    pool.dies = lambda worker, title: worker == "two" and pool.order.references is not None
    report = bench.run(bench.folder / "c.sqlite", pool, samples=4, references=plain_references(3))
    assert len(report.rendered) == len(NAMES) - 1
    assert report.failed == {}


def test_drawings_of_another_driver_and_of_what_fails_hold_up_no_other(bench: Bench):
    catalog = bench.folder / "c.sqlite"
    with Catalog(catalog) as other:
        bench.run(catalog, Hands(bench.folder, "one"), samples=4)
        (red,) = [model for model in other.models() if model.title == "red"]
        assert other.claims.take(f"{red.fingerprint} references")
        pool = Hands(bench.folder, "one", broken=["pink"])
        report = bench.run(catalog, pool, samples=4, references=plain_references(3))
    assert {path.stem: reason for path, reason in report.failed.items()} == {"pink": "pink paints black"}
    assert sorted(path.stem for path in report.rendered) == ["blue", "green"]
    assert report.elsewhere == []


def test_what_takes_prompts_only_is_told_and_sent_to_nobody(bench: Bench):
    class OnlyByPrompts(ColourGenerator):
        def plan(self, model: ModelFile, probes: Sequence[Probe]) -> ProbeSet:
            if model.title == "green" and probes[0].drawing:
                raise UnsupportedReferenceError("green takes prompts only")
            return super().plan(model, probes)

    pool = Hands(bench.folder, "one")
    report = bench.run(
        bench.folder / "c.sqlite", pool, samples=4, references=plain_references(3), planner=OnlyByPrompts
    )
    assert {path.stem: reason for path, reason in report.prompts_only.items()} == {"green": "green takes prompts only"}
    assert report.failed == {}
    assert Counter(title for _, title in pool.asked) == dict.fromkeys(NAMES[1:], 2) | {NAMES[0]: 1, "green": 1}


def test_another_drivers_models_are_left_to_it(bench: Bench):
    catalog = bench.folder / "c.sqlite"
    with Catalog(catalog) as other:
        bench.run(catalog, Hands(bench.folder, "one"), quick=True)
        (red,) = [model for model in other.models() if model.title == "red"]
        assert other.claims.take(red.fingerprint)
        report = bench.run(catalog, Hands(bench.folder, "one"), samples=4)
    assert [path.stem for path in report.elsewhere] == ["red"]
    assert len(report.generated) == len(NAMES) - 1


def test_without_workers_it_is_said_after_a_while(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(driving, "PATIENCE", 0.0)
    with pytest.raises(ModelSearchError, match="no worker is left in the cluster"):
        bench.run(bench.folder / "c.sqlite", Hands(bench.folder), samples=4)


def test_a_worker_that_may_not_take_part_is_told(bench: Bench):
    pool = Hands(bench.folder, "one")
    pool.told = {"two": "has another version"}
    bench.run(bench.folder / "c.sqlite", pool, samples=4)
    assert [step.failure for step in bench.steps if step.model == "two"] == ["has another version"]


def test_another_version_is_refused_with_a_sentence():
    mine = orders.program()
    orders.check_program(Description("here", mine, "cpu"))
    with pytest.raises(ModelSearchError, match=r"the worker nas has Model Search 0\.0 \(abc\), this machine .*install"):
        orders.check_program(Description("nas", "0.0 (abc)", "cpu"))


def test_workers_see_the_store_where_the_map_says():
    path_map = PathMap.of(["/nas=/mnt/nas", "/nas/fast=/ssd"])
    assert path_map(Path("/nas/loras/a.safetensors")) == Path("/mnt/nas/loras/a.safetensors")
    assert path_map(Path("/nas/fast/a.safetensors")) == Path("/ssd/a.safetensors")
    assert path_map(Path("/nasty/a.safetensors")) == Path("/nasty/a.safetensors")
    settings = path_map.generation(GeneratorSettings(base=Path("/nas/b"), decoders=(Path("/nas/taesd"),)))
    assert (settings.base, settings.decoders) == (Path("/mnt/nas/b"), (Path("/mnt/nas/taesd"),))
    model = path_map.model(model_file("a", folder="/nas", base=Path("/nas/b")))
    assert (model.path, model.base) == (Path("/mnt/nas/a.safetensors"), Path("/mnt/nas/b"))
    assert PathMap({Path("/nas"): PurePosixPath("/mnt")})(Path("/nas")) == Path("/mnt")
    with pytest.raises(ModelSearchError, match="--map /nas must say where a folder is"):
        PathMap.of(["/nas"])


def test_a_worker_stays_with_its_base_and_the_first_of_a_base_goes_alone():
    bases = {name: model_file(name, kind=Kind.CHECKPOINT) for name in "AB"}
    models = [
        bases["A"],
        *(model_file(f"a{n}") for n in range(4)),
        bases["B"],
        *(model_file(f"b{n}") for n in range(4)),
    ]
    queue = Queue(models, lambda model: None if model.title in bases else bases[model.title[0].upper()])
    first, second = queue.take("one"), queue.take("two")
    assert [first, second] == [bases["A"], bases["B"]]
    assert queue.take("three") is None
    assert first and second
    queue.done(first)
    queue.done(second)
    taken: dict[str, list[str]] = {"one": [], "two": []}
    while len(queue):
        for worker, titles in taken.items():
            model = queue.take(worker)
            assert model is not None
            titles.append(model.title)
            queue.done(model)
    assert taken == {"one": ["a0", "a1", "a2", "a3"], "two": ["b0", "b1", "b2", "b3"]}
