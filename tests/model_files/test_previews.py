from __future__ import annotations

import base64
import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from modelsearch_core.model_files import embedded_preview, previews_of, read_model_file, scan
from modelsearch_core.model_files.previews import LONGEST_THUMBNAIL
from tests.making.model_files import kohya_lora, write_pipeline, write_safetensors


def names_beside(folder: Path, *names: str) -> list[str]:
    path = write_safetensors(folder / "a.safetensors", kohya_lora())
    for name in names:
        (folder / name).write_bytes(b"")
    model = read_model_file(path)
    found = previews_of(model)
    assert model.preview == (found[0] if found else None)
    return [picture.name for picture in found]


def test_pictures_come_in_the_documented_order(tmp_path: Path) -> None:
    given = [
        "a.10.png",
        "a.jpeg",
        "a.2.png",
        "a.png",
        "a.preview.webp",
        "a.webp",
        "a.preview.png",
        "a.jpg",
        "a.thumb.jpg",
    ]
    order = [
        "a.preview.png",
        "a.preview.webp",
        "a.png",
        "a.webp",
        "a.jpg",
        "a.jpeg",
        "a.2.png",
        "a.10.png",
        "a.thumb.jpg",
    ]
    assert names_beside(tmp_path, *given) == order


def test_other_files_and_other_models_pictures_are_left_out(tmp_path: Path) -> None:
    assert names_beside(tmp_path, "ab.png", "b.png", "a.mov", "a.txt", "x a.png") == []


def test_videos_come_after_pictures_and_alone_where_there_is_none(tmp_path: Path) -> None:
    given = ("a.mp4", "a.preview.webm", "a.thumb.avif", "a.9.jpg")
    assert names_beside(tmp_path / "1", *given) == ["a.9.jpg", "a.thumb.avif", "a.mp4", "a.preview.webm"]
    assert names_beside(tmp_path / "2", "a.MP4") == ["a.MP4"]


def test_a_preview_in_other_letters_belongs_to_the_model(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "Case.safetensors", kohya_lora())
    other = write_safetensors(tmp_path / "two.safetensors", kohya_lora())
    for name in ("case.png", "CASE.preview.png", "two.png", "Two.2.png"):
        (tmp_path / name).write_bytes(b"")
    assert [each.name for each in previews_of(read_model_file(path))] == ["CASE.preview.png", "case.png"]
    assert [each.name for each in previews_of(read_model_file(other))] == ["two.png", "Two.2.png"]
    assert {file.path.name: file.preview and file.preview.name for file in scan([tmp_path])} == {
        "Case.safetensors": "CASE.preview.png",
        "two.safetensors": "two.png",
    }


def test_upper_case_extensions_count(tmp_path: Path) -> None:
    assert names_beside(tmp_path, "a.Preview.PNG", "a.JPG") == ["a.Preview.PNG", "a.JPG"]


def test_a_numbered_picture_belongs_to_the_model_of_that_very_name(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "a.1.safetensors", kohya_lora())
    write_safetensors(tmp_path / "a.safetensors", kohya_lora())
    for name in ("a.1.png", "a.2.png"):
        (tmp_path / name).write_bytes(b"")
    found = {model.path.name: model.preview.name for model in scan([tmp_path])}  # type: ignore[union-attr]
    assert found == {"a.1.safetensors": "a.1.png", "a.safetensors": "a.2.png"}


def test_a_diffusers_folder_has_the_pictures_in_it(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "tiny")
    (folder / "sample.png").write_bytes(b"")
    (folder / "assets").mkdir()
    (folder / "assets/a.png").write_bytes(b"")
    assert previews_of(read_model_file(folder)) == [folder / "sample.png"]
    assert read_model_file(folder).preview == folder / "sample.png"


def test_a_model_that_is_gone_has_no_pictures(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "sub/a.safetensors", kohya_lora())
    model = read_model_file(path)
    path.unlink()
    path.parent.rmdir()
    assert previews_of(model) == []


def thumbnail(tmp_path: Path, uri: str) -> Image.Image | None:
    path = write_safetensors(tmp_path / "a.safetensors", kohya_lora(), {"modelspec.thumbnail": uri})
    return embedded_preview(read_model_file(path))


def data_uri(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()


def png(width: int, height: int) -> bytes:
    """A PNG that claims a size and has no pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def test_an_embedded_thumbnail_is_opened(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.new("RGBA", (3, 2), "red").save(stream, "PNG")
    picture = thumbnail(tmp_path, data_uri(stream.getvalue()))
    assert picture is not None
    assert (picture.size, picture.mode, picture.getpixel((0, 0))) == ((3, 2), "RGB", (255, 0, 0))


def test_a_thumbnail_of_too_many_pixels_is_not_decoded(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.new("L", (5000, 5000)).save(stream, "PNG")
    assert len(stream.getvalue()) < 100_000
    assert thumbnail(tmp_path, data_uri(stream.getvalue())) is None


@pytest.mark.parametrize(
    "uri",
    [
        *("", "https://example.org/a.png", "data:image/png;base64,%%%", "data:image/png;base64,"),
        *(data_uri(b"no picture"), data_uri(png(4, 4)), data_uri(png(8000, 8000)), data_uri(png(60000, 60000))),
        data_uri(bytes(LONGEST_THUMBNAIL)),
    ],
)
def test_a_broken_or_oversized_thumbnail_is_none(tmp_path: Path, uri: str) -> None:
    assert thumbnail(tmp_path, uri) is None
