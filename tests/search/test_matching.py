"""`modelsearch train matching` and what searching makes of it, on a catalog of features alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.cli import main
from modelsearch_core.drawing import to_sketch_tone
from modelsearch_core.embedding import unit
from modelsearch_core.errors import ModelSearchError
from modelsearch_core.model_files import Kind
from modelsearch_core.probes import ProbeSet, default_probes
from modelsearch_core.scores import gaussian
from modelsearch_core.search import ModelIndex, Query
from modelsearch_core.specification import Evidence, Modality, Specification
from modelsearch_core.statistics.matching import MATCHING_SETTING, Matching, read_matching
from modelsearch_core.training import tuning
from tests.making.fakes import DIMENSION, ColourEncoder, model_file
from tests.search.test_search import patch

M, S = 24, 12


def catalog_of(path: Path, models: int = M, telling: int = 3, *, described: int = 0) -> Path:
    """Models that differ in some of the features only; the others are chance, and stronger."""
    rng = np.random.default_rng(1)
    spread = np.r_[np.full(telling, 0.15), np.full(DIMENSION - telling, 0.9)]
    probes = ProbeSet(
        probes=default_probes(S), width=16, height=16, steps=1, guidance=1.0, sampler="none", generator="none"
    )
    with Catalog(path) as catalog, catalog.transaction():
        catalog.put_encoder(ColourEncoder.name, "colours", DIMENSION)
        catalog.put_probe_set(probes)
        files = [model_file(f"model {n:02}", kind=Kind.CHECKPOINT, folder="/models") for n in range(models)]
        catalog.put_files(files)
        for file in files:
            centre = np.r_[rng.normal(0, 0.5, telling), np.full(DIMENSION - telling, 0.3)]
            Z, drawings = (unit(centre + rng.normal(size=(S, DIMENSION)) * spread) for _ in range(2))
            catalog.put_specification(
                Specification(
                    fingerprint=file.fingerprint,
                    digest=probes.digest,
                    encoder=ColourEncoder.name,
                    evidence=Evidence.GENERATED,
                    Z=Z,
                    numbers=np.arange(S, dtype=np.int32),
                    drawings=drawings,
                )
            )
            if file in files[:described]:
                words = unit(centre + rng.normal(size=(4, DIMENSION)) * spread)
                catalog.put_specification(
                    Specification(
                        fingerprint=file.fingerprint,
                        digest="words:1",
                        encoder=ColourEncoder.name,
                        evidence=Evidence.METADATA,
                        Z=words,
                        numbers=np.arange(4, dtype=np.int32),
                    )
                )
    return path


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few features are learned soon."""
    monkeypatch.setattr(tuning, "STEPS", (60,))


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    return catalog_of(tmp_path / "catalog.sqlite")


def run(*words: object) -> int:
    return main([str(word) for word in words])


def test_what_is_learned_is_told_recorded_and_used(catalog: Path, capsys: pytest.CaptureFixture[str]):
    assert run("train", "matching", "--catalog", catalog) == 0
    told = capsys.readouterr().out
    assert "image, first_moment" in told and "sketch, gaussian" in told and "used" in told
    matching = read_matching(catalog.with_name("catalog.matching.safetensors"))
    assert matching.encoder == ColourEncoder.name and len(matching.record["models"]) == M
    figures = matching.record["scores"]["image.first_moment"]
    assert figures["better"] and figures["learned"]["mrr"] > figures["plain"]["mrr"]
    with ModelIndex.open(catalog, encoder=ColourEncoder()) as index:
        query = Query(images=[patch("red")])
        assert "learned_first_moment" in index.methods
        plain, learned = (index.scores(query, method) for method in ("first_moment", "learned_first_moment"))
        assert not np.allclose(plain, learned)
    assert list(catalog.parent.glob("*.part")) == []


def test_its_figures_come_as_json(catalog: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "elsewhere" / "mine.safetensors"
    assert run("train", "matching", "--catalog", catalog, "--out", out, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["file"] == str(out) and set(told["scores"]) == {
        f"{modality}.{score}" for modality in ("image", "sketch") for score in ("first_moment", "gaussian")
    }
    with Catalog(catalog, read_only=True) as kept:
        assert kept.setting(MATCHING_SETTING) == str(out)


def test_nothing_is_used_that_is_no_better(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    catalog = catalog_of(tmp_path / "catalog.sqlite", telling=0)
    assert run("train", "matching", "--catalog", catalog) == 1
    assert "no worse" in capsys.readouterr().out
    assert not catalog.with_name("catalog.matching.safetensors").exists()


def test_too_few_models_say_how_many_it_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    catalog = catalog_of(tmp_path / "catalog.sqlite", models=7)
    assert run("train", "matching", "--catalog", catalog) == 2
    assert "at least 20 models" in capsys.readouterr().err


def test_before_it_was_trained_the_way_is_told(catalog: Path):
    with ModelIndex.open(catalog, encoder=ColourEncoder()) as index:
        assert "learned_gaussian" not in index.methods
        with pytest.raises(ModelSearchError, match="modelsearch train matching"):
            index.search(Query(images=[patch("red")]), method="learned_gaussian")


def put(catalog: Path, matching: Matching) -> None:
    matching.save(catalog.with_name("m.safetensors"))
    with Catalog(catalog) as kept:
        kept.put_setting(MATCHING_SETTING, "m.safetensors")


def test_authors_words_teach_what_words_speak_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    catalog = catalog_of(tmp_path / "catalog.sqlite", models=40, described=36)
    assert run("train", "matching", "--catalog", catalog, "--json") == 0
    figures = json.loads(capsys.readouterr().out)["scores"]["text.first_moment"]
    assert figures["better"] and figures["learned"]["mrr"] > figures["plain"]["mrr"]
    query = Query(text=["red"])
    with ModelIndex.open(catalog, encoder=ColourEncoder()) as index:
        learned = index.scores(query)
        assert not np.allclose(index.scores(query, "learned_first_moment"), index.scores(query, "first_moment"))
    with Catalog(catalog) as kept:
        kept.put_setting(MATCHING_SETTING, "gone")
    with ModelIndex.open(catalog, encoder=ColourEncoder()) as index:
        assert not np.allclose(index.scores(query), learned)


def test_few_authors_teach_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    catalog = catalog_of(tmp_path / "catalog.sqlite", described=tuning.FEWEST - 1)
    assert run("train", "matching", "--catalog", catalog, "--json") == 0
    assert "text.first_moment" not in json.loads(capsys.readouterr().out)["scores"]


@pytest.mark.parametrize("modality", [Modality.IMAGE, Modality.SKETCH])
def test_auto_takes_what_was_learned(catalog: Path, modality: Modality):
    query = Query(images=[patch("red")]) if modality is Modality.IMAGE else Query(sketches=[patch("red")])
    with ModelIndex.open(catalog, encoder=ColourEncoder()) as index:
        before = index.scores(query)
    put(catalog, Matching(encoder="colours:1", matrices={f"{modality.value}.gaussian": np.linspace(0.2, 2, DIMENSION)}))
    with ModelIndex.open(catalog, encoder=ColourEncoder()) as index:
        assert not np.allclose(index.scores(query), before)


@pytest.mark.parametrize(("method", "plain"), [("first_moment", "first_moment"), ("gaussian", "gaussian")])
def test_what_was_no_better_answers_as_ever(catalog: Path, method: str, plain: str):
    put(catalog, Matching(encoder="colours:1", matrices={}))
    with ModelIndex.open(catalog, encoder=ColourEncoder()) as index:
        query = Query(images=[patch("red")])
        np.testing.assert_allclose(index.scores(query, f"learned_{method}"), index.scores(query, plain))


def test_texts_and_models_ask_too(catalog: Path):
    put(catalog, Matching(encoder="colours:1", matrices={"image.first_moment": np.linspace(0.2, 2, DIMENSION)}))
    with ModelIndex.open(catalog, encoder=ColourEncoder()) as index:
        text = Query(text=["red"])
        np.testing.assert_allclose(index.scores(text, "learned_first_moment"), index.scores(text, "first_moment"))
        like = index.search(Query(like=["model 03"]), method="learned_first_moment")
        assert len(like) == 10 and "model 03" not in {match.name for match in like}


@pytest.mark.parametrize("broken", [b"", b"nothing of the kind" * 9])
def test_a_broken_file_is_gone_without(catalog: Path, broken: bytes, caplog: pytest.LogCaptureFixture):
    put(catalog, Matching(encoder="colours:1", matrices={}))
    catalog.with_name("m.safetensors").write_bytes(broken)
    with ModelIndex.open(catalog, encoder=ColourEncoder()) as index:
        assert index.search(Query(images=[patch("red")]))
        assert index.statistics.matching is None
    assert "train matching" in caplog.text


def test_another_encoders_is_gone_without(catalog: Path):
    put(catalog, Matching(encoder="another", matrices={}))
    with ModelIndex.open(catalog, encoder=ColourEncoder()) as index:
        assert index.statistics.matching is None


def test_sketches_are_asked_of_the_density_of_drawings(catalog: Path):
    with ModelIndex.open(catalog, encoder=ColourEncoder()) as index:
        query, drawings = Query(sketches=[patch("red")]), index.collection.drawings
        h = ColourEncoder().encode_images([to_sketch_tone(patch("red"))])
        expected = gaussian.log_density(gaussian.fit(drawings.Z, drawings.offsets), h)[0]
        of_drawings, of_pictures = (index.scores(query, name) for name in ("drawn_gaussian", "gaussian"))
        places = [np.argsort(np.argsort(scores)) for scores in (expected, of_drawings, of_pictures)]
        of_drawings, of_pictures = np.corrcoef(places)[0, 1:]  # nearly: densities are stored with a few decimals
        assert of_drawings > 0.99 > of_pictures + 0.01
