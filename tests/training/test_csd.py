"""`modelsearch train style` on CSD's features: a small made CSD sees what the colour world's LoRA painted."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

from modelsearch_core.catalog import Catalog
from modelsearch_core.cli import main
from modelsearch_core.encoders.csd import csd_name, open_csd
from modelsearch_core.encoders.style_head import StyleFile, StyleHead, read_head, read_style
from modelsearch_core.encoders.style_space import STYLE_SETTING, space_of
from modelsearch_core.indexing.style_vectors import encode_renderings
from modelsearch_core.search import Filters, ModelIndex, Query
from modelsearch_core.training.upkeep import keep_up, standing_of
from tests.making.csd import DIMENSION, csd_state, plain_file
from tests.making.fakes import ColourEncoder
from tests.search.test_search import patch
from tests.training.test_style import NAMES, catalog_of

ENCODER = "colours:1"


@pytest.fixture(scope="module")
def painted_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return catalog_of(tmp_path_factory.mktemp("painted"), NAMES)


@pytest.fixture
def catalog(painted_catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy to train on, with no weights in sight."""
    monkeypatch.setenv("MODELSEARCH_WEIGHTS", str(tmp_path / "weights"))
    return Path(shutil.copy(painted_catalog, tmp_path))


def weights(catalog: Path) -> Path:
    return plain_file(catalog.with_name("weights") / "CSD-ViT-L.safetensors")


def train(catalog: Path, *words: object, code: int = 0) -> None:
    common = ["train", "style", "--catalog", str(catalog), "--device", "cpu", "--epochs", "2", "--force"]
    assert main([*common, *(str(word) for word in words)]) == code


def best(catalog: Path, colour: str) -> str:
    with ModelIndex.open(catalog, encoder=ColourEncoder()) as index:
        return index.search(Query(images=[patch(colour)]), method="style", filters=Filters(kind="lora"))[0].name


def test_csd_is_taken_where_it_is_on_disk(catalog: Path, capsys: pytest.CaptureFixture[str]):
    file = weights(catalog)
    train(catalog)
    told = capsys.readouterr().out
    assert f"on the features of CSD ({file})" in told
    rows = [line.split()[0] for line in told.splitlines() if line.split()]
    assert rows[-4:-1] == ["encoder", "untrained", "trained"]
    head = read_head(catalog.with_name("catalog.style.safetensors"))
    assert (head.encoder, head.csd, head.weight.shape[1]) == (csd_name(file), str(file), DIMENSION)
    assert (len(head.record["loras"]), head.record["pictures"]) == (5, 30)
    assert set(head.record["held_out"]) >= {"without", "untrained", "trained"}


def test_search_sees_pictures_through_csd_and_the_head(catalog: Path):
    file = weights(catalog)
    train(catalog)
    head = read_head(catalog.with_name("catalog.style.safetensors"))
    with ModelIndex.open(catalog, encoder=ColourEncoder()) as index:
        styles = index.statistics.styles
        assert isinstance(styles.space, StyleFile) and styles.space.name == csd_name(file)
        seen = head(open_csd(file, "cpu").encode_images([patch("red")]))
        assert styles.vectors_of([patch("red")]) == pytest.approx(seen, abs=1e-5)
        assert styles.V.shape == (6 * 6, len(head.weight))
        assert index.search(Query(images=[patch("red")]), filters=Filters(kind="lora"))
        assert index.search(Query(like=["red"]), method="style", filters=Filters(kind="lora"))
        assert index.search(Query(text=["red"]), method="style", filters=Filters(kind="lora"))
    assert best(catalog, "red") == "red" and best(catalog, "blue") == "blue"


def test_the_encoders_features_are_taken_when_asked_for_or_alone(catalog: Path, capsys: pytest.CaptureFixture[str]):
    train(catalog, "--json")
    assert json.loads(capsys.readouterr().out)["features"] == ENCODER
    weights(catalog)
    train(catalog, "--features", "encoder", "--json")
    assert json.loads(capsys.readouterr().out)["features"] == ENCODER
    assert isinstance(read_style(catalog.with_name("catalog.style.safetensors")), StyleHead)


def test_a_file_of_ones_own_is_named(catalog: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    mine = plain_file(tmp_path / "elsewhere" / "mine.safetensors")
    train(catalog, "--csd", mine, "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["features"], told["used"]) == (csd_name(mine), True)


def test_stored_pictures_are_looked_at_once(catalog: Path, monkeypatch: pytest.MonkeyPatch):
    weights(catalog)
    train(catalog)

    def never(*_: object) -> None:
        raise AssertionError("looked again")

    monkeypatch.setattr("modelsearch_core.encoders.style.StyleEncoder.encode_images", never)
    train(catalog, "--seed", 1)
    with Catalog(catalog) as kept:
        encode_renderings(kept, ENCODER, "cpu")


def test_a_csd_that_is_gone_is_said_and_passed_over(catalog: Path, caplog: pytest.LogCaptureFixture):
    file = weights(catalog)
    train(catalog)
    hidden = file.rename(file.with_name("somewhere.else"))
    with caplog.at_level(logging.WARNING):
        assert best(catalog, "green") == "green"
    assert f"the weights {csd_name(hidden)}" in caplog.text and f"no longer at {file}" in caplog.text
    with Catalog(catalog) as kept:
        assert space_of(kept.setting(STYLE_SETTING), kept.path, ENCODER) is None
        encode_renderings(kept, ENCODER)
    hidden.rename(file)
    with ModelIndex.open(catalog, encoder=ColourEncoder()) as index:
        assert isinstance(index.statistics.styles.space, StyleFile)


def test_a_wrong_file_is_refused_if_named_and_else_passed_over(catalog: Path, capsys: pytest.CaptureFixture[str]):
    file = catalog.with_name("weights") / "CSD-ViT-L.safetensors"
    file.parent.mkdir()
    save_file({"visual.conv1.weight": csd_state()["backbone.conv1.weight"]}, file)
    train(catalog, "--csd", file, code=2)
    assert "there is no last_layer_style" in capsys.readouterr().err
    train(catalog, "--json")
    told = capsys.readouterr()
    assert "goes on with the encoder's features" in told.err and json.loads(told.out)["features"] == ENCODER


def test_options_that_contradict_each_other_are_refused(catalog: Path, capsys: pytest.CaptureFixture[str]):
    train(catalog, "--features", "csd", "--network", "vgg19", code=2)
    assert "--features csd do not go with --network vgg19" in capsys.readouterr().err
    train(catalog, "--features", "encoder", "--csd", "mine.pth", code=2)
    assert "leave one out" in capsys.readouterr().err
    train(catalog, "--features", "csd", code=2)
    assert "the weights CSD-ViT-L (about 1219 MB) are not on disk" in capsys.readouterr().err


def test_it_is_trained_again_on_csd_when_new_lora_are_found_worse(catalog: Path):
    file = weights(catalog)
    train(catalog)
    target = catalog.with_name("catalog.style.safetensors")
    trained = read_head(target)
    blind = StyleHead(
        weight=np.zeros_like(trained.weight), bias=np.ones_like(trained.bias), encoder=trained.encoder, csd=trained.csd
    )
    blind.save(target)
    with Catalog(catalog) as kept:
        space = space_of(kept.setting(STYLE_SETTING), kept.path, ENCODER)
        assert isinstance(space, StyleFile)
        standing = standing_of(kept, ENCODER, space)
        assert standing is not None and standing.added == 5 and standing.has_fallen
        assert "trained again on 5 LoRA" in keep_up(kept, ENCODER)
    again = read_head(target)
    assert again.name != blind.name and (again.encoder, again.csd) == (csd_name(file), str(file))


def test_lora_that_are_added_are_seen_by_csd_too(tmp_path: Path):
    file = plain_file(tmp_path / "mine.safetensors")
    catalog = catalog_of(tmp_path, NAMES[:-1], 3)
    train(catalog, "--csd", file)
    head = catalog.with_name("catalog.style.safetensors").read_bytes()
    shutil.rmtree(tmp_path / "models")
    catalog_of(tmp_path, NAMES, 3)
    with Catalog(catalog) as kept:
        encode_renderings(kept, ENCODER, "cpu")
        assert keep_up(kept, ENCODER) == ""
    with ModelIndex.open(catalog, encoder=ColourEncoder()) as index:
        assert len(index.statistics.styles.V) == 6 * 3
    assert best(catalog, "pink") == "pink"
    assert catalog.with_name("catalog.style.safetensors").read_bytes() == head
