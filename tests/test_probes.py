"""Probes: balanced, prefix-stable, and a digest that follows whatever changes an image."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace

import pytest

from modelsearch_core.probe_prompts import PROMPTS
from modelsearch_core.probes import (
    REFERENCE_FIELDS,
    Probe,
    ProbeSet,
    default_probes,
    own_probes,
    prompts_of,
    reference_probes,
)

KIND_OF = {prompt: kind for kind, prompts in PROMPTS.items() for prompt in prompts}


def a_set(**changes: object) -> ProbeSet:
    plain = ProbeSet(
        probes=default_probes(8), width=64, height=64, steps=5, guidance=3.0, sampler="dpmpp_2m", generator="diffusers"
    )
    return replace(plain, **changes)  # pyright: ignore[reportArgumentType]


def test_sixty_four_default_prompts_are_distinct() -> None:
    assert len({probe.prompt for probe in default_probes()}) == len(default_probes()) == 64


@pytest.mark.parametrize("count", [8, 16, 32, 64, 128])
def test_every_prefix_is_balanced(count: int) -> None:
    kinds = Counter(KIND_OF[probe.prompt] for probe in default_probes(count))
    assert kinds == dict.fromkeys(PROMPTS, count // 8)
    assert sum(probe.with_trigger for probe in default_probes(count)) == count // 4


def test_every_kind_gets_trigger_words() -> None:
    with_trigger = Counter(KIND_OF[probe.prompt] for probe in default_probes() if probe.with_trigger)
    assert with_trigger == dict.fromkeys(PROMPTS, 2)


def test_a_longer_list_starts_with_the_shorter_one() -> None:
    assert default_probes(150)[:16] == default_probes(16)
    assert len({probe.seed for probe in default_probes(150)}) == 150
    assert default_probes(65)[64].prompt == default_probes()[0].prompt


def test_no_probes_at_all_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least 1, not 0"):
        default_probes(0)


def test_own_prompts_repeat_with_new_seeds_and_take_their_turns_with_the_trigger_words() -> None:
    probes = own_probes(["a", "b", "c", "d"], 16)
    assert [probe.prompt for probe in probes] == ["a", "b", "c", "d"] * 4
    assert [probe.seed for probe in probes] == [probe.seed for probe in default_probes(16)]
    assert Counter(probe.prompt for probe in probes if probe.with_trigger) == {"a": 1, "b": 1, "c": 1, "d": 1}
    with pytest.raises(ValueError, match="0 prompts"):
        own_probes([], 4)


def test_a_file_of_prompts_has_one_a_line() -> None:
    assert prompts_of("# mine\n\na cat\n  ein Bär \r\na cat\n") == ("a cat", "ein Bär")


def test_trigger_words_go_before_the_prompt_of_marked_probes_only() -> None:
    asked = a_set(probes=(Probe("a cat", 1, True), Probe("a dog", 2)), trigger_words=("ohwx", "ink wash"))
    assert [asked.prompt(0), asked.prompt(1)] == ["ohwx, ink wash, a cat", "a dog"]
    assert a_set(probes=asked.probes).prompt(0) == "a cat"


def test_the_digest_follows_every_field_but_the_notes() -> None:
    changes: dict[str, object] = {
        "probes": default_probes(9), "width": 128, "height": 128, "steps": 6, "guidance": 4.0, "sampler": "euler",
        "generator": "comfyui", "precision": "float16", "negative_prompt": "blurry", "base": "b", "lora_weight": 0.5,
        "trigger_words": ("t",), "accelerator": "a", "decoder": "d", "drawing": "hed", "shift": 3.0,
    }  # fmt: skip
    assert set(changes) | {"notes", *REFERENCE_FIELDS} == {field.name for field in fields(ProbeSet)}
    digests = {a_set(**{name: value}).digest for name, value in changes.items()}
    assert len(digests | {a_set().digest}) == len(changes) + 1
    assert a_set(notes=("a note",)).digest == a_set().digest


def test_a_drawing_and_how_it_is_looked_at_are_in_the_digest() -> None:
    drawn = a_set(probes=reference_probes(["one", "two"]), reference_weight=1.0, style_fidelity=0.5, drawing="hed")
    others = [
        replace(drawn, probes=reference_probes(["one", "three"])),
        replace(drawn, reference_weight=0.5),
        replace(drawn, style_fidelity=0.0),
        replace(drawn, drawing="canny"),
    ]
    assert len({drawn.digest, *(other.digest for other in others)}) == 5
    assert [(probe.prompt, probe.drawing) for probe in drawn.probes] == [("", "one"), ("", "two")]


def test_digests_from_before_there_were_drawings_still_hold() -> None:
    """Of `a_set()` by the code of version 0.1."""
    assert a_set().digest == a_set(reference_weight=1.0).digest == "1f109a722bc6db7cea98c2d788bef448"


def test_the_base_is_asked_the_same_for_every_lora() -> None:
    one = a_set(base="b", trigger_words=("t",), lora_weight=0.8)
    assert one.for_base() == a_set(base="b").for_base()
    assert one.recipe_digest == a_set(base="b", lora_weight=0.8).recipe_digest
