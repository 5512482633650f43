"""Indexing through a WebUI's pipeline, with pictures that can be written down by hand."""

from __future__ import annotations

import itertools
import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from modelsearch_core.errors import ModelSearchError, UnsupportedReferenceError
from modelsearch_core.panel import Order, State
from modelsearch_core.probes import Probe
from tests.indexing.folders import make_folder
from tests.making.clip import clip_folder
from tests.webui.conftest import use_folders

SETTINGS = {"size": 64, "steps": 2, "samples": 2, "batch": 2}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clip_folder(tmp_path_factory.mktemp("clip") / "clip")


@pytest.fixture
def fresh(webui: Any, tmp_path: Path, clip: Path) -> Iterator[Any]:
    """A WebUI with two LoRA and two checkpoints of which nothing is known."""
    models = tmp_path / "models"
    make_folder(models / "Lora", ["red", "green"])
    make_folder(models / "Stable-diffusion", ["a checkpoint", "grey checkpoint"])
    use_folders(webui.find, tmp_path)
    options = webui.find("modules.shared").opts.data
    options.update({f"modelsearch_{name}": value for name, value in SETTINGS.items()}, modelsearch_encoder=str(clip))
    webui.indexer = webui.ours("lifecycle").running().host.indexer
    yield webui
    webui.find("modules.processing").during[0] = lambda p: None
    webui.find("modules.processing").made.clear()


def ended(webui: Any, seconds: float = 120.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        progress = webui.indexer.progress()
        if not progress.state.active:
            return progress
        time.sleep(0.05)
    raise AssertionError(webui.indexer.progress())


def indexed(webui: Any, **order: Any) -> Any:
    webui.indexer.start(Order(**order))
    return ended(webui)


def evidence(webui: Any) -> dict[str, Any]:
    library = webui.ours("lifecycle").panel().library
    library.forget_reading()
    return {model.name: model.evidence for model in library.newest().models}


def test_every_model_is_asked_through_the_pipeline(fresh: Any):
    progress = indexed(fresh)
    assert (progress.state, progress.failures) == (State.DONE, 0), progress
    assert set(evidence(fresh).values()) == {"generated"}
    for p in fresh.find("modules.processing").made:
        assert (p.width, p.height, p.steps, p.batch_size, p.n_iter) == (64, 64, 2, 2, 1)
        assert p.do_not_save_samples and p.do_not_save_grid and p.scripts.alwayson_scripts == []
        assert p.clip_skip == 1
    assert {p.sampler_name for p in fresh.find("modules.processing").made} == {"DPM++ 2M"}


def test_each_checkpoint_is_loaded_once_with_its_loras_after_it(fresh: Any):
    indexed(fresh)
    loaded = [p.loaded.title for p in fresh.find("modules.processing").made]
    assert sum(a != b for a, b in itertools.pairwise(loaded)) == 1
    tags = [p.prompt[0].partition("<lora:")[2] for p in fresh.find("modules.processing").made]
    assert sorted(filter(None, tags)) == ["green:1>", "red:1>"]


def test_the_users_choices_are_as_before(fresh: Any):
    shared, models = fresh.find("modules.shared"), fresh.find("modules.sd_models")
    before = dict(shared.opts.data)
    indexed(fresh)
    assert shared.opts.data == before
    assert models.model_data.forge_loading_parameters["checkpoint_info"] == "the user's"
    assert shared.state.job == "" and set(shared.state.jobs) == {"Model Search: index"}


@pytest.mark.parametrize(
    ("users", "of_forge", "of_others"),
    [("grey checkpoint", ("a vae",), "the user's"), ("one of Flux", (), "Automatic")],
)
def test_the_users_vae_goes_with_checkpoints_like_the_users_only(
    fresh: Any, users: str, of_forge: tuple[str, ...], of_others: str
):
    fresh.find("modules.shared").opts.data["sd_model_checkpoint"] = users
    indexed(fresh)
    assert {(tuple(p.parts), p.vae) for p in fresh.find("modules.processing").made} == {(of_forge, of_others)}
    assert fresh.find("modules.shared").opts.data["sd_vae"] == "the user's"
    assert fresh.find("modules.sd_models").model_data.forge_loading_parameters["additional_modules"] == ["a vae"]


def test_what_the_user_changes_meanwhile_stays(fresh: Any):
    data = fresh.find("modules.shared").opts.data
    fresh.find("modules.processing").during[0] = lambda p: data.update(sd_model_checkpoint="chosen meanwhile")
    indexed(fresh)
    assert data["sd_model_checkpoint"] == "chosen meanwhile"


def test_what_the_user_saves_meanwhile_is_the_users(fresh: Any):
    opts = fresh.find("modules.shared").opts

    def change(p: Any) -> None:
        opts.data["samples_format"] = "webp"
        opts.save("config.json")

    fresh.find("modules.processing").during[0] = change
    indexed(fresh)
    assert opts.saved and all(saved == opts.data for saved in opts.saved)
    assert opts.data["CLIP_stop_at_last_layers"] == 2 and "save" not in vars(opts)


def test_interrupt_ends_the_run_and_the_next_goes_on(fresh: Any):
    processing, state = fresh.find("modules.processing"), fresh.find("modules.shared").state
    processing.during[0] = lambda p: len(processing.made) == 2 and setattr(state, "interrupted", True)
    assert indexed(fresh).state is State.CANCELLED
    processing.during[0] = lambda p: None
    done = len([value for value in evidence(fresh).values() if value == "generated"])
    assert 0 < done < 4
    assert indexed(fresh).state is State.DONE
    assert set(evidence(fresh).values()) == {"generated"}


def test_skip_is_one_models_failure(fresh: Any):
    state = fresh.find("modules.shared").state
    fresh.find("modules.processing").during[0] = lambda p: setattr(state, "skipped", "<lora:red:" in p.prompt[0])
    progress = indexed(fresh)
    assert (progress.state, progress.failures) == (State.DONE, 1)
    (failure,) = fresh.ours("lifecycle").panel().indexing()["failures"]
    assert failure["name"] == "red" and "skipped by the user" in failure["reason"]


def test_a_failing_model_is_recorded_and_the_others_go_on(fresh: Any):
    def fail(p: Any) -> None:
        if "<lora:green:" in p.prompt[0]:
            raise RuntimeError("size mismatch")

    fresh.find("modules.processing").during[0] = fail
    assert indexed(fresh).failures == 1
    assert evidence(fresh)["red"] == "generated" and evidence(fresh)["green"] != "generated"


def test_a_users_job_goes_first(fresh: Any):
    progress = fresh.find("modules.progress")
    progress.pending_tasks["task(1)"] = 0.0
    fresh.indexer.start(Order())
    end = time.monotonic() + 60
    while fresh.indexer.progress().state is not State.WAITING and time.monotonic() < end:
        time.sleep(0.05)
    assert fresh.indexer.progress().state is State.WAITING
    assert not fresh.find("modules.processing").made
    progress.pending_tasks.clear()
    assert ended(fresh).state is State.DONE


def test_no_more_than_a_batch_is_made_in_one_turn_of_the_queue(fresh: Any):
    fresh.find("modules.shared").opts.data.update(modelsearch_samples=5)
    indexed(fresh)
    assert {len(p.prompt) for p in fresh.find("modules.processing").made} == {2, 1}


def test_quick_makes_no_picture(fresh: Any):
    assert indexed(fresh, quick=True).state is State.DONE
    assert not fresh.find("modules.processing").made
    assert set(evidence(fresh).values()) == {"metadata"}


def test_a_start_without_clip_asks_before_it_downloads(fresh: Any, monkeypatch: pytest.MonkeyPatch):
    fresh.find("modules.shared").opts.data["modelsearch_encoder"] = "ViT-B-32-quickgelu/openai"
    fresh.ours("lifecycle").begin()
    assert fresh.indexer.progress().state is State.IDLE
    assert not fresh.ours("places").catalog_path().exists()


def test_a_start_reads_with_the_indexs_clip_whatever_the_settings_name(fresh: Any):
    indexed(fresh, quick=True)
    lifecycle = fresh.ours("lifecycle")
    lifecycle.end()
    fresh.find("modules.shared").opts.data["modelsearch_encoder"] = "ViT-B-32-quickgelu/openai"  # not on disk
    fresh.indexer = lifecycle.running().host.indexer
    lifecycle.begin()
    assert ended(fresh).state is State.DONE


def test_a_start_that_waits_for_clip_says_so_in_the_tab(fresh: Any, caplog: pytest.LogCaptureFixture):
    fresh.find("modules.shared").opts.data["modelsearch_encoder"] = "ViT-B-32-quickgelu/openai"
    fresh.ours("lifecycle").begin()
    assert "once “Index now” is pressed" in fresh.indexer.progress().message
    assert "once “Index now” is pressed" in caplog.text


def test_a_copy_that_the_webui_lists_is_asked(fresh: Any, tmp_path: Path):
    """The first by name lies where the WebUI does not look."""
    hidden = tmp_path / "another folder"
    hidden.mkdir()
    for kind, name in (("Lora", "red"), ("Stable-diffusion", "grey checkpoint")):
        shutil.copy(tmp_path / "models" / kind / f"{name}.safetensors", hidden)
    (tmp_path / "models" / "Stable-diffusion" / "a checkpoint.safetensors").unlink()
    fresh.find("modules.sd_models").list_models()
    places = fresh.ours("places")
    folders = [*places.folders(), type(places.folders()[0])(hidden, "more")]
    places.folders = lambda: folders
    progress = indexed(fresh)
    assert (progress.state, progress.failures) == (State.DONE, 0), progress
    assert {p.loaded.title for p in fresh.find("modules.processing").made} == {"grey checkpoint.safetensors [abc]"}
    assert any("<lora:red:" in p.prompt[0] for p in fresh.find("modules.processing").made)


def test_what_a_webui_does_not_have_is_not_named(fresh: Any):
    (tmp,) = [folder.path for folder in fresh.ours("places").folders()[1:]]
    for path in tmp.glob("*.safetensors"):
        path.unlink()
    fresh.find("modules.sd_models").list_models()
    indexed(fresh)
    snapshot = fresh.ours("lifecycle").panel().library.newest()
    assert snapshot.failures
    for reason in snapshot.failures.values():
        assert "--" not in reason and "Settings, Model Search, Base models under LoRA" in reason


def test_what_a_restart_interrupts_goes_on(fresh: Any):
    lifecycle, processing = fresh.ours("lifecycle"), fresh.find("modules.processing")
    entered = threading.Event()

    def slow(p: Any) -> None:
        entered.set()
        time.sleep(0.3)

    processing.during[0] = slow
    fresh.indexer.start(Order(samples=2))
    assert entered.wait(60)
    lifecycle.end()
    processing.during[0] = lambda p: None
    assert fresh.indexer.progress().state is State.CANCELLED
    fresh.indexer = lifecycle.running().host.indexer
    lifecycle.begin()
    assert ended(fresh).state is State.DONE
    assert set(evidence(fresh).values()) == {"generated"}
    assert fresh.indexer.ordered() is None


def test_what_the_user_cancels_does_not(fresh: Any):
    fresh.find("modules.progress").pending_tasks["task(1)"] = 0.0
    fresh.indexer.start(Order())
    assert fresh.indexer.ordered() is not None
    fresh.indexer.cancel()
    ended(fresh)
    fresh.find("modules.progress").pending_tasks.clear()
    assert fresh.indexer.ordered() is None


def test_an_order_that_cannot_be_read_is_passed_over(fresh: Any):
    path = fresh.ours("places").catalog_path().with_name("ordered.json")
    path.parent.mkdir(parents=True)
    for content in ("no json", "[]", json.dumps({"paths": 1})):
        path.write_text(content)
        assert fresh.indexer.ordered() is None


def test_idle_start_needs_the_users_word(fresh: Any, monkeypatch: pytest.MonkeyPatch):
    indexing, data = fresh.ours("indexing"), fresh.find("modules.shared").opts.data
    started: list[Order] = []
    indexer = SimpleNamespace(progress=fresh.indexer.progress, start=lambda order, **_: started.append(order))
    monkeypatch.setattr(indexing, "LOOK", 0.01)
    monkeypatch.setattr(indexing.settings, "number", lambda name: 0)
    starter = indexing.IdleStarter(indexer, lambda: True)
    time.sleep(0.2)
    assert not started
    data["modelsearch_auto_index"] = True
    time.sleep(0.5)
    starter.stop()
    assert started


def test_drawings_are_not_asked_of_a_webui(fresh: Any):
    (base, *_) = TestBases().models(fresh)
    with pytest.raises(UnsupportedReferenceError, match="--style"):
        fresh.ours("indexing").generator_for([base]).plan(base, [Probe("", 1, drawing="a digest")])


class TestBases:
    def models(self, fresh: Any) -> Any:
        from modelsearch_core.model_files import read_model_file

        folder = fresh.ours("places").folders()[1].path
        return [read_model_file(path) for path in sorted(folder.iterdir())]

    def test_the_users_base_is_the_only_one_of_its_architecture(self, fresh: Any):
        bases = fresh.ours("bases")
        found = bases.with_chosen_bases(self.models(fresh), bases.read_bases(["sd15 = GREY", "\nsdxl=x"][0]))
        assert [model.path.stem for model in found] == ["grey checkpoint"]

    def test_without_a_choice_all_stay(self, fresh: Any):
        assert len(fresh.ours("bases").with_chosen_bases(self.models(fresh), {})) == 2

    def test_a_base_that_is_not_there_ends_the_run_with_a_word(self, fresh: Any):
        fresh.find("modules.shared").opts.data["modelsearch_bases"] = "sd15=photon"
        progress = indexed(fresh)
        assert progress.state is State.FAILED and "'photon'" in progress.message

    @pytest.mark.parametrize("text", ["sd15", "=x", "sd15="])
    def test_another_form_is_refused(self, fresh: Any, text: str):
        with pytest.raises(ModelSearchError, match="write the bases as"):
            fresh.ours("bases").read_bases(text)


@pytest.mark.parametrize(("value", "expected"), [(99, 16), (0, 1), ("3", 3), (None, 4), ("x", 4)])
def test_a_number_outside_its_limits_is_brought_inside(webui: Any, value: Any, expected: int):
    webui.find("modules.shared").opts.data["modelsearch_batch"] = value
    assert webui.ours("settings").number("batch") == expected
