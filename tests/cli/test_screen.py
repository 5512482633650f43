"""What files are called, and what is said in them, sends no command to a terminal."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.cli import main
from modelsearch_core.cli.screen import visible
from modelsearch_core.pictures import SUMMARY, PictureSummary
from modelsearch_core.specification import Evidence, Specification
from tests.making.fakes import ColourEncoder, model_file

NAME = "red \x1b[31m \u202e\x9b \u200fא\u4e00 \x7f"


@pytest.fixture
def catalog(tmp_path: Path) -> str:
    file = tmp_path / "c.sqlite"
    encoder, model = ColourEncoder(), replace(model_file("a"), path=tmp_path / f"{NAME}.safetensors", title=NAME)
    said = Specification(
        fingerprint=model.fingerprint,
        digest="words:1",
        encoder=encoder.name,
        evidence=Evidence.METADATA,
        Z=encoder.encode_texts(["red"]),
        numbers=np.zeros(1, np.int32),
    )
    with Catalog(file) as catalog:
        catalog.put_encoder(encoder.name, "colours", encoder.dimension)
        catalog.put_files([model])
        catalog.put_specification(said)
        catalog.put_setting(SUMMARY, PictureSummary(files=1, absent={NAME: 1}, absent_pictures=1).to_json())
    return str(file)


@pytest.mark.parametrize("command", ["list", "status", "show"])
def test_commands_to_a_terminal_are_shown(catalog: str, capsys: pytest.CaptureFixture[str], command: str):
    main([command, *([NAME] if command == "show" else []), "--catalog", catalog])
    said = "".join(capsys.readouterr())
    assert "\\u001b[31m" in said
    assert not set(said) & set("\x1b\x9b\x7f\u202e")


def test_json_says_the_same(catalog: str, capsys: pytest.CaptureFixture[str]):
    assert main(["list", "--json", "--catalog", catalog]) == 0
    said = capsys.readouterr().out
    assert "\x9b" not in said
    assert [model["name"] for model in json.loads(said)] == [NAME]


def test_text_stays_as_it_is():
    assert visible("a\tb\nc é א 一 👩\u200d🎨") == "a\tb\nc é א 一 👩\u200d🎨"
