"""A LoRA whose pictures are its base's is said to change nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.cli import main
from modelsearch_core.effects import without_effect
from modelsearch_core.indexing import Engine, IndexSettings, index
from tests.indexing.folders import make_folder
from tests.making.fakes import ColourEncoder, ColourGenerator


def test_a_lora_that_paints_what_its_base_paints_has_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_folder(tmp_path / "models", ["base checkpoint", "red", "nothing"])
    engine = Engine(encoder=ColourEncoder(), encoder_source="c", generator_for=ColourGenerator, draw=lambda i: i)
    with Catalog(tmp_path / "c.sqlite") as catalog:
        report = index(catalog, [tmp_path / "models"], engine, IndexSettings(samples=4))
        [idle] = [model for model in catalog.models() if model.title == "nothing"]
        assert without_effect(catalog, "colours:1") == {idle.fingerprint}
    assert report.without_effect == [idle.path]
    assert main(["status", "--json", "--catalog", str(tmp_path / "c.sqlite")]) == 0
    assert json.loads(capsys.readouterr().out)["no_effect"] == [str(idle.path)]
    assert main(["show", "nothing", "--catalog", str(tmp_path / "c.sqlite")]) == 0
    assert "none: its pictures are those of its base" in capsys.readouterr().out
