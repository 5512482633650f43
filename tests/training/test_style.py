"""`modelsearch train style` and `modelsearch grid`, on a catalog of the colour world."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelsearch_core.catalog import Catalog
from modelsearch_core.cli import main
from modelsearch_core.encoders.style_head import StyleHead, read_head
from modelsearch_core.indexing import Engine, IndexSettings, index
from modelsearch_core.search import Filters, ModelIndex, Query
from tests.indexing.folders import make_folder
from tests.making.fakes import ColourEncoder, ColourGenerator
from tests.making.references import plain_references
from tests.search.test_search import patch

NAMES = ["base checkpoint", "red", "green", "blue", "yellow", "pink"]


def catalog_of(folder: Path, names: list[str], drawings: int = 6) -> Path:
    make_folder(folder / "models", names)
    engine = Engine(
        encoder=ColourEncoder(), encoder_source="colours", generator_for=ColourGenerator, draw=lambda image: image,
        references=plain_references(drawings),
    )  # fmt: skip
    with Catalog(folder / "catalog.sqlite") as catalog:
        index(catalog, [folder / "models"], engine, IndexSettings(samples=4))
    return folder / "catalog.sqlite"


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return catalog_of(tmp_path_factory.mktemp("training"), NAMES)


def run(*words: object) -> int:
    return main([str(word) for word in words])


def test_a_style_encoder_is_trained_recorded_and_used(catalog: Path, capsys: pytest.CaptureFixture[str]):
    assert run("train", "style", "--catalog", catalog) == 0
    told = capsys.readouterr().out
    assert "F1" in told and "MRR" in told and "held out:" in told and "among 5 LoRA" in told
    head = read_head(catalog.with_name("catalog.style.safetensors"))
    assert (head.encoder, len(head.record["loras"]), head.record["pictures"]) == ("colours:1", 5, 30)
    assert set(head.record["held_out"]["trained"]) >= {"f1", "mrr", "top1", "models", "queries"}
    with ModelIndex.open(catalog, encoder=ColourEncoder()) as index:
        assert isinstance(index.statistics.styles.space, StyleHead)
        assert index.statistics.styles.space.name == head.name
        found = index.search(Query(images=[patch("blue")]), method="style", filters=Filters(kind="lora"))
        assert found[0].name == "blue"
    assert list(catalog.parent.glob("*.part*")) == []


def test_its_figures_come_as_json(catalog: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "mine.safetensors"
    run("train", "style", "--catalog", catalog, "--out", out, "--epochs", 2, "--seed", 3, "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["file"] == str(out) and out.is_file()
    assert (told["settings"]["epochs"], told["settings"]["seed"]) == (2, 3)
    assert len(told["losses"]) == 2


def test_the_same_seed_gives_the_same_encoder(catalog: Path, tmp_path: Path):
    for name in ("a", "b"):
        run("train", "style", "--catalog", catalog, "--out", tmp_path / name, "--epochs", 2)
    assert np.array_equal(read_head(tmp_path / "a").weight, read_head(tmp_path / "b").weight)


def test_too_few_lora_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    catalog = catalog_of(tmp_path, NAMES[:3])
    assert run("train", "style", "--catalog", catalog) == 2
    assert "at least 4 LoRA that have painted drawings, and 2 of 2 have" in capsys.readouterr().err


def test_a_grid_shows_before_and_after(catalog: Path, tmp_path: Path):
    assert run("grid", "red", "blue", "--catalog", catalog, "--out", tmp_path / "grid.png", "--columns", 3) == 0
    sheet = Image.open(tmp_path / "grid.png").convert("RGB")
    assert sheet.width < 400
    rows = sheet.height // 5
    strips = [sheet.crop((0, y * rows, sheet.width, (y + 1) * rows)) for y in range(5)]
    colours = [{colour for _, colour in strip.getcolors(99999) or []} for strip in strips]
    assert [((255, 0, 0) in c, (0, 0, 255) in c) for c in colours] == [(False, False)] * 3 + [
        (True, False), (False, True),
    ]  # fmt: skip


def test_a_grid_of_models_that_painted_nothing_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    catalog = catalog_of(tmp_path, NAMES[:3])
    assert run("grid", "base", "--catalog", catalog) == 2
    assert "is no model of the index" in capsys.readouterr().err
    with Catalog(catalog) as writer:
        for fingerprint, digest, evidence, _ in writer.specification_keys("colours:1"):
            if evidence.value == "reference":
                writer.remove_specification(fingerprint, digest)
    assert run("grid", "red", "--catalog", catalog, "--out", tmp_path / "g.png") == 2
    assert "run `modelsearch index FOLDER --style --refresh`" in capsys.readouterr().err
