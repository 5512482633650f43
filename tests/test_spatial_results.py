"""The page of left and right: made from the JSON alone; how a model is favoured and how sure that is."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from benchmarks.spatial import __main__ as command
from benchmarks.spatial import left_right as spatial
from benchmarks.spatial.page import page


def by_brightness(query: spatial.Query) -> dict[str, float]:
    """How bright the left and the right half of a picture are."""
    pixels = np.asarray(query.images[0], float)
    return {"facing_left": pixels[:, :4].mean(), "facing_right": pixels[:, 4:].mean()}


def half(left: int, right: int) -> Image.Image:
    image = Image.new("L", (8, 8), left)
    image.paste(right, (4, 0, 8, 8))
    return image


def questions(name: str, *images: Image.Image, thing: str = "fish") -> list[spatial.Question]:
    return [spatial.Question(spatial.Query(images=[image]), name, thing) for image in images]


def test_a_model_is_favoured_by_its_score_and_a_tie_is_half_a_time():
    asked = [*questions("facing_left", half(9, 1), half(1, 9)), *questions("facing_right", half(0, 5), thing="bird")]
    found = spatial.favoured(asked, "brightness", by_brightness)
    assert (found["of"], found["share"]) == (3, pytest.approx(2 / 3))
    assert found["things"] == {"fish": 0.5, "bird": 1.0}
    blind = spatial.favoured(asked, "blind", lambda _: {"facing_left": 1.0, "facing_right": 1.0})
    assert blind["share"] == 0.5


def test_every_picture_asks_as_it_is_and_mirrored():
    pictures = [*questions("facing_left", half(9, 1)), *questions("facing_right", half(0, 5))]
    asked = spatial.mirrored(pictures, ["facing_left", "facing_right"])
    assert [question.name for question in asked] == ["facing_left", "facing_right", "facing_right", "facing_left"]
    first, second = (np.asarray(question.query.images[0]) for question in asked[:2])
    assert (first[:, ::-1] == second).all()


def test_the_interval_is_wilsons():
    assert spatial.wilson(0.5, 100) == pytest.approx((0.4038, 0.5962), abs=1e-4)
    low, high = spatial.wilson(1.0, 100)
    assert low == pytest.approx(0.963, abs=1e-3)
    assert high == pytest.approx(1.0)


def test_the_page_is_what_the_command_writes():
    results = json.loads(command.RESULT.read_text(encoding="utf-8"))
    assert command.PAGE.read_text(encoding="utf-8") == page(results)
