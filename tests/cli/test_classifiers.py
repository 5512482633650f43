"""Classifiers from the command line, end to end, with the mini zoo's CLIP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from modelsearch_core.cli import main
from modelsearch_core.mini_zoo import FOLDER
from tests.making import classifiers as making
from tests.making.fakes import NAMES

pytestmark = pytest.mark.skipif(not (FOLDER / "world.json").is_file(), reason="the mini zoo is not in this checkout")


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classifiers")
    making.detector(folder / "models" / "bbox" / "v3_best.onnx", NAMES)
    making.classifier(folder / "models" / "rater.onnx", ["red"])
    probes = making.probe_pictures(folder / "probes", 160)
    common = ["--catalog", str(folder / "catalog.sqlite"), "--probes", str(probes), "--encoder", str(FOLDER / "clip")]
    kinds = ["--kind", "classifier", "--kind", "detector"]
    assert main(["index", str(folder / "models"), *kinds, *common]) == 0
    return folder / "catalog.sqlite"


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    code = main([*words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_word_is_answered_with_file_output_label_and_probes(catalog: Path, capsys: pytest.CaptureFixture[str]):
    ask = ["search", "--text", "pink", "--kind", "detector", "--catalog", str(catalog)]
    code, found = answer(capsys, *ask, "-k", "3")
    assert code == 0 and len(found) == 3
    assert {match["name"] for match in found} == {"v3_best"}
    assert found[0]["label"] == NAMES[found[0]["output"]] == "pink"
    assert len(found[0]["probes"]) == 4
    assert main(ask) == 0
    assert "v3_best" in capsys.readouterr().out


def test_a_sheet_shows_the_probes(catalog: Path, tmp_path: Path):
    sheet = tmp_path / "sheet.png"
    ask = ["search", "--text", "red", "--kind", "classifier", "--catalog", str(catalog), "--sheet", str(sheet)]
    assert main(ask) == 0
    with Image.open(sheet) as picture:
        assert picture.height > 200


def test_show_says_what_each_output_is(catalog: Path, capsys: pytest.CaptureFixture[str]):
    code, shown = answer(capsys, "show", "v3_best", "--catalog", str(catalog))
    assert code == 0
    assert [one["label"] for one in shown["each"]] == NAMES
    assert all(len(one["seems"]) == 3 for one in shown["each"])
    assert main(["show", "rater", "--catalog", str(catalog)]) == 0
    assert "0 (low)" in capsys.readouterr().out


def test_labels_left_out_are_asked_for(catalog: Path, capsys: pytest.CaptureFixture[str]):
    code, found = answer(capsys, "evaluate", "--kind", "detector", "--catalog", str(catalog))
    assert code == 0
    assert (found["asked"], found["outputs"]) == (len(NAMES), len(NAMES))


def test_a_drawing_is_no_question_for_classifiers(catalog: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    drawing = tmp_path / "drawing.png"
    Image.new("L", (8, 8), 255).save(drawing)
    ask = ["search", "--sketch", str(drawing), "--kind", "detector", "--catalog", str(catalog)]
    assert main(ask) == 2
    assert "leave --sketch, --like off" in capsys.readouterr().err
