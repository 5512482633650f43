"""Pictures as the encoder sees them."""

from __future__ import annotations

import inspect
import io

import numpy as np
import pytest
from open_clip.transform import image_transform
from PIL import Image

from modelsearch_core.encoders.preparation import OPENAI_MEAN, OPENAI_STD, Preparation, rgb


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    """Noise on a gradient: what aliasing would show in."""
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0, 200, width)[None, :, None] + np.linspace(0, 40, height)[:, None, None]
    return Image.fromarray(np.clip(ramp + rng.normal(0, 40, (height, width, 3)), 0, 255).astype(np.uint8))


@pytest.mark.parametrize("size", [(512, 512), (640, 360), (333, 517), (64, 64), (224, 224), (1000, 225), (31, 77)])
def test_pictures_are_prepared_as_open_clip_does(size: tuple[int, int]):
    image = picture(*size)
    expected = image_transform(224, is_train=False, mean=OPENAI_MEAN, std=OPENAI_STD)(image).numpy()
    assert np.allclose(Preparation(size=224)([image])[0], expected, atol=1e-6)


@pytest.mark.skipif(
    "resize_mode" not in inspect.signature(image_transform).parameters, reason="this open_clip does not squash"
)
def test_squashing_is_as_open_clip_does():
    image = picture(300, 200)
    expected = image_transform(64, is_train=False, mean=(0.5,) * 3, std=(0.5,) * 3, resize_mode="squash")(image).numpy()
    prepare = Preparation.of(64, {"mean": (0.5,) * 3, "std": (0.5,) * 3, "resize_mode": "squash"})
    assert np.allclose(prepare([image])[0], expected, atol=1e-6)


def test_resizing_is_clean_fids_but_for_rounding_to_8_bits():
    """clean-fid resizes each channel with Pillow's bicubic filter, which widens with the scale."""
    image = picture(512, 512).point(lambda value: 64 + value // 2)  # away from where 8 bits cut off
    channels = [Image.fromarray(np.asarray(image, np.float32)[..., c]) for c in range(3)]
    expected = [np.asarray(channel.resize((224, 224), Image.Resampling.BICUBIC)) for channel in channels]
    seen = np.asarray(Preparation(size=224).seen(image), np.float32)
    assert np.abs(seen - np.clip(np.stack(expected, -1), 0, 255)).max() <= 1.0


def test_fine_stripes_become_grey_instead_of_aliasing():
    stripes = Image.fromarray(np.tile(np.array([0, 255], np.uint8), (512, 256))).convert("RGB")
    assert np.asarray(Preparation(size=64).seen(stripes), np.float32)[4:-4, 4:-4].std() < 2


def test_a_picture_of_the_right_size_is_left_as_it_is():
    image = picture(64, 64)
    assert np.array_equal(np.asarray(Preparation(size=64).seen(image)), np.asarray(image))


def test_the_centre_of_a_wide_picture_is_seen():
    image = Image.new("RGB", (300, 100), "red")
    image.paste((0, 0, 255), (100, 0, 200, 100))
    assert Preparation(size=50).seen(image).getpixel((25, 25)) == (0, 0, 255)
    assert Preparation(size=50, squash=True).seen(image).getpixel((5, 25)) == (255, 0, 0)


def test_transparency_is_white_paper():
    image = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert rgb(image).getpixel((0, 0)) == (255, 255, 255)
    half = Image.new("LA", (4, 4), (0, 128))
    assert rgb(half).getpixel((0, 0)) == (127, 127, 127)


def test_a_palette_with_a_transparent_colour_is_white_there():
    image = Image.new("P", (4, 4), 1)
    image.putpalette([255, 0, 0, 0, 0, 255])
    assert rgb(image).getpixel((0, 0)) == (0, 0, 255)
    image.info["transparency"] = 1
    assert rgb(image).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["L", "1", "CMYK", "YCbCr", "HSV"])
def test_other_modes_become_rgb(mode: str):
    assert rgb(Image.new(mode, (4, 4))).mode == "RGB"


def test_sixteen_bits_are_scaled_down_not_cut_off():
    values = np.array([[0, 32896], [65535, 257]], np.uint16)
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "PNG")
    assert [int(p) for p in np.asarray(rgb(Image.open(stream)))[..., 0].ravel()] == [0, 128, 255, 1]


def test_a_camera_held_upright_is_honoured():
    image = Image.new("RGB", (20, 10), "white")
    image.paste((0, 0, 0), (0, 0, 10, 10))  # left half black
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to see it upright
    stream = io.BytesIO()
    image.save(stream, "PNG", exif=exif)
    upright = rgb(Image.open(stream))
    assert upright.size == (10, 20)
    assert upright.getpixel((5, 2)) == (0, 0, 0)
    assert upright.getpixel((5, 17)) == (255, 255, 255)


def test_settings_that_are_left_out_or_none_are_openais():
    assert Preparation.of(224, {"mean": None, "std": None}) == Preparation(size=224)
