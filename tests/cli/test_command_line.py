"""The command line from end to end, on the bundled mini zoo: pictures are really generated, encoded and found."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from modelsearch_core.cli import main
from modelsearch_core.cli.arguments import parser
from modelsearch_core.drawing import outlines
from modelsearch_core.mini_zoo import FOLDER, PROMPTS, zoo_models
from tests.making.convnext import write_convnext

pytestmark = pytest.mark.skipif(not (FOLDER / "world.json").is_file(), reason="the mini zoo is not in this checkout")

ROOT = Path(__file__).parents[2]
SAMPLES = 8
LORAS = (
    *("things/boo", "painters/kirchenfenster", "painters/bricks", "grade_01", "painters/sternennacht", "HM_0007"),
    "things/Rex",
)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the zoo's base, some of its LoRA and a single-file checkpoint, indexed."""
    folder = tmp_path_factory.mktemp("zoo")
    models = FOLDER / "models"
    shutil.copytree(models / "base", folder / "models" / "base")
    for name in LORAS:
        target = folder / "models" / "loras" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        for file in (models / "loras" / name).parent.glob(f"{Path(name).name}.*"):
            shutil.copy(file, target.parent)
    shutil.copy(models / "checkpoints" / "garage-final.safetensors", folder / "models")
    assert (
        run(
            "index",
            folder / "models",
            *common(folder),
            "--samples",
            SAMPLES,
            "--encoder",
            FOLDER / "clip",
            "--prompts",
            PROMPTS,
        )
        == 0
    )
    return folder


def test_layouts_are_mapped_from_kept_pictures_and_respected(
    zoo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    shutil.copy(zoo / "catalog.sqlite", tmp_path)
    convnext = write_convnext(tmp_path / "convnext")
    zoo_models()["HM_0007"].picture().save(tmp_path / "lantern.png")
    asked = ["search", *common(tmp_path), "--image", tmp_path / "lantern.png", "--respect-layout"]
    assert run(*asked) == 2
    assert "no maps of where things are; run `modelsearch index FOLDER --spatial`" in capsys.readouterr().err
    words = ["index", zoo / "models", *common(tmp_path), "--quick", "--spatial-encoder", convnext]
    mapped = output(capsys, *words)
    assert (mapped["images"], len(mapped["mapped"])) == (0, len(LORAS) + 2)
    assert output(capsys, *words)["mapped"] == []
    assert run(*asked, "--explain") == 0
    shown = capsys.readouterr()
    assert "layout of 1 image" in shown.out
    assert "no map" not in shown.err
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite")) as connection:
        connection.execute("DELETE FROM spatial_map WHERE rowid = 1")
        connection.commit()
    assert run(*asked) == 0
    assert "1 of 9 models have no map of where things are yet" in capsys.readouterr().err
    assert output(capsys, *asked, "--method", "first_moment")[0]["explanation"][1]["label"] == "layout of 1 image"
    assert run("search", *common(tmp_path), "--text", "red", "--respect-layout") == 2
    assert "only an image has a layout to respect" in capsys.readouterr().err
    assert run("search", *common(tmp_path), "--text", "red", "--method", "spatial") == 2
    assert "a text does not say where things are" in capsys.readouterr().err


def common(folder: Path) -> list[object]:
    return ["--catalog", folder / "catalog.sqlite", "--device", "cpu"]


def run(*words: object) -> int:
    return main([str(word) for word in words])


def output(capsys: pytest.CaptureFixture[str], *words: object) -> Any:
    """What a command prints with --json."""
    run(*words, "--json")
    return json.loads(capsys.readouterr().out)


def save(image: Image.Image, path: Path) -> Path:
    image.save(path)
    return path


def found(capsys: pytest.CaptureFixture[str], zoo: Path, *words: object) -> list[str]:
    return [match["name"] for match in output(capsys, "search", *words, *common(zoo))]


def test_the_right_lora_is_found_by_text(zoo: Path, capsys: pytest.CaptureFixture[str]):
    models = zoo_models()
    places = [
        found(capsys, zoo, "--text", models[name.replace("/", "__")].description).index(Path(name).name)
        for name in ("painters/kirchenfenster", "painters/sternennacht", "grade_01")
    ]
    assert sorted(places)[1] == 0
    assert max(places) < 5


def test_the_right_lora_is_found_by_a_picture_nobody_trained_on(
    zoo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    first = 0
    for name in LORAS:
        picture = save(zoo_models()[name.replace("/", "__")].picture(0), tmp_path / "query.png")
        first += found(capsys, zoo, "--image", picture)[0] == Path(name).name
    assert first >= len(LORAS) - 2


def test_a_sketch_a_model_and_a_mixture_are_answered(zoo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    sketch = save(outlines(zoo_models()["HM_0007"].picture(0)), tmp_path / "sketch.png")
    assert len(found(capsys, zoo, "--sketch", sketch)) == len(LORAS) + 2
    assert "boo" not in found(capsys, zoo, "--like", "boo")
    assert found(capsys, zoo, "--text", "neon", "--sketch", sketch, "--without", "bricks", "--kind", "lora")


def test_a_second_run_generates_nothing(zoo: Path, capsys: pytest.CaptureFixture[str]):
    report = output(capsys, "index", zoo / "models", *common(zoo), "--samples", SAMPLES)
    assert (report["generated"], report["unchanged"], report["failed"]) == ([], len(LORAS) + 2, {})


def test_a_file_without_prompts_is_refused_by_name(zoo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "empty.txt").write_text("# nothing yet\n")
    for file, reason in (("empty.txt", "has no prompts; write one a line"), ("none.txt", "cannot be read as prompts")):
        assert run("index", zoo / "models", *common(zoo), "--prompts", tmp_path / file) == 2
        said = capsys.readouterr().err
        assert file in said
        assert reason in said


def test_the_answer_is_a_table_and_a_sheet(zoo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run("search", "--text", "stained glass", *common(zoo), "--sheet", tmp_path / "a.png", "--explain") == 0
    said = capsys.readouterr().out
    assert "kirchenfenster" in said
    assert re.search(r"stained glass \(text\): [+-]\d", said)
    assert re.search(r"first_moment -?\d\.\d+ \(-?\d\.\d+ ± \d", said)
    assert re.search(r"nearest samples: \d+ \(-?0\.\d{3}\) \w+", said)
    assert Image.open(tmp_path / "a.png").width > 300


def test_the_reports_tell_what_is_there(zoo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    catalog = ["--catalog", zoo / "catalog.sqlite"]
    listed = output(capsys, "list", *catalog)
    assert {model["evidence"] for model in listed} == {"generated"}
    assert {model["kind"] for model in listed} == {"lora", "checkpoint"}
    assert {model["architecture"] for model in listed} == {"sd_mini"}
    shown = output(capsys, "show", "sternennacht", *catalog, "--sheet", tmp_path / "s.png")
    assert shown["trigger_words"] == ["vgsn"]
    assert shown["samples"] == SAMPLES
    assert (tmp_path / "s.png").is_file()
    assert output(capsys, "status", *catalog)["evidence"] == {"generated": len(LORAS) + 2}


def test_a_copy_is_an_exact_duplicate(zoo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    catalog = tmp_path / "catalog.sqlite"
    shutil.copy(zoo / "catalog.sqlite", catalog)
    shutil.copy(zoo / "models" / "loras" / "grade_01.safetensors", zoo / "models" / "copy of it.safetensors")
    try:
        run("index", zoo / "models", "--catalog", catalog, "--samples", SAMPLES, "--device", "cpu")
        capsys.readouterr()
        groups = output(capsys, "duplicates", "--catalog", catalog)["exact"]
    finally:
        (zoo / "models" / "copy of it.safetensors").unlink()
    assert [sorted(Path(path).stem for path in group) for group in groups] == [["copy of it", "grade_01"]]


def test_a_forgotten_model_is_gone_and_comes_back(zoo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    catalog = tmp_path / "catalog.sqlite"
    shutil.copy(zoo / "catalog.sqlite", catalog)
    assert run("forget", "boo", "--catalog", catalog) == 0
    capsys.readouterr()
    assert "boo" not in [model["name"] for model in output(capsys, "list", "--catalog", catalog)]


def test_pictures_in_folders_measure_the_index(zoo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for name in LORAS[:4]:
        shutil.copytree(FOLDER / "queries" / name.replace("/", "__"), tmp_path / Path(name).name)
    result = output(capsys, "evaluate", tmp_path, *common(zoo), "--method", "auto", "--method", "first_moment")
    assert result["queries"] == 24
    found = {figures["method"]: figures for figures in result["methods"]}
    assert found["auto"]["top1"] > 0.5 and found["auto"]["top5"] > 0.9
    assert found["first_moment"]["top1"] > 0.3 and found["first_moment"]["top5"] > 0.8  # .11 and .56 by chance


def test_without_pictures_the_index_is_asked_for_its_own(zoo: Path, capsys: pytest.CaptureFixture[str]):
    result = output(capsys, "evaluate", *common(zoo), "--method", "auto", "--method", "first_moment", "--queries", 4)
    assert result["questions"] == 4 * (len(LORAS) + 2)
    assert [figures["method"] for figures in result["methods"]] == ["auto", "first_moment"]
    assert result["methods"][0]["top5"] > result["chance"]["top5"]
    assert run("evaluate", *common(zoo), "--method", "auto", "--all") == 0
    said = capsys.readouterr().out
    assert "no more;" in said  # what it does not measure
    assert all(Path(name).name in said for name in LORAS)
    assert run("evaluate", *common(zoo), "--sketch", "--method", "auto", "--queries", 0) == 2
    assert "--queries 0 is too few" in capsys.readouterr().err


def test_doctor_finds_the_encoder_and_the_base(zoo: Path, capsys: pytest.CaptureFixture[str]):
    findings = {finding["what"]: finding for finding in output(capsys, "doctor", "--catalog", zoo / "catalog.sqlite")}
    assert findings["encoder"]["remedy"] == ""
    assert findings["base for 7 sd_mini LoRA"]["state"] == "there"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["search", "--image", "nowhere.png"], "no picture at nowhere.png"),
        (["search"], "a query needs a text"),
        (["search", "--like", "no such model"], "'no such model' is no model of the index"),
        (["evaluate", "."], "."),
    ],
)
def test_wrong_use_is_named_and_exits_with_2(
    zoo: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
):
    assert run(*words, *common(zoo)) == 2
    assert message in capsys.readouterr().err


def test_a_catalog_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run("search", "--text", "a", "--catalog", tmp_path / "none.sqlite") == 2
    assert "modelsearch index FOLDER" in capsys.readouterr().err


def test_an_unknown_folder_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    words = ["index", tmp_path / "nowhere", "--catalog", tmp_path / "c.sqlite", "--encoder", FOLDER / "clip"]
    assert run(*words) == 2
    assert "nowhere" in capsys.readouterr().err


def test_the_module_runs_as_a_program():
    command = [sys.executable, "-m", "modelsearch_core.cli", "--help"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True)
    assert "search" in done.stdout


def test_every_command_is_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (actions,) = [action for action in parser()._actions if action.choices and "search" in action.choices]
    for command in actions.choices or ():
        assert re.search(rf"`[^`]*\b{command}\b", readme), command
