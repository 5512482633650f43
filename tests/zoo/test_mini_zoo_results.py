"""The page of the mini zoo's figures, and what it is asked in words."""

from __future__ import annotations

from pathlib import Path

from benchmarks.emoji_zoo import models, page, wordings
from benchmarks.emoji_zoo.looks import ARTISTS, PAINTERS

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_command_writes():
    assert (ROOT / page.PAGE).read_text(encoding="utf-8") == page.page(ROOT / page.RESULTS)


def test_every_model_is_asked_for_in_our_words_as_no_caption_puts_it():
    plans = [*models.loras(), *models.checkpoints()]
    assert wordings.own().keys() == {Path(plan.file).stem for plan in plans}
    looks = {look for names in (*ARTISTS.values(), *PAINTERS) for look in names} | {plan.description for plan in plans}
    assert not looks & set(wordings.OWN.values())


def test_a_look_has_another_name_and_no_thing_has_one():
    names = wordings.other_names()
    assert names["sternennacht"] == ["a starry night painting with swirling strokes"]
    assert "Rex" not in names and wordings.captions()["Rex"] == ["a picture of a dinosaur"]
