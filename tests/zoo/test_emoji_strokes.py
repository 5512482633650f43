"""Drawings by hand: each is of a thing of the world, lies in the picture, and differs by the drawer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.emoji_zoo import models, strokes, varied
from benchmarks.emoji_zoo.scenes import BACKGROUNDS
from benchmarks.emoji_zoo.subjects import SUBJECTS
from modelsearch_core import nonsense


@pytest.mark.parametrize("subject", strokes.DRAWINGS)
def test_a_drawing_is_dark_lines_on_white_inside_its_frame(subject: str):
    assert subject in SUBJECTS
    pixels = np.asarray(strokes.drawn(subject, 0).convert("L"))
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    assert border.min() == 255 and pixels.min() < 60
    assert 0.01 < (pixels < 128).mean() < 0.15
    assert not nonsense.of_sketch(strokes.drawn(subject, 0))


def test_no_two_drawers_draw_alike_and_each_draws_the_same_again():
    first, second = (np.asarray(strokes.drawn("robot", drawer)) for drawer in (0, 1))
    assert np.array_equal(first, np.asarray(strokes.drawn("robot", 0)))
    assert (first != second).any(axis=-1).mean() > 0.02


def test_a_thing_asks_for_its_lora_and_others_for_the_checkpoint_of_their_kind():
    wanted = strokes.wanted()
    assert len(wanted) >= 12
    assert (wanted["dragon"], wanted["bicycle"], wanted["key"]) == ("concept_a", "garage-final", "household")
    assert set(wanted.values()) <= {Path(plan.file).stem for plan in (*models.loras(), *models.checkpoints())}


def test_varied_pictures_of_a_thing_have_a_background_each():
    for plan in varied.plans().values():
        prompts = varied.prompts(plan)
        shown = {where for where in BACKGROUNDS.values() for prompt in prompts if where in prompt}
        assert len(shown) == len(prompts) == 6 and all(plan.subjects[0] in prompt for prompt in prompts)
