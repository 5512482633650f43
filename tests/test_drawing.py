"""Line drawings without weights, and a user's sketch in their tone."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from modelsearch_core.drawing import WITHOUT_WEIGHTS, Drawer, best_drawer, eight_bits, to_sketch_tone


def disc(size: tuple[int, int] = (96, 64), colour: str = "navy", behind: str = "khaki") -> Image.Image:
    image = Image.new("RGB", size, behind)
    ImageDraw.Draw(image).ellipse((32, 16, 64, 48), fill=colour)
    return image


def stroke(mode: str, paper: object, ink: object) -> Image.Image:
    """A cross of ink on paper."""
    image = Image.new(mode, (40, 40), paper)  # type: ignore[arg-type]  # a colour of any mode
    pen = ImageDraw.Draw(image)
    pen.line((5, 5, 35, 35), fill=ink, width=3)  # type: ignore[arg-type]
    pen.line((5, 35, 35, 5), fill=ink, width=3)  # type: ignore[arg-type]
    return image


def grey(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L"), np.float32)


@pytest.mark.parametrize("drawer", WITHOUT_WEIGHTS.values(), ids=lambda drawer: drawer.name)
def test_the_edge_is_dark_and_the_rest_is_white(drawer: Drawer):
    drawing = drawer(disc())
    assert (drawing.mode, drawing.size) == ("RGB", (96, 64))
    pixels = grey(drawing)
    edge = [pixels[32, 30:35].min(), pixels[32, 61:67].min(), pixels[14:19, 48].min()]
    assert max(edge) < 140
    assert pixels[:8].min() > 240
    assert pixels[56:].min() > 240


@pytest.mark.parametrize("drawer", WITHOUT_WEIGHTS.values(), ids=lambda drawer: drawer.name)
@pytest.mark.parametrize("colour", ["black", "white", "red"])
def test_where_there_is_nothing_nothing_is_drawn(drawer: Drawer, colour: str):
    assert grey(drawer(Image.new("RGB", (64, 64), colour))).min() > 250


@pytest.mark.parametrize("size", [(64, 64), (512, 300), (31, 97)])
def test_a_drawing_has_its_pictures_size(size: tuple[int, int]):
    assert {drawer(disc(size)).size for drawer in WITHOUT_WEIGHTS.values()} == {size}


def test_outlines_see_colours_of_equal_brightness():
    image = disc(colour="#ff0000", behind="#008200")  # both of about the same grey
    assert np.ptp(grey(image)) < 6
    assert grey(best_drawer()(image)).min() < 50


def test_the_best_drawer_is_named():
    assert best_drawer().name == "outlines"


@pytest.mark.parametrize(
    "sketch",
    [
        stroke("L", 255, 0),
        stroke("L", 0, 255),
        stroke("RGB", "black", "white"),
        stroke("RGBA", (0, 0, 0, 0), (0, 0, 0, 255)),
        stroke("RGBA", (255, 255, 255, 0), (255, 255, 255, 255)),  # white on nothing, as drawing programs save it
        stroke("LA", (0, 0), (0, 255)),
        stroke("1", 1, 0),
        stroke("L", 200, 10),  # photographed paper
        stroke("L", 250, 170),  # a hard pencil
        stroke("RGB", (235, 220, 190), (60, 40, 30)),
    ],
    ids=["black", "white", "blackboard", "no paper", "white on no paper", "grey", "bits", "photo", "faint", "old"],
)
def test_sketches_of_all_kinds_become_black_on_white(sketch: Image.Image):
    toned = to_sketch_tone(sketch)
    pixels = grey(toned)
    assert toned.mode == "RGB"
    assert pixels[0, 0] == pixels[20, 2] == 255
    assert pixels[20, 20] < 60


def test_sixteen_bits_are_seen():
    deep = Image.fromarray(grey(stroke("L", 255, 0)).astype(np.uint16) * 257)
    assert np.array_equal(grey(to_sketch_tone(deep)), grey(stroke("L", 255, 0)))
    assert eight_bits(deep).getpixel((0, 0)) == 255


def test_a_sketch_in_the_right_tone_stays_as_it_is():
    drawing = best_drawer()(disc())
    assert np.array_equal(np.asarray(to_sketch_tone(drawing)), np.asarray(drawing))


def test_a_page_turned_over_twice_is_the_same():
    drawing = best_drawer()(disc())
    assert np.array_equal(grey(to_sketch_tone(ImageOps.invert(drawing))), grey(drawing))


def test_an_empty_page_stays_empty():
    for page in (Image.new("L", (8, 8), 255), Image.new("L", (8, 8), 0), Image.new("RGBA", (8, 8), (0, 0, 0, 0))):
        assert grey(to_sketch_tone(page)).min() == 255
