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


def test_list_and_status_count_them(catalog: Path, capsys: pytest.CaptureFixture[str]):
    code, listed = answer(capsys, "list", "--catalog", str(catalog))
    assert code == 0
    assert [(m["kind"], m["name"], m["evidence"], m["outputs"]) for m in listed] == [
        ("detector", "v3_best", "responses", len(NAMES)),
        ("classifier", "rater", "responses", 2),
    ]
    code, state = answer(capsys, "status", "--catalog", str(catalog))
    counted = state["classifiers"]
    assert code == 0
    assert (counted["classifiers"], counted["detectors"], counted["outputs"]) == (1, 1, len(NAMES) + 2)
    assert (counted["probes"], counted["failed"], counted["by_labels"]) == (160, {}, 0)
    assert main(["list", "--catalog", str(catalog)]) == 0 == main(["status", "--catalog", str(catalog)])
    told = capsys.readouterr().out
    assert "v3_best" in told and "1 classifiers, 1 detectors" in told


def test_what_is_forgotten_is_asked_again(catalog: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    where = ["--catalog", str(tmp_path / "copy.sqlite")]
    assert main(["copy", str(catalog), str(tmp_path / "copy.sqlite")]) == 0
    capsys.readouterr()
    code, forgotten = answer(capsys, "forget", "v3_best", *where)
    assert (code, Path(forgotten["path"]).name) == (0, "v3_best.onnx")
    assert [m["name"] for m in answer(capsys, "list", *where)[1]] == ["rater"]
    assert main(["show", "v3_best", *where]) == 2
    assert "v3_best" in capsys.readouterr().err


def test_a_name_that_two_bear_is_refused_with_their_paths(
    catalog: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    for folder in "ab":
        making.detector(tmp_path / "models" / folder / "twin.onnx", NAMES[: 3 if folder == "a" else 4])
    where = ["--catalog", str(tmp_path / "catalog.sqlite")]
    probes = ["--probes", str(making.probe_pictures(tmp_path / "probes", 20)), "--encoder", str(FOLDER / "clip")]
    assert main(["index", str(tmp_path / "models"), "--kind", "detector", *probes, *where]) == 0
    for command in ("show", "forget"):
        assert main([command, "twin", *where]) == 2
        assert "2 classifiers are called 'twin'" in capsys.readouterr().err
    assert main(["show", str(tmp_path / "models" / "a" / "twin.onnx"), *where]) == 0
