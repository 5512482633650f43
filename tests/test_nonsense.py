"""What asks for nothing is told from what asks for little."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from modelsearch_core import nonsense
from modelsearch_core.drawing import WITHOUT_WEIGHTS
from modelsearch_core.mini_zoo import zoo_models

SIZES = [(64, 64), (256, 256), (1024, 700)]


def noise(size: tuple[int, int], channels: int = 3) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (size[1], size[0], channels), np.uint8)
    return Image.fromarray(values if channels == 3 else values[..., 0])


@pytest.mark.parametrize("size", SIZES)
def test_a_picture_of_one_colour_and_noise_ask_for_nothing(size: tuple[int, int]):
    assert "one colour" in str(nonsense.of_picture(Image.new("RGB", size, (40, 90, 200))))
    assert "one colour" in str(nonsense.of_picture(Image.new("RGBA", size, (0, 0, 0, 0))))
    assert "noise" in str(nonsense.of_picture(noise(size)))
    assert "noise" in str(nonsense.of_picture(noise(size, 1)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["RGB", "L", "I;16"])
def test_a_blank_sheet_is_no_sketch(size: tuple[int, int], mode: str):
    for level in (0, 128, 255):
        assert "blank" in str(nonsense.of_sketch(Image.new("L", size, level).convert(mode)))
    assert "blank" in str(nonsense.of_sketch(Image.new("RGBA", size, (0, 0, 0, 0))))


@pytest.mark.parametrize("size", SIZES)
def test_noise_is_no_sketch(size: tuple[int, int]):
    assert nonsense.of_sketch(noise(size)) is not None


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "colours", [("white", "black"), ("black", "white"), ((0, 0, 0, 0), "black"), ("white", "grey")]
)
def test_one_thin_stroke_is_a_sketch(size: tuple[int, int], colours: tuple):
    sheet = Image.new("RGBA", size, colours[0])
    ImageDraw.Draw(sheet).line([(size[0] * 0.3, size[1] * 0.4), (size[0] * 0.6, size[1] * 0.5)], colours[1], 2)
    assert nonsense.of_sketch(sheet) is None


def test_pictures_that_models_make_and_their_drawings_ask_for_something():
    for model in zoo_models().values():
        picture = model.picture()
        assert nonsense.of_picture(picture) is None, model.name
        for name in ("outlines", "pencil"):  # the finer ones find nothing in some
            assert nonsense.of_sketch(WITHOUT_WEIGHTS[name](picture)) is None, (model.name, name)


def test_a_dithered_picture_and_a_detail_in_a_corner_are_no_nonsense():
    ramp = Image.fromarray(np.tile(np.linspace(0, 255, 128).astype(np.uint8), (128, 1)))
    assert nonsense.of_picture(ramp.convert("1")) is None
    far = Image.new("RGB", (1000, 1000), "white")
    ImageDraw.Draw(far).ellipse([20, 20, 120, 120], "red")
    assert nonsense.of_picture(far) is None


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "...", "—", "★"])
def test_a_text_without_words_asks_for_nothing(text: str):
    assert "no words" in str(nonsense.of_text(text))


@pytest.mark.parametrize("text", ["cat", "7", "猫", "été, neige"])
def test_any_word_asks_for_something(text: str):
    assert nonsense.of_text(text) is None
