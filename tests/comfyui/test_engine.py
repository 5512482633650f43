"""Indexing in ComfyUI's own engine, on a full-size SD1.5 with random weights: 64 pixels, 2 steps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelsearch_core.catalog import Catalog
from tests.comfyui.engine import (
    CROSS_ATTENTION,
    LORAS,
    SMALL,
    act,
    add_lora,
    catalog_of,
    make_base,
    progress,
    until,
)
from tests.comfyui.host import ComfyUI


@pytest.fixture(scope="module")
def base(needs_comfyui: None, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(weights, tmp_path_factory.mktemp("comfyui"))


@pytest.fixture(scope="module")
def server(base: Path) -> Iterator[ComfyUI]:
    server = ComfyUI(base, environment=dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy"), NO_PROXY_THERE))
    try:
        server.wait_until_up()
        assert server.post("/modelsearch/settings", SMALL)[0] == 200
        yield server
    finally:
        server.stop()


NO_PROXY_THERE = "http://127.0.0.1:9"  # as behind a company's wall: a request to the server itself would go there


def evidence(server: ComfyUI) -> dict[str, str]:
    return {model["name"]: model["evidence"] for model in server.get("/modelsearch/models")["models"]}


def slow(seconds: float, salt: int) -> dict[str, Any]:
    return {"1": {"class_type": "SlowSink", "inputs": {"seconds": seconds, "salt": salt}}}


pytestmark = pytest.mark.slow


def test_at_the_first_start_names_are_read_without_being_asked(server: ComfyUI):
    until(server, lambda now: now["state"] == "done", 60)
    assert evidence(server) == dict.fromkeys([*LORAS, "random_sd15"], "metadata")


def test_it_makes_way_for_a_users_prompt_and_leaves_no_trace_in_the_history(server: ComfyUI):
    act(server, "start")
    until(server, lambda now: now["images"] >= 4)
    began = time.monotonic()
    mine = server.queue(slow(0.5, 1))
    server.finished(mine)
    waited = time.monotonic() - began
    assert progress(server)["active"]
    assert waited < 60
    print(f"the user waited {waited:.1f} s")
    assert set(server.get("/history")) == {mine}


def test_paused_it_does_nothing_and_resumed_it_goes_on(server: ComfyUI):
    act(server, "pause")
    until(server, lambda now: now["state"] == "paused")
    time.sleep(1)
    until(server, lambda _: not any(server.get("/queue").values()))
    images = progress(server)["images"]
    time.sleep(3)
    assert progress(server)["images"] == images
    act(server, "resume")
    until(server, lambda now: now["state"] in ("running", "done"))


def test_comfyuis_cancel_pauses_it(server: ComfyUI):
    until(server, lambda now: bool(server.get("/queue")["queue_running"]) or not now["active"])
    server.post("/interrupt", {})
    now = until(server, lambda now: now["state"] in ("paused", "done"))
    if now["state"] == "paused":
        assert "resume" in progress(server)["message"]
        act(server, "resume")


def test_every_model_is_generated_from(server: ComfyUI):
    until(server, lambda now: now["state"] == "done")
    assert evidence(server) == dict.fromkeys([*LORAS, "random_sd15"], "generated")
    assert server.get("/modelsearch/index")["failures"] == []
    queue = server.get("/queue")
    assert not queue["queue_running"]
    assert not queue["queue_pending"]


def test_the_lora_really_change_the_pictures(server: ComfyUI, base: Path):
    with Catalog(catalog_of(base), read_only=True) as catalog:
        titles = {model.fingerprint: model.title for model in catalog.models()}
        name = catalog.encoders()[0][0]
        keys = [key for key in catalog.specification_keys(name) if key[2].value == "generated"]
        pictures = {titles[f]: np.asarray(catalog.sample_images(f, digest)[0], float) for f, digest, *_ in keys}
    assert pictures["neon"].shape == (64, 64, 3)
    assert pictures["neon"].std() > 5
    assert np.abs(pictures["neon"] - pictures["clay"]).mean() > 1
    assert np.abs(pictures["neon"] - pictures["random_sd15"]).mean() > 1


def test_a_found_lora_paints(server: ComfyUI, base: Path):
    """Find LoRA -> LoraLoader -> KSampler -> SaveImage, really executed."""
    find = {"text": "neon", "architecture": "any", "folder": "", "minimum_relevance": 0.0, "method": "auto", "rank": 1}
    sampling = {"seed": 1, "steps": 2, "cfg": 5.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0}
    lora = {
        "model": ["2", 0],
        "clip": ["2", 1],
        "lora_name": ["1", 0],
        "strength_model": ["1", 4],
        "strength_clip": 1.0,
    }
    paint = {"model": ["3", 0], "positive": ["4", 0], "negative": ["4", 0], "latent_image": ["5", 0], **sampling}
    prompt = {
        "1": {"class_type": "ModelSearchFindLora", "inputs": find},
        "2": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": ["8", 0]}},
        "3": {"class_type": "LoraLoader", "inputs": lora},
        "4": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["3", 1], "text": ["1", 1]}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
        "6": {"class_type": "KSampler", "inputs": paint},
        "7": {"class_type": "VAEDecode", "inputs": {"samples": ["6", 0], "vae": ["2", 2]}},
        "8": {"class_type": "ModelSearchFindCheckpoint", "inputs": find},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["7", 0], "filename_prefix": "found"}},
    }
    entry = server.run(prompt)
    assert entry["status"]["status_str"] == "success", entry["status"]
    (saved,) = entry["outputs"]["9"]["images"]
    assert Image.open(base / "output" / saved["filename"]).size == (64, 64)


def test_killed_and_started_again_it_goes_on_by_itself_and_misfits_are_recorded(server: ComfyUI, base: Path):
    add_lora(base / "models" / "loras" / "late.safetensors", CROSS_ATTENTION)
    nowhere = CROSS_ATTENTION.replace("down_blocks_0", "down_blocks_7")
    add_lora(base / "models" / "loras" / "misfit.safetensors", nowhere)
    add_lora(base / "models" / "loras" / "too wide.safetensors", width=640)
    act(server, "start")
    until(server, lambda now: now["stage"] == "generate" and now["images"] >= 4)
    server.process.kill()
    server.process.wait()
    again = ComfyUI(base)
    try:
        again.wait_until_up()
        until(again, lambda now: now["state"] == "done" and now["stage"] == "generate", 900)
        generated = dict.fromkeys([*LORAS, "random_sd15", "late"], "generated")
        assert evidence(again) == {**generated, "misfit": "metadata", "too wide": "metadata"}
        reasons = {failure["name"]: failure["reason"] for failure in again.get("/modelsearch/index")["failures"]}
        assert reasons.keys() == {"misfit", "too wide"}
        assert reasons["misfit"].startswith("only 0 of the 1 layers of misfit.safetensors fit the model;")
        assert "only 0 of the 1 layers" in reasons["too wide"]
        assert "invalid for input of size 491520" in reasons["too wide"]
    finally:
        again.stop()
