"""SD.Next, by stubs laid over the others' where it differs: its own lists, a pipeline that loads only when told to."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from modelsearch_core.panel import Order, State
from tests.indexing.folders import make_folder
from tests.making.clip import clip_folder
from tests.webui.conftest import STUBS, forget_stubs
from tests.webui.host import ROOT
from tests.webui.test_mounting import Client
from tests.webui.test_script import load_script

OVERLAY = STUBS.with_name("stubs_sdnext")
SETTINGS = {"size": 64, "steps": 2, "samples": 2, "batch": 2}


@pytest.fixture
def sdnext(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """SD.Next with two LoRA, one with a dot in its name, and two checkpoints, of which nothing is known."""
    pytest.importorskip("starlette", reason="the thin layer stands on the WebUI's starlette")
    monkeypatch.syspath_prepend(str(STUBS))
    monkeypatch.syspath_prepend(str(ROOT))
    forget_stubs()
    importlib.import_module("modules").__path__.insert(0, str(OVERLAY / "modules"))
    models = tmp_path / "models"
    make_folder(models / "Lora", ["red", "green"])
    (models / "Lora" / "green.safetensors").rename(models / "Lora" / "green v1.5.safetensors")
    make_folder(models / "Stable-diffusion", ["a checkpoint", "grey checkpoint"])
    find = importlib.import_module
    find("modules.paths").data_path, find("modules.paths").models_path = str(tmp_path), str(models)
    shared = find("modules.shared")
    shared.opts.data.update(ckpt_dir=str(models / "Stable-diffusion"), lora_dir=str(models / "Lora"))
    shared.opts.data.update(schedulers_sigma="the user's", schedulers_timestep_spacing="the user's")
    shared.opts.data.update({f"modelsearch_{name}": value for name, value in SETTINGS.items()})
    shared.opts.data.update(modelsearch_encoder=str(clip_folder(tmp_path / "clip")))
    find("modules.sd_models").model_path = str(models / "Stable-diffusion")
    find("modules.sd_checkpoint").list_models()
    find("modules.lora.lora_load").list_available_networks()
    find("modelsearch_webui.settings").declare()
    ours = lambda name: find(f"modelsearch_webui.{name}")  # noqa: E731
    yield SimpleNamespace(find=find, ours=ours, indexer=ours("lifecycle").running().host.indexer, models=models)
    ours("start").wait_until_begun()
    ours("lifecycle").end()
    forget_stubs()


def indexed(sdnext: Any, **order: Any) -> Any:
    sdnext.indexer.start(Order(**order))
    end = time.monotonic() + 120
    while sdnext.indexer.progress().state.active and time.monotonic() < end:
        time.sleep(0.05)
    return sdnext.indexer.progress()


def test_its_models_are_named_as_it_names_them(sdnext: Any):
    places = sdnext.ours("places")
    lora = sdnext.models / "Lora" / "green v1.5.safetensors"
    assert places.listed(lora, "lora") == {"tag": "green v1_5", "name": "green v1_5"}
    checkpoint = sdnext.models / "Stable-diffusion" / "grey checkpoint.safetensors"
    assert places.listed(checkpoint, "checkpoint") == {"name": "grey checkpoint"}
    assert places.chosen_checkpoint() == checkpoint
    assert {folder.path.name for folder in places.folders()} == {"Lora", "Stable-diffusion"}
    assert places.path_of("lora", str(lora)) == lora and places.path_of("checkpoint", str(checkpoint)) == checkpoint


def test_each_checkpoint_is_loaded_once_and_asked_with_its_loras(sdnext: Any):
    progress = indexed(sdnext)
    assert (progress.state, progress.failures) == (State.DONE, 0), progress
    assert sorted(sdnext.find("modules.sd_models").loads) == ["a checkpoint", "grey checkpoint"]
    made = sdnext.find("modules.processing").made
    assert {p.schedule for p in made} == {("karras", "default")} and {p.sampler_name for p in made} == {"DPM++ 2M"}
    assert any("<lora:green v1_5:" in p.prompt[0] for p in made)


def test_the_users_settings_are_as_before_though_titles_get_hashes(sdnext: Any):
    data = sdnext.find("modules.shared").opts.data
    before = dict(data)
    indexed(sdnext)
    assert data == before
    saved = sdnext.find("modules.shared").opts.saved
    assert saved and all(each == before for each in saved)


def make_a_picture(sdnext: Any) -> Any:
    """As a user does; what was made."""
    processing = sdnext.find("modules.processing")
    p = processing.StableDiffusionProcessingTxt2Img(prompt=["a harbour"], seed=1, width=64)
    p.seed = [1]
    with sdnext.find("modules.call_queue").queue_lock:
        processing.process_images(p)
    return p


@pytest.mark.parametrize("chosen", ["a checkpoint", "grey checkpoint"])  # one was loaded last
def test_the_user_has_the_checkpoint_of_the_drop_down(sdnext: Any, chosen: str):
    load_script()
    sdnext.find("modules.shared").opts.data["sd_model_checkpoint"] = chosen
    indexed(sdnext)
    assert make_a_picture(sdnext).loaded == chosen


def test_a_user_who_waits_in_the_queue_finds_it_loaded(sdnext: Any):
    processing, progress = sdnext.find("modules.processing"), sdnext.find("modules.progress")
    models, seen = sdnext.find("modules.sd_models"), []

    def waits(p: Any) -> None:
        if p.loaded == "a checkpoint" and not seen:
            seen.append(p)
            progress.pending_tasks["task(1)"] = 0.0

    processing.during[0] = waits
    sdnext.indexer.start(Order())
    end = time.monotonic() + 60
    while sdnext.indexer.progress().state is not State.WAITING and time.monotonic() < end:
        time.sleep(0.05)
    assert models.model_data.sd_model.sd_checkpoint_info.name == "grey checkpoint"
    sdnext.indexer.cancel()
    progress.pending_tasks.clear()


def test_interrupted_it_has_no_pictures_and_ends_the_run(sdnext: Any):
    state = sdnext.find("modules.shared").state
    sdnext.find("modules.processing").during[0] = lambda p: setattr(state, "interrupted", True)
    assert indexed(sdnext).state is State.CANCELLED


def test_a_checkpoint_that_it_cannot_load_is_recorded(sdnext: Any):
    sdnext.find("modules.sd_models").broken.add("a checkpoint")
    progress = indexed(sdnext)
    assert progress.state is State.DONE and progress.failures
    reasons = sdnext.ours("lifecycle").panel().library.newest().failures.values()
    assert any("SD.Next could not load" in reason and "a checkpoint" in reason for reason in reasons)


def test_its_second_passs_prompt_is_the_hires_prompt(sdnext: Any):
    tab = sdnext.ours("tab")
    for name in ("txt2img_prompt", "txt2img_refiner_prompt", "txt2img_refiner_neg_prompt", "control_prompt"):
        tab.catch_prompts(SimpleNamespace(elem_id=name))
    assert set(tab._prompts) == {"txt2img_prompt", "hires_prompt", "hires_neg_prompt", "control_prompt"}


@pytest.mark.parametrize("with_file", [False, True])
def test_its_passwords_are_those_of_auth(sdnext: Any, tmp_path: Path, with_file: bool):
    options = sdnext.find("modules.shared").cmd_opts
    file = tmp_path / "logins"
    file.write_text("other:of:file\n", encoding="utf-8")
    options.auth, options.auth_file = '"person:for it"', str(file) if with_file else None
    expected = {"person": "for it", **({"other": "of:file"} if with_file else {})}
    assert sdnext.ours("lifecycle").api_logins() == expected


@pytest.mark.parametrize("subpath", ["sd", "/sd/"])
def test_below_its_subpath_all_is_found_since_it_serves_its_page_there(sdnext: Any, subpath: str):
    vars(sdnext.find("modules.shared").cmd_opts).update(subpath=subpath, auth=None, auth_file=None)
    client = Client(sdnext)
    for client.below in ("/sd", ""):
        assert client.ask("GET", "status")[0] == client.ask("GET", "panel/panel.mjs")[0] == 200
        assert client.ask("GET", "nowhere")[0] == 404
