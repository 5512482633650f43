from __future__ import annotations

import json

import pytest

from modelsearch_core.model_files.annotations import clean_text, clean_weight, clean_words, first_of
from modelsearch_core.model_files.metadata import header_annotations


def training(tags: dict[str, dict[str, int]], images: int | None = 20, **more: str) -> dict[str, str]:
    """Metadata as kohya's sd-scripts write them."""
    folders = {name: {"n_repeats": 10, "img_count": images} for name in tags} if images else {}
    return {"ss_tag_frequency": json.dumps(tags), "ss_dataset_dirs": json.dumps(folders), **more}


def test_tags_come_most_frequent_first_over_all_folders() -> None:
    said = header_annotations(training({"5_a": {"red": 1, "blue": 4}, "2_b": {"red ": 7, "": 9}}))
    assert said.tags == ("red", "blue")


def test_a_tag_of_nearly_all_captions_is_the_trigger_unless_any_picture_has_it() -> None:
    said = header_annotations(training({"10_x": {"ohwx": 20, "1girl": 20, "solo": 19, "hat": 12, "coat": 17}}))
    assert said.trigger_words == ("ohwx",)


def test_many_universal_tags_tell_nothing() -> None:
    tags = {f"tag {n}": 20 for n in range(4)}
    assert header_annotations(training({"10_img": tags})).trigger_words == ()


def test_a_folder_is_named_after_its_concept() -> None:
    assert header_annotations(training({"10_ohwx woman": {"hat": 3}})).trigger_words == ("ohwx woman",)
    assert header_annotations(training({"10_ohwx woman": {}}, images=None)).trigger_words == ("ohwx woman",)


@pytest.mark.parametrize("folder", ["10_img", "5_Dataset", "woman", "1_style", "20_set", "3_" + "x" * 99])
def test_folders_that_name_no_concept_give_no_trigger(folder: str) -> None:
    assert header_annotations(training({folder: {"hat": 3}})).trigger_words == ()


def test_many_concepts_are_a_fine_tune_without_trigger() -> None:
    assert header_annotations(training({f"1_concept {n}": {} for n in range(9)})).trigger_words == ()


def test_modelspec_comes_before_the_training_log() -> None:
    spec = {
        "modelspec.title": "Ink",
        "modelspec.trigger_phrase": "sumi, ink wash",
        "modelspec.description": "<p>Nice</p>",
    }
    said = header_annotations(training({"10_other": {"hat": 3}}, ss_output_name="ink-000004", **spec))
    assert (said.title, said.trigger_words, said.description) == ("Ink", ("sumi", "ink wash"), "Nice")
    assert said.tags == ("hat",)


def test_the_base_is_what_the_author_started_from() -> None:
    both = {"ss_sd_model_name": "animefull.safetensors", "ss_base_model_version": "sd_v1"}
    assert header_annotations(both).base_hint == "animefull.safetensors"
    assert header_annotations({**both, "ss_sd_model_name": "None"}).base_hint == "sd_v1"
    assert header_annotations({"modelspec.architecture": "flux-1-dev/lora"}).base_hint == "flux-1-dev/lora"


@pytest.mark.parametrize("broken", ["", "None", "{", "[1]", "3", '{"10_a": 3}', '{"10_a": {"x": "y"}}', "[" * 9999])
def test_broken_metadata_say_nothing_and_break_nothing(broken: str) -> None:
    said = header_annotations({"ss_tag_frequency": broken, "ss_dataset_dirs": broken})
    assert (said.tags, said.title) == ((), "")


def test_words_are_split_at_commas_cleaned_and_kept_once() -> None:
    given = ["ohwx,  Woman ", "woman, <lora:ohwx:0.8>", "", None, 3, "a||b", "x" * 999, "<b>bold</b>"]
    assert clean_words(given) == ("ohwx", "Woman", "a", "b", "x" * 200, "bold")
    assert clean_words("one, two") == ("one", "two")
    assert clean_words(None) == clean_words({"a": 1}) == ()
    assert len(clean_words([str(n) for n in range(10_000)])) == 64


def test_descriptions_lose_html_and_nothing_else() -> None:
    html = (
        "<p>Tom &amp; <b>Jerry</b></p><script>alert(1)</script><ul><li>a < b</li><li>2</li></ul><img src=x onerror=y>"
    )
    assert clean_text(html) == "Tom & Jerry\na < b\n2"
    assert clean_text("a\x00b\ud800c\u202e") == "ab?c"
    assert clean_text(3) == clean_text(None) == ""
    assert len(clean_text("<p>" + "x" * 10**6)) == 20_000
    assert clean_text("<" * 10**5).count("<") <= 20_000


@pytest.mark.parametrize(
    ("value", "weight"),
    [
        (0.8, 0.8),
        ("0.65", 0.65),
        (1, 1.0),
        (-1.5, -1.5),
        (0, None),
        ("", None),
        (None, None),
        (True, None),
        ("nan", None),
    ],
)
def test_a_weight_of_zero_or_no_number_is_none(value: object, weight: float | None) -> None:
    assert clean_weight(value) == weight


def test_the_first_source_that_says_anything_is_believed_field_by_field() -> None:
    low = header_annotations({"modelspec.title": "Low", "modelspec.tags": "a"})
    high = header_annotations({"modelspec.title": "High"})
    merged = first_of([high, low])
    assert (merged.title, merged.tags, merged.base_hint) == ("High", ("a",), None)


def test_counts_may_be_fractions_and_tags_without_folders() -> None:
    floats = {"ss_tag_frequency": '{"10_dataset": {"ohwx style": 20.0, "tree": 3.0, "x": NaN, "y": -1, "z": true}}'}
    dirs = {"ss_dataset_dirs": '{"10_dataset": {"img_count": 20.0}}'}
    said = header_annotations({**floats, **dirs})
    assert (said.trigger_words, said.tags) == (("ohwx style",), ("ohwx style", "tree"))
    assert header_annotations({"ss_tag_frequency": '{"ohwx": 12, "tree": 3}'}).tags == ("ohwx", "tree")


EVERY_TAG = {"mychar": 20, "1girl": 20, "solo": 3, **{f"tag {n}": 3 for n in range(300)}}


def test_a_trigger_phrase_that_repeats_all_tags_says_those_of_most_captions() -> None:
    phrase = {"modelspec.trigger_phrase": ", ".join(EVERY_TAG)}
    assert header_annotations(training({"10_mychar": EVERY_TAG}, **phrase)).trigger_words == ("mychar",)
    assert header_annotations(phrase).trigger_words == ("mychar",)


def test_a_long_trigger_phrase_that_the_author_wrote_stays_as_it_is() -> None:
    outfit = [f"piece {n} of the outfit" for n in range(12)]
    phrase = {"modelspec.trigger_phrase": ", ".join(outfit)}
    assert header_annotations(phrase).trigger_words == tuple(outfit)
    assert header_annotations(training({"10_img": EVERY_TAG}, **phrase)).trigger_words == tuple(outfit)


def test_embeddings_that_are_packed_along_work_by_their_names() -> None:
    names = ["bundle_emb.ohwx.string_to_param.*", "bundle_emb.TOK v2.clip_l", "lora_unet_x.lora_down.weight"]
    log = training({"10_other": {"hat": 20}})
    assert header_annotations(log, names).trigger_words == ("ohwx", "TOK v2")
    assert header_annotations({**log, "modelspec.trigger_phrase": "sumi"}, names).trigger_words == ("sumi",)


@pytest.mark.parametrize(
    "title", ["FluxDev 1.0 LoRA", "Stable Diffusion XL 1.0 Base LoRA", "LoRA@1712345678.9", "unet", "checkpoint-500"]
)
def test_titles_that_tools_fill_in_are_none(title: str) -> None:
    assert header_annotations({"modelspec.title": title, "ss_output_name": "ink"}).title == "ink"
    assert header_annotations({"ss_output_name": title}).title == ""


@pytest.mark.parametrize("title", ["LoRA", "Flux of time", "Anima LoRA of Ann", "unet painter", "epoch"])
def test_titles_that_people_give_are_kept(title: str) -> None:
    assert header_annotations({"modelspec.title": title}).title == title
