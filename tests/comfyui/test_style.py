"""Search by style in the real ComfyUI: drawings painted by its own engine, then asked for from everywhere."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from modelsearch_core.catalog import Catalog
from modelsearch_core.reference_set import read_subjects
from modelsearch_core.search import Filters, ModelIndex, Query
from modelsearch_core.specification import Evidence
from tests.comfyui.engine import LORAS, SMALL, act, add_lora, catalog_of, make_base, until
from tests.comfyui.host import ROOT, ComfyUI, message_of, shown
from tests.comfyui.test_finding import find

pytestmark = pytest.mark.slow
PAINTED = (*LORAS, "late", "random_sd15")
FLUX = "transformer.single_transformer_blocks.0.attn.to_q.lora_{}.weight"
SUBJECTS = dict(list(read_subjects().items())[::8])  # a user's own in place of the thirty, which take minutes here
DRAWINGS = len(SUBJECTS)


@pytest.fixture(scope="module")
def base(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four LoRA for the UNet, and one for a transformer that is not there; four subjects."""
    base = make_base(weights, tmp_path_factory.mktemp("style"))
    add_lora(base / "models" / "loras" / "late.safetensors")
    (base / "input").mkdir()
    own = catalog_of(base).with_name("subjects")
    own.mkdir()
    for name, subject in SUBJECTS.items():
        subject.save(own / f"{name}.png")
    factors = {FLUX.format("A"): np.ones((4, 3072), np.float16), FLUX.format("B"): np.ones((3072, 4), np.float16)}
    save_file(factors, base / "models" / "loras" / "for flux.safetensors")
    return base


@pytest.fixture(scope="module")
def server(base: Path) -> Iterator[ComfyUI]:
    server = ComfyUI(base)
    try:
        server.wait_until_up()
        assert server.post("/modelsearch/settings", {**SMALL, "samples": 2})[0] == 200
        until(server, lambda now: now["state"] == "done", 120)
        yield server
    finally:
        server.stop()


def id_of(server: ComfyUI, name: str) -> str:
    return next(model["id"] for model in server.get("/modelsearch/models")["models"] if model["name"] == name)


def test_an_order_with_style_has_drawings_painted(server: ComfyUI, base: Path):
    assert server.get("/modelsearch/index")["paints_drawings"] is True
    act(server, "start", style=True)
    until(server, lambda now: now["stage"] == "references" and now["images"] > 4, 900)
    now = until(server, lambda now: not now["active"], 1800)
    assert now["state"] == "done", now
    assert "not supported for flux (for flux), using prompts only" in now["message"]
    with Catalog(catalog_of(base), read_only=True) as catalog:
        names = {model.fingerprint: model.title for model in catalog.models()}
        sets, encoder = catalog.probe_sets(), catalog.encoders()[0][0]
        keys = [(f, d) for f, d, evidence, _ in catalog.specification_keys(encoder) if evidence is Evidence.REFERENCE]
        assert sorted(names[f] for f, _ in keys) == sorted(PAINTED)
        for fingerprint, digest in keys:
            pictures = catalog.sample_images(fingerprint, digest)
            assert len(pictures) == DRAWINGS
            assert len({picture.tobytes() for picture in pictures.values()}) == DRAWINGS
            assert (sets[digest].generator, sets[digest].reference_weight) == ("comfyui", 1.0)
            assert all(probe.drawing and not probe.prompt for probe in sets[digest].probes)


def test_the_drawings_count_in_what_is_painted(base: Path):
    """A LoRA's picture of a drawing is neither its base's nor its own sample of no drawing."""
    with ModelIndex.open(catalog_of(base)) as index:
        found = index.before_after("neon")
    assert len(found) == DRAWINGS
    far = [np.abs(np.asarray(one.output, float) - np.asarray(one.base, float)).mean() for one in found]
    assert min(far) > 1
    assert all(one.drawing is not None and one.subject is not None for one in found)


def test_before_and_after_are_served(server: ComfyUI):
    model = server.get(f"/modelsearch/models/{id_of(server, 'neon')}")
    assert len(model["painted"]) == len(model["painted_by_base"]) == DRAWINGS
    for part in ("output", "base", "drawing", "subject"):
        assert server.get(f"/modelsearch/models/{model['id']}/painted/{part}/0.webp")[:4] == b"RIFF"


def test_a_second_order_has_nothing_to_paint(server: ComfyUI):
    act(server, "start", style=True)
    now = until(server, lambda now: not now["active"])
    assert (now["state"], now["images"]) == ("done", 0)


def painted(base: Path, name: str, number: int) -> Image.Image:
    """What a model made of a drawing; it lies among ComfyUI's inputs too."""
    with ModelIndex.open(catalog_of(base)) as index:
        output = index.before_after(name)[number].output
    output.save(base / "input" / f"{name}.png")
    return output


def answers(base: Path, query: Query, method: str = "auto") -> list[str]:
    """LoRA by name, as the library finds them in what ComfyUI stored."""
    with ModelIndex.open(catalog_of(base), device="cpu") as index:
        assert index.statistics.styles.has_renderings.sum() == len(PAINTED)
        return [match.name for match in index.search(query, filters=Filters(kind="lora"), method=method)]


@pytest.mark.parametrize("style", [0.0, 0.5, 1.0])
def test_find_lora_is_asked_by_style(server: ComfyUI, base: Path, style: float):
    output = painted(base, "neon", 3)
    first = answers(base, Query(images=[output], style=None if style == 0.5 else style))[0]
    picture = {"class_type": "LoadImage", "inputs": {"image": "neon.png"}}
    entry = server.run({"0": picture, "1": find(images=["0", 0], style=style), "2": sink()})
    assert not message_of(entry)
    assert shown(entry, "2") == [f"'{first}.safetensors'"]


def test_where_the_slider_stands_changes_the_answer(base: Path):
    output = painted(base, "neon", 3)
    assert answers(base, Query(images=[output], style=0)) != answers(base, Query(images=[output], style=1))


def test_a_style_beyond_the_slider_is_refused(server: ComfyUI):
    status, answer = server.post("/prompt", {"prompt": {"1": find(text="neon", style=1.5), "2": sink()}})
    assert status == 400
    assert "1.5" in json.dumps(answer)


def sink() -> dict[str, Any]:
    return {"class_type": "AnySink", "inputs": {"value": ["1", 0]}}


@pytest.mark.parametrize("asked", [["--style", "1"], ["--method", "style"]], ids=["slider", "method"])
def test_the_command_line_reads_what_comfyui_painted(base: Path, asked: list[str]):
    query = Query(images=[painted(base, "neon", 1)], style=1 if "--style" in asked else None)
    image, catalog = str(base / "input" / "neon.png"), str(catalog_of(base))
    command = [sys.executable, "-m", "modelsearch_core.cli", "search", "--image", image, *asked]
    done = subprocess.run(
        [*command, "--kind", "lora", "--json", "--catalog", catalog, "--device", "cpu"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [match["name"] for match in json.loads(done.stdout)] == answers(base, query, "style")


def test_train_style_learns_from_what_comfyui_painted(base: Path, tmp_path: Path):
    catalog = tmp_path / "catalog.sqlite"
    with closing(sqlite3.connect(catalog_of(base))) as own, closing(sqlite3.connect(catalog)) as copy:
        own.backup(copy)
    command = [sys.executable, "-m", "modelsearch_core.cli", "train", "style", "--json", "--force", "--epochs", "2"]
    done = subprocess.run([*command, "--catalog", str(catalog)], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["used"] is True
    with ModelIndex.open(catalog) as index:
        assert index.statistics.styles.space is not None
        assert index.statistics.styles.has_renderings.sum() == len(PAINTED)


def test_the_node_says_which_lora_take_prompts_only(server: ComfyUI):
    inputs = {"kind": "everything", "generate": True, "samples": 2, "refresh": False, "style": True}
    (text,) = shown(server.run({"1": {"class_type": "ModelSearchIndexModels", "inputs": inputs}}, 600), "1")
    assert "for flux" in text
