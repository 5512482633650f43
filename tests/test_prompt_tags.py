"""Prompts as the WebUIs write them."""

from __future__ import annotations

import pytest

from modelsearch_core.errors import ModelSearchError
from modelsearch_core.prompt_tags import (
    lacking,
    lora_tag,
    loras_in,
    plain_words,
    with_lora,
    without_lora,
    without_words,
)

INK = lora_tag("ink wash", 0.75)


def test_a_tag_is_written_as_the_webuis_read_it():
    assert str(INK) == "<lora:ink wash:0.75>"
    assert str(lora_tag("a", 1.0)) == "<lora:a:1>"


@pytest.mark.parametrize("name", ["a:b", "a>b", "<a"])
def test_a_name_that_a_prompt_cannot_hold_is_refused(name: str):
    with pytest.raises(ModelSearchError, match="rename the file"):
        lora_tag(name, 1.0)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("", "sumi-e <lora:ink wash:0.75>"),
        ("a heron", "a heron, sumi-e <lora:ink wash:0.75>"),
        ("a heron, ", "a heron, sumi-e <lora:ink wash:0.75>"),
        ("Sumi-E, a heron", "Sumi-E, a heron <lora:ink wash:0.75>"),
        ("a heron\nat dusk <lora:other:1>", "a heron\nat dusk <lora:other:1>, sumi-e <lora:ink wash:0.75>"),
    ],
)
def test_a_lora_comes_at_the_end_with_the_words_that_are_missing(prompt: str, expected: str):
    assert with_lora(prompt, INK, ["sumi-e"]) == expected


@pytest.mark.parametrize("prompt", ["", "a heron", "a heron, at (dusk:1.2)", "a <lora:other:1:te=0.5> heron"])
def test_taking_out_gives_back_what_was_there(prompt: str):
    assert without_lora(with_lora(prompt, INK, ["sumi-e", "wet paper"]), INK.name, ["sumi-e", "wet paper"]) == prompt


def test_taking_out_leaves_other_loras_and_words_within_phrases():
    prompt = "a sumi-e heron, sumi-e <lora:other:1> <lora:ink wash:0.3:0.5>, dusk"
    assert without_lora(prompt, "ink wash", ["heron"]) == "a sumi-e heron, sumi-e <lora:other:1>, dusk"


def test_taking_out_takes_the_last_of_a_word_once_and_leaves_the_tags_behind_it():
    assert (
        without_words("ink, a heron, ink, ink <lora:other:1>, dusk", ["Ink"])
        == "ink, a heron, ink, <lora:other:1>, dusk"
    )
    assert without_words("ink, a heron", ["ink", "ink"]) == "a heron"


def test_words_lack_that_do_not_stand_between_commas():
    assert lacking("an ink heron, Dusk <lora:x:1>", ["ink", "dusk", "rain", "rain"]) == ["ink", "rain"]


def test_loras_are_read_in_order_and_nothing_else():
    assert loras_in("<lora:a:1> <hypernet:b:1> <lyco:c d:0.5:0.5> <LORA:e>") == ["a", "c d", "e"]


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a (quiet:1.3) harbour, <lora:x:1>, [boats|gulls] BREAK dusk", "a quiet harbour, boats gulls dusk"),
        ("((night)), , (8:30 train)", "night, 8:30 train"),
        (r"portrait \(oil\)", "portrait oil"),
        ("<lora:x:1>", ""),
    ],
)
def test_what_a_prompt_says_is_left_without_its_syntax(prompt: str, words: str):
    assert plain_words(prompt) == words
