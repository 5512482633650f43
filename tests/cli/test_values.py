"""What is said of wrong options, and how the command line ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from modelsearch_core.cli import main
from modelsearch_core.cli.bars import Bars
from modelsearch_core.cli.tables import print_table
from modelsearch_core.indexing import Step
from tests.indexing.folders import make_folder
from tests.making.collections import fill_catalog
from tests.making.model_files import kohya_lora, write_safetensors

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("catalog") / "catalog.sqlite"
    fill_catalog(path, 20)
    return path


def run(*words: object) -> int:
    """The exit status, whoever sets it."""
    try:
        return main([str(word) for word in words])
    except SystemExit as ended:
        return int(ended.code or 0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["search", "--text", ""], "--text: must not be empty"),
        (["search", "--text", "a", "-k", "-3"], "-k: must be a whole number from 1 to 100000, not '-3'"),
        (["search", "--text", "a", "--weight", "-5"], "not '-5'; what is not wanted goes to --without"),
        (["search", "--text", "a", "--weight", "nan"], "not 'nan'"),
        (["search", "--text", "a", "--without", "nope.png"], "there is no picture at nope.png"),
        (["search", "--text", "a", "--prompt", "b"], "--prompt is about a picture; add --image F"),
        (["search", "--text", "a", "--style", "1"], "--style is about pictures; add --image F"),
        (["search", "--image", "a.png", "--style", "1"], "run `modelsearch index FOLDER --style` first"),
        (["search", "--text", "a", "--arch", "sdxxl"], "--arch sdxxl is no architecture; did you mean sdxl?"),
        (["search", "--text", "a", "--folder", "/nope"], "--folder /nope does not exist"),
        (["search", "--text", "a", "--sheet", "/nope/a.png"], "/nope is no folder; make it first"),
        (["search", "--text", "a", "--sheet", "a.xyz"], "a.xyz does not end in .png, .jpg or .webp"),
        (["search", "--text", "a", "--device", "banana"], "--device: must be auto, cpu, cuda"),
        (["show", "00000 red", "--sheet", "/nope/a.png"], "/nope is no folder"),
        (["map", "--output", "/nope/a.png"], "/nope is no folder"),
        (["grid", "00000 red", "--out", "a.eps"], "a.eps does not end in"),
        (["grid", "00000 red", "--columns", "0"], "--columns: must be a whole number from 1 to 200, not '0'"),
        (["duplicates", "--threshold", "7"], "--threshold: must be a number from 0.001 to 1, not '7'"),
        (["index", "/nope"], "/nope does not exist; give a folder of models, or a model file"),
        (["index", "~nobody-of-that-name/x"], "~nobody-of-that-name/x does not exist"),
        (["index", ".", "--samples", "0"], "--samples: must be a whole number from 1 to 4096, not '0'"),
        (["index", ".", "--size", "100"], "--size: must be a multiple of 64, not 100"),
        (["index", ".", "--steps", "9" * 5000], "--steps: must be a whole number from 1 to 1000"),
        (["index", ".", "--base", "nope.safetensors"], "--base nope.safetensors: [Errno 2]"),
        (["index", ".", "--map", "/a=/b"], "name their cluster with --ray ADDRESS"),
        (["index", ".", "--ray", "auto", "--map", "/a"], "--map /a must say where a folder is here and on the workers"),
        (["index", ".", "--ray", "auto", "--quick"], "--quick generates nothing, so no cluster is needed"),
        (["index", ".", "--ray", "auto", "--kind", "classifier"], "classifiers are asked by this machine alone"),
        (["index", ".", "--map", "a=b", "--kind", "classifier"], "classifiers are asked by this machine alone"),
        (["serve", "/nope"], "/nope does not exist"),
        (["serve", "--port", "99999"], "--port: must be a whole number from 0 to 65535, not '99999'"),
        (["demo", "--out", "/dev/null/x"], "--out /dev/null/x cannot be made"),
        (["train", "style", "--epochs", "0"], "--epochs: must be a whole number of at least 1, not '0'"),
    ],
)
def test_wrong_use_is_said_with_the_value_and_the_way_out(
    catalog: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(catalog.parent)
    assert run(*words, "--catalog", catalog) == 2
    assert message in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card here")
@pytest.mark.parametrize("words", [["search", "--text", "a"], ["index", "."]])
def test_a_device_that_is_not_there_is_named(
    catalog: Path, words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(catalog.parent)
    assert run(*words, "--device", "cuda", "--catalog", catalog) == 2
    said = capsys.readouterr().err
    assert "no device cuda here (" in said
    assert len(said.splitlines()) == 1


def test_a_lora_given_as_base_is_told_so(catalog: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    lora = write_safetensors(tmp_path / "a.safetensors", kohya_lora())
    assert run("index", tmp_path, "--base", lora, "--catalog", catalog) == 2
    assert f"--base {lora} is a LoRA, not a checkpoint" in capsys.readouterr().err


def test_what_is_meant_is_accepted(catalog: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    sheet = tmp_path / "a.webp"
    words = ["--arch", "sdxl", "--folder", "/models/0", "--weight", "2", "-k", "3", "--sheet", sheet]
    assert run("search", "--like", "00000 red", *words, "--catalog", catalog) in (0, 1)
    assert sheet.is_file()
    assert "Traceback" not in capsys.readouterr().err


def test_a_reader_that_stops_reading_ends_the_command_quietly(tmp_path: Path):
    fill_catalog(tmp_path / "catalog.sqlite", 3000)
    command = f"{sys.executable} -m modelsearch_core.cli list --catalog {tmp_path / 'catalog.sqlite'} | head -1"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


STOPPED = "stopped; what was finished is stored, the same command goes on from there"


def hear_of_interrupts() -> None:
    """What a shell starts in the background does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_indexing_with_what_was_finished_stored(tmp_path: Path, number: int, status: int):
    make_folder(tmp_path / "models", ["base checkpoint", "red"])
    os.mkfifo(tmp_path / "prompts.txt")  # whoever reads it waits, until it is ended
    words = ["index", tmp_path / "models", "--prompts", tmp_path / "prompts.txt", "--catalog", tmp_path / "c.sqlite"]
    command = [sys.executable, "-m", "modelsearch_core.cli", *map(str, words), "--device", "cpu"]
    encoder = ["--encoder", str(ROOT / "mini_zoo/clip")]
    process = subprocess.Popen(
        [*command, *encoder], cwd=ROOT, stderr=subprocess.PIPE, text=True, preexec_fn=hear_of_interrupts
    )
    while not (tmp_path / "c.sqlite").is_file():
        assert process.poll() is None
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(number)
    said = process.communicate(timeout=120)[1]
    assert (said.strip(), process.returncode) == (STOPPED, status)


def test_an_interrupt_in_the_middle_of_an_import_ends_as_any_other(tmp_path: Path):
    (tmp_path / "interrupted.py").write_text(
        "import sys; from modelsearch_core import cli; from modelsearch_core.cli import reports\n"
        "reports.status = lambda _: exec('raise KeyboardInterrupt')\n"
        "sys.exit(cli.main(['status']))"
    )
    paths = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "interrupted"]
    done = subprocess.run(command, env=paths, capture_output=True, text=True, check=False)
    assert (done.stderr.strip(), done.returncode) == (STOPPED, 130)


def test_a_failure_is_said_once(capsys: pytest.CaptureFixture[str]):
    with Bars(shown=False) as bars:
        bars(Step(stage="generate", done=1, total=1, model="red", failure="no base"))
    assert capsys.readouterr().err.splitlines() == ["failed: red: no base"]


def test_the_last_column_of_a_wrapped_table_is_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "40")
    print_table(["what", "to do"], [("torch", "install it " * 8), ("a/long/path/of/a/model/file", "x y")], wrapped=True)
    lines = capsys.readouterr().out.splitlines()
    assert " ".join(" ".join(lines).split()).count("install it") == 8
    assert lines[-2:] == ["a/long/path/of/a/model/file", " " * 22 + "x y"]
    assert max(map(len, lines)) <= 40
