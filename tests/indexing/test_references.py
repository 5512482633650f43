"""What LoRA make of drawings, on the colour world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelsearch_core.catalog import Catalog
from modelsearch_core.errors import UnsupportedReferenceError
from modelsearch_core.indexing import Engine, IndexSettings, Report, Step, index
from modelsearch_core.indexing.progress import silent
from modelsearch_core.indexing.references import DRAWING, SUBJECT
from modelsearch_core.indexing.thumbnails import thumbnail
from modelsearch_core.model_files import ModelFile
from modelsearch_core.probes import Probe, ProbeSet
from modelsearch_core.reference_set import UNCHANGED, ReferenceSet, mean_squared_error
from modelsearch_core.specification import Evidence
from tests.indexing.folders import make_folder
from tests.making.fakes import ColourEncoder, ColourGenerator
from tests.making.references import plain_references

NAMES = ["base checkpoint", "red", "blue"]


class Indexed:
    """A folder indexed with drawings, again and again."""

    def __init__(self, folder: Path) -> None:
        make_folder(folder / "models", NAMES)
        self.folder = folder
        self.generators: list[ColourGenerator] = []
        self.generator = ColourGenerator

    def run(self, references: ReferenceSet | None, progress=silent, **settings: object) -> Report:
        def generator_for(models: Sequence[ModelFile]) -> ColourGenerator:
            self.generators.append(self.generator(models))
            return self.generators[-1]

        engine = Engine(
            encoder=ColourEncoder(), encoder_source="colours", generator_for=generator_for, draw=lambda image: image,
            references=references,
        )  # fmt: skip
        with Catalog(self.folder / "catalog.sqlite") as catalog:
            return index(catalog, [self.folder / "models"], engine, IndexSettings(samples=2, **settings), progress)  # type: ignore[arg-type]  # the values are the fields

    def painted(self) -> dict[str, list[int]]:
        """Probe numbers of the reference specifications by title."""
        with Catalog(self.folder / "catalog.sqlite", read_only=True) as catalog:
            titles = {model.fingerprint: model.title for model in catalog.models()}
            keys = [key for key in catalog.specification_keys("colours:1") if key[2] is Evidence.REFERENCE]
            found = [(titles[f], catalog.specification(f, digest, "colours:1")) for f, digest, *_ in keys]
            return {title: specification.numbers.tolist() for title, specification in found if specification}


@pytest.fixture
def indexed(tmp_path: Path) -> Indexed:
    return Indexed(tmp_path)


def test_every_lora_and_its_base_paint_the_drawings_once(indexed: Indexed):
    steps: list[Step] = []
    report = indexed.run(plain_references(3), steps.append)
    assert sorted(path.stem for path in report.rendered) == ["blue", "red"]
    assert indexed.painted() == {"base checkpoint": [0, 1, 2], "blue": [0, 1, 2], "red": [0, 1, 2]}
    assert [step.done for step in steps if step.stage == "references" and not step.images] == [1, 2]
    assert indexed.run(plain_references(3)).rendered == []
    assert indexed.generators[-1].asked == []


def test_without_a_reference_set_nothing_is_painted(indexed: Indexed):
    indexed.run(None)
    assert indexed.painted() == {}
    indexed.run(plain_references(2), quick=True)
    assert indexed.painted() == {}


def test_another_reference_set_counts_when_asked_for(indexed: Indexed):
    indexed.run(plain_references(2))
    assert indexed.run(plain_references(2, first=7)).rendered == []
    assert len(indexed.run(plain_references(2, first=7), refresh=True).rendered) == 2


def test_inputs_are_kept_for_before_and_after(indexed: Indexed):
    references = plain_references(2)
    indexed.run(references)
    with Catalog(indexed.folder / "catalog.sqlite", read_only=True) as catalog:
        assert all(catalog.sample(kind, digest, 0) for kind in (DRAWING, SUBJECT) for digest in references.digests)


def test_a_picture_that_comes_back_unchanged_is_cleansed(indexed: Indexed):
    references = plain_references(3)

    class Copying(ColourGenerator):
        def paint(self, model: ModelFile, number: int) -> Image.Image:
            return references.subjects[1] if number == 1 else super().paint(model, number)

    indexed.generator = Copying
    indexed.run(references)
    assert indexed.painted()["red"] == [0, 2]


def test_compression_hides_no_picture_that_comes_back_unchanged(indexed: Indexed):
    """Noise, which no lossy thumbnail keeps: compared after that, an identical output would pass for a changed one."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8))
    plain = plain_references(2)
    references = replace(plain, subjects=(plain.subjects[0], noise))
    assert mean_squared_error(thumbnail(noise), noise) > UNCHANGED

    class Copying(ColourGenerator):
        def paint(self, model: ModelFile, number: int) -> Image.Image:
            return noise if number == 1 else super().paint(model, number)

    indexed.generator = Copying
    indexed.run(references)
    assert indexed.painted()["red"] == [0]


def test_what_takes_prompts_only_is_told_and_is_no_failure(indexed: Indexed):
    class PromptsOnly(ColourGenerator):
        def plan(self, model: ModelFile, probes: Sequence[Probe]) -> ProbeSet:
            if probes[0].drawing:
                raise UnsupportedReferenceError("using prompts only")
            return super().plan(model, probes)

    indexed.generator = PromptsOnly
    report = indexed.run(plain_references())
    assert {path.stem: reason for path, reason in report.prompts_only.items()} == dict.fromkeys(
        ["red", "blue"], "using prompts only"
    )
    assert (report.failed, indexed.painted()) == ({}, {})


def test_work_that_was_stopped_goes_on(indexed: Indexed):
    def stop(step: Step) -> None:
        if step.stage == "references" and step.images:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        indexed.run(plain_references(6), stop)
    assert indexed.painted() == {}
    indexed.run(plain_references(6))
    assert indexed.generators[-1].asked[:2] == [("base checkpoint", 4), ("base checkpoint", 5)]
    assert np.all([numbers == [*range(6)] for numbers in indexed.painted().values()])
