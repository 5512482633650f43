"""Which pictures stand for a model."""

from __future__ import annotations

import itertools
import random

from modelsearch_core.pictures import MOST, Use, chosen

DAY = 86_400 * 10**9


def use(path: str, prompt: str = "a cat", *, day: float = 0, seed: str = "", share: float = 1.0) -> Use:
    return Use(path=path, state="1", modified=int(day * DAY), prompt=prompt, seed=seed, share=share)


def test_few_are_all_taken():
    uses = [use(f"{n}", f"word{n}") for n in range(10)]
    assert chosen(uses) == uses


def test_one_long_session_does_not_count_for_all():
    session = [use(f"s{n}", "a portrait of a woman", day=5 + n / 10000) for n in range(500)]
    others = [use(f"o{n}", f"thing{n} in place{n}", day=n) for n in range(40)]
    found = {each.path for each in chosen([*session, *others])}
    assert len(found) == MOST
    assert {each.path for each in others} <= found


def test_pictures_of_one_prompt_are_spread_over_their_days():
    uses = [use(f"{n}", day=n) for n in range(200)]
    days = sorted(each.modified / DAY for each in chosen(uses, 5))
    assert days[0] == 0
    assert days[-1] == 199
    assert max(b - a for a, b in itertools.pairwise(days)) < 110


def test_steps_to_one_picture_are_one():
    uses = [use(f"{n}", seed="7", day=n) for n in range(3)]
    assert [each.path for each in chosen(uses)] == ["2"]


def test_those_of_one_lora_come_first_and_a_small_share_is_left_out():
    alone = [use(f"a{n}", f"word{n}") for n in range(3)]
    shared = [use("half", "other", share=0.5), use("little", "third", share=0.1)]
    assert [each.path for each in chosen([*shared, *alone], 4)] == ["a0", "a1", "a2", "half"]
    assert [each.path for each in chosen([*shared, *alone])] == ["a0", "a1", "a2", "half"]
    assert chosen([*shared, *alone], 2) == chosen(alone, 2)


def test_the_order_in_which_a_folder_lists_them_changes_nothing():
    uses = [use(f"{n}", f"word{n % 90} and word{n % 7}", day=n % 11) for n in range(300)]
    shuffled = random.Random(1).sample(uses, len(uses))
    assert chosen(shuffled) == chosen(uses)


def test_pictures_that_nothing_tells_apart_are_taken_once_each():
    same = [use(f"{n:03}") for n in range(200)]
    assert len({each.path for each in chosen(same)}) == MOST
