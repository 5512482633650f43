"""Pictures from a browser, good, odd and hostile."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from modelsearch_core.panel.pictures import LONGEST_SIDE, MOST_BYTES, MOST_PICTURES, open_picture, opened
from modelsearch_core.panel.refusals import RefusedError


def encoded(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises that many pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_usual_forms_are_opened_as_rgb(form: str):
    picture = open_picture(encoded(Image.new("RGB", (20, 10), "red"), form))
    assert (picture.mode, picture.size) == ("RGB", (20, 10))


def test_large_pictures_are_made_small():
    picture = open_picture(encoded(Image.new("RGB", (4000, 1000)), "JPEG"))
    assert picture.size == (LONGEST_SIDE, LONGEST_SIDE // 4)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_parts_become_white(mode: str):
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0)).convert(mode)
    if mode == "P":
        clear.info["transparency"] = clear.getpixel((0, 0))
    assert open_picture(encoded(clear)).getpixel((0, 0)) == (255, 255, 255)


def test_a_photograph_is_turned_upright():
    exif = Image.Exif()
    exif[274] = 6
    assert open_picture(encoded(Image.new("RGB", (20, 10)), "JPEG", exif=exif)).size == (10, 20)


@pytest.mark.parametrize("side", [9_000, 50_000])
def test_a_bomb_is_refused_before_it_is_decoded(side: int):
    with pytest.raises(RefusedError, match="64 million at most") as refused:
        open_picture(bomb(side, side))
    assert refused.value.status == 413


@pytest.mark.parametrize(
    "content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n", b"<svg/>", encoded(Image.new("L", (9, 9)))[:40]]
)
def test_what_is_no_picture_is_refused(content: bytes):
    with pytest.raises(RefusedError, match="cannot be read as a picture") as refused:
        open_picture(content)
    assert refused.value.status == 415


def test_a_form_that_pillow_knows_but_a_browser_does_not_is_refused():
    with pytest.raises(RefusedError):
        open_picture(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n")


def test_too_many_bytes_and_too_many_pictures_are_refused():
    with pytest.raises(RefusedError, match="20 MB at most"):
        open_picture(bytes(MOST_BYTES + 1))
    with pytest.raises(RefusedError, match=f"{MOST_PICTURES} at most"):
        opened({"image": [b""] * (MOST_PICTURES + 1)}, "image")
