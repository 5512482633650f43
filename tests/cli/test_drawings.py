"""`modelsearch index --style` on a small random Stable Diffusion: really painted, really encoded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from modelsearch_core.catalog import Catalog
from modelsearch_core.cli import main
from modelsearch_core.specification import Evidence
from modelsearch_core.training import upkeep
from tests.making import stable_diffusion as sd
from tests.making.clip import clip_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawings")
    pipe = sd.pipeline(48, 0, folder / "tokenizer")
    pipe.save_pretrained(folder / "models" / "base")
    sd.write_kohya(folder / "models" / "kohya.safetensors", pipe)
    clip_folder(folder / "clip")
    for name, corner in (("a", 5), ("b", 20)):
        image = Image.new("RGB", (64, 64), "white")
        ImageDraw.Draw(image).ellipse((corner, corner, corner + 30, corner + 24), fill="navy")
        (folder / "subjects").mkdir(exist_ok=True)
        image.save(folder / "subjects" / f"{name}.png")
    return folder


def index(folder: Path, *words: object) -> int:
    common = ["--catalog", folder / "c.sqlite", "--encoder", folder / "clip", "--samples", 1, "--steps", 1]
    given = [
        "index",
        folder / "models",
        *common,
        "--device",
        "cpu",
        "--style",
        "--subjects",
        folder / "subjects",
        *words,
    ]
    return main([str(word) for word in given])


def test_drawings_are_painted_once_and_shown_side_by_side(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(upkeep, "WORTH_TRAINING", 1)
    assert index(folder) == 0
    told = capsys.readouterr().out
    assert "1 LoRA painted drawings now; 0 take prompts only" in told
    assert "1 LoRA have painted drawings; `modelsearch train style`" in told
    with Catalog(folder / "c.sqlite", read_only=True) as catalog:
        sets = [s for s in catalog.probe_sets().values() if s.reference_weight]
        assert {s.drawing for s in sets} == {"fine_outlines"}
        encoder = catalog.encoders()[0][0]
        evidence = [key[2] for key in catalog.specification_keys(encoder)]
    assert evidence.count(Evidence.REFERENCE) == 2
    index(folder, "--json")
    assert json.loads(capsys.readouterr().out)["painted"] == []
    grid = tmp_path / "g.png"
    assert main(["grid", "kohya", "--catalog", str(folder / "c.sqlite"), "--out", str(grid)]) == 0
    assert Image.open(grid).height > 4 * 96


def test_a_folder_without_subjects_is_named(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert index(folder, "--subjects", tmp_path) == 2
    assert f"{tmp_path} has no pictures" in capsys.readouterr().err
