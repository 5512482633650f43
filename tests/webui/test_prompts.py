"""The tab's bridge to the prompts, and the names that a WebUI has for its models."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.indexing.folders import make_folder
from tests.webui.collection import ODD


def model(webui: Any, name: str) -> Any:
    models = webui.ours("lifecycle").panel().library.newest().models
    return next(model for model in models if model.name == name)


def asked(webui: Any, name: str, tab: str = "txt2img", prompts: Any = None, **more: Any) -> tuple[Any, dict[str, str]]:
    """(what the browser is told, the prompts)."""
    texts = prompts or {"txt2img_prompt": "a harbour", "img2img_prompt": ""}
    text = json.dumps({"action": "lora", "tab": tab, "model": model(webui, name).id, **more})
    told, *after = webui.ours("tab").answered(text, texts, webui.ours("prompts").change)
    return json.loads(told), dict(zip(texts, after, strict=True))


def test_a_lora_goes_behind_what_the_user_typed(webui: Any):
    told, texts = asked(webui, "red")
    assert texts["txt2img_prompt"].startswith("a harbour, crimson, rough <lora:red:0.")
    assert texts["img2img_prompt"] == "" and told["done"] == "added" and told["tag"].startswith("<lora:red:0.")


def test_asked_for_again_what_was_added_goes_out(webui: Any):
    told, texts = asked(webui, "red")
    texts["txt2img_prompt"] += ", dusk"
    told, texts = asked(webui, "red", prompts=texts, added=told["added"])
    assert texts["txt2img_prompt"] == "a harbour, dusk" and told["done"] == "taken out" and told["added"] is None


def test_the_users_own_words_stay(webui: Any):
    told, texts = asked(webui, "red", prompts={"txt2img_prompt": "crimson, a harbour"})
    assert texts["txt2img_prompt"].startswith("crimson, a harbour, rough <lora:red:")
    _, texts = asked(webui, "red", prompts=texts, added=told["added"])
    assert texts == {"txt2img_prompt": "crimson, a harbour"}


def test_a_tag_that_the_user_wrote_stays(webui: Any):
    written = {"txt2img_prompt": "crimson <lora:red:0.3>"}
    told, texts = asked(webui, "red", prompts=written)
    assert texts == written and told["done"] == "there"


def test_so_does_one_by_another_name_of_the_same_file(webui: Any):
    webui.find("networks").aliases["red"] = "carmine"
    webui.find("networks").list_available_networks()
    written = {"txt2img_prompt": "a harbour <lora:carmine:0.3>"}
    told, texts = asked(webui, "red", prompts=written)
    assert texts == written and (told["done"], told["tag"]) == ("there", "<lora:carmine>")


@pytest.mark.parametrize(("strength", "expected"), [(0.35, "0.35"), (-1, "-1"), (0, "0")])
def test_the_user_says_how_strong(webui: Any, strength: float, expected: str):
    _, texts = asked(webui, "green", strength=strength)
    assert texts["txt2img_prompt"] == f"a harbour <lora:green:{expected}>"


@pytest.mark.parametrize("strength", [11, "strong", float("nan")])
def test_a_strength_that_is_none_is_told(webui: Any, strength: Any):
    told, texts = asked(webui, "green", strength=strength)
    assert "must be a number from -10 to 10" in told["error"] and texts["txt2img_prompt"] == "a harbour"


def test_negative_words_that_the_user_noted_come_along_and_go_again(webui: Any):
    note = webui.base / "models" / "Lora" / "green.json"
    note.write_text(json.dumps({"negative text": "blurry, grey"}), encoding="utf-8")
    try:
        before = {"txt2img_prompt": "a harbour", "txt2img_neg_prompt": "grey"}
        told, texts = asked(webui, "green", prompts=before)
        assert texts["txt2img_neg_prompt"] == "grey, blurry"
        assert asked(webui, "green", prompts=texts, added=told["added"])[1] == before
    finally:
        note.unlink()


def test_an_empty_hires_prompt_begins_with_the_first_passs(webui: Any):
    before = {"txt2img_prompt": "a harbour", "hires_prompt": ""}
    told, texts = asked(webui, "green", "hires", prompts=before, strength=1)
    assert texts == {"txt2img_prompt": "a harbour", "hires_prompt": "a harbour <lora:green:1>"}
    assert asked(webui, "green", "hires", prompts=texts, added=told["added"])[1] == before


@pytest.mark.parametrize(("first", "now"), [("a harbour, ", "a harbour, "), ("a harbour", "a castle")])
def test_what_a_hires_prompt_has_from_the_first_passs_goes_with_the_lora(webui: Any, first: str, now: str):
    """Else the second pass would draw what the first one was asked once."""
    told, texts = asked(webui, "green", "hires", prompts={"txt2img_prompt": first, "hires_prompt": ""}, strength=1)
    assert texts["hires_prompt"] == "a harbour <lora:green:1>"
    texts["txt2img_prompt"] = now
    _, left = asked(webui, "green", "hires", prompts=texts, added=told["added"])
    assert left == {"txt2img_prompt": now, "hires_prompt": ""}
    texts["hires_prompt"] = "a harbour, by night <lora:green:1>"  # the user's own from now on
    assert (
        asked(webui, "green", "hires", prompts=texts, added=told["added"])[1]["hires_prompt"] == "a harbour, by night"
    )


def test_an_empty_hires_prompt_gets_no_lora_that_the_first_passs_has(webui: Any):
    """It would be applied twice."""
    before = {"txt2img_prompt": "a harbour <lora:green:0.8>", "hires_prompt": ""}
    told, texts = asked(webui, "green", "hires", prompts=before)
    assert (told["done"], told["tag"], texts) == ("repeated", "<lora:green>", before)
    _, texts = asked(webui, "red", "hires", prompts=before, strength=1)
    assert texts["hires_prompt"] == "a harbour <lora:green:0.8>, crimson, rough <lora:red:1>"


def test_a_copy_that_the_webui_lists_is_used(webui: Any, tmp_path: Path):
    """Of two copies the first by name is not listed."""
    path = webui.base / "models" / "Lora" / "red.safetensors"
    places = webui.ours("places")
    assert places.lora_name(tmp_path / "red.safetensors", path) == "red"
    checkpoint = webui.base / "models" / "Stable-diffusion" / "grey checkpoint.safetensors"
    assert places.checkpoint_title(tmp_path / "grey checkpoint.safetensors", checkpoint).startswith("grey checkpoint")
    assert places.checkpoint_title(tmp_path / "grey checkpoint.safetensors") is None


def test_each_tab_has_its_own_prompt(webui: Any):
    _, texts = asked(webui, "pïnk mit Lücke", "img2img")
    assert texts["txt2img_prompt"] == "a harbour" and texts["img2img_prompt"].startswith("<lora:pïnk mit Lücke:")


@pytest.mark.parametrize(
    ("text", "said"), [("no json", "Expecting"), ("{}", "tab"), ('{"tab": "extras"}', "no prompt of extras")]
)
def test_nonsense_is_told_and_changes_nothing(webui: Any, text: str, said: str):
    told, prompt = webui.ours("tab").answered(text, {"txt2img_prompt": "a"}, webui.ours("prompts").change)
    assert said in json.loads(told)["error"] and prompt == "a"


def test_a_lora_that_the_webui_does_not_list_is_refused(webui: Any):
    webui.find("networks").available_networks.pop("red")
    told, texts = asked(webui, "red")
    assert "does not know a LoRA 'red'" in told["error"] and texts["txt2img_prompt"] == "a harbour"


def test_a_checkpoint_does_not_go_into_a_prompt(webui: Any):
    told, *_ = asked(webui, "grey checkpoint", id=3)
    assert "is a checkpoint" in told["error"] and told["id"] == 3  # so the page knows what was refused


def test_the_tab_is_wired_to_both_prompts(webui: Any):
    tab, gradio = webui.ours("tab"), webui.find("gradio")
    for name in ("txt2img_prompt", "img2img_prompt", "txt2img_neg_prompt", "txt2img_seed"):
        tab.catch_prompts(SimpleNamespace(elem_id=name))
    tab.catch_prompts(SimpleNamespace())
    ((_, title, elem_id),) = tab.build()
    (go,) = [component for component in gradio.built if component.elem_id == "modelsearch_go"]
    assert (title, elem_id) == ("Model Search", "modelsearch")
    assert [component.elem_id for component in go.events[0]["outputs"]][1:] == [
        "txt2img_prompt",
        "txt2img_neg_prompt",
        "img2img_prompt",
    ]
    text = json.dumps({"id": 7, "tab": "img2img", "model": model(webui, "green").id, "strength": 1})
    told, *now = go.events[0]["fn"](text, "a harbour", None, "")
    assert json.loads(told)["id"] == 7
    left = gradio.update()  # what the user writes there meanwhile stays
    assert now == [left, left, "<lora:green:1>"]


class TestNames:
    def test_the_users_preference_says_how_a_lora_is_called(self, webui: Any):
        webui.find("networks").aliases["red"] = "Crimson"
        webui.find("networks").list_available_networks()
        places, path = webui.ours("places"), webui.base / "models" / "Lora" / "red.safetensors"
        assert places.lora_name(path) == "red"
        webui.find("modules.shared").opts.data["lora_preferred_name"] = "Alias from file"
        assert places.lora_name(path) == "Crimson"

    def test_an_alias_that_two_share_is_not_used(self, webui: Any):
        webui.find("networks").aliases.update(red="Same", green="Same")
        webui.find("networks").list_available_networks()
        webui.find("modules.shared").opts.data["lora_preferred_name"] = "Alias from file"
        loras = webui.base / "models" / "Lora"
        assert [webui.ours("places").lora_name(loras / f"{n}.safetensors") for n in ("red", "green")] == [
            "red",
            "green",
        ]

    def test_of_two_files_with_one_name_only_the_listed_one_has_it(self, webui: Any, tmp_path: Path):
        (path,) = make_folder(tmp_path / "other", ["red"])
        assert webui.ours("places").lora_name(path) is None

    def test_the_alias_of_one_that_is_the_file_name_of_another_is_not_used(self, webui: Any):
        webui.find("networks").aliases["blue"] = "red"  # listed first, so that the file red takes the name over
        webui.find("networks").list_available_networks()
        webui.find("modules.shared").opts.data["lora_preferred_name"] = "Alias from file"
        loras = webui.base / "models" / "Lora"
        assert webui.ours("places").lora_name(loras / "blue.safetensors") == "blue"

    def test_a_file_keeps_its_name_where_another_says_that_it_was_called_so(self, webui: Any):
        webui.find("networks").aliases["green"] = "blue"  # as a copy of blue that was renamed says
        webui.find("networks").list_available_networks()
        loras = webui.base / "models" / "Lora"
        for chosen in ("Filename", "Alias from file"):
            webui.find("modules.shared").opts.data["lora_preferred_name"] = chosen
            named = [webui.ours("places").lora_name(loras / f"{n}.safetensors") for n in ("blue", "green")]
            assert named == ["blue", "green"]

    def test_names_in_folders_and_titles_with_hashes(self, webui: Any):
        places, models = webui.ours("places"), webui.base / "models"
        assert places.lora_name(models / "Lora" / f"{ODD}.safetensors") == "pïnk mit Lücke"
        title = "grey checkpoint.safetensors [abc]"
        assert places.listed(models / "Stable-diffusion" / "grey checkpoint.safetensors", "checkpoint") == {
            "name": title
        }
        assert places.listed(models / "Stable-diffusion" / "gone.safetensors", "checkpoint") == {}
        assert len(places.lora_paths()) == 5

    def test_without_the_lora_extension_no_lora_is_named(self, webui: Any, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.delitem(__import__("sys").modules, "networks")
        assert webui.ours("places").lora_paths() == set()


class TestPlaces:
    def test_folders_are_the_webuis_each_once(self, webui: Any):
        options = webui.find("modules.shared").cmd_opts
        models = webui.base / "models"
        options.ckpt_dir, options.lora_dirs = str(models / "Stable-diffusion"), [str(models / "Lora"), "/nowhere"]
        found = webui.ours("places").folders()
        assert [folder.path for folder in found] == [models / "Lora", models / "Stable-diffusion"]

    @pytest.mark.parametrize(
        ("setting", "expected"), [("", "modelsearch/catalog.sqlite"), ("x", "catalog.sqlite"), ("y.sqlite", "y.sqlite")]
    )
    def test_the_catalog_lies_where_the_settings_say(self, webui: Any, tmp_path: Path, setting: str, expected: str):
        chosen = str(tmp_path / setting) if setting else ""
        webui.find("modules.shared").opts.data["modelsearch_catalog"] = chosen
        path = webui.ours("places").catalog_path()
        assert path.as_posix().endswith(expected)
        assert path.is_relative_to(tmp_path if setting else webui.base)
