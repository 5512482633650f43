"""A video beside a model shows its first frame and one of the middle."""

from __future__ import annotations

import shutil
from pathlib import Path

import av
import numpy as np
import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.indexing import silent, store_previews
from modelsearch_core.model_files import read_model_file, video_frames
from modelsearch_core.model_files.video_frames import frames_of
from tests.making.fakes import ColourEncoder
from tests.making.model_files import kohya_lora, write_safetensors

CODECS = {".mp4": "mpeg4", ".webm": "libvpx"}
FRAMES = 24


def video(path: Path, frames: int = FRAMES) -> Path:
    """Red at its beginning, then blue."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(CODECS[path.suffix.lower()], rate=12)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for number in range(frames):
            pixels = np.zeros((64, 64, 3), np.uint8)
            pixels[..., 0 if number < 6 else 2] = 255
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def colours(path: Path) -> list[str]:
    pixels = [np.asarray(frame, float).mean(axis=(0, 1)) for frame in frames_of(path)]
    return ["rgb"[int(np.argmax(pixel))] for pixel in pixels]


@pytest.mark.parametrize("name", ["a.mp4", "a.webm"])
def test_the_first_frame_and_one_of_the_middle(tmp_path: Path, name: str) -> None:
    """Though only the first of all is a key frame."""
    assert colours(video(tmp_path / name)) == ["r", "b"]


@pytest.mark.parametrize("content", [b"", b"\0" * 200, b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n"])
def test_what_is_no_video_has_no_picture(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    assert frames_of(tmp_path / "a.mp4") == []


def test_without_anything_that_opens_videos_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = video(tmp_path / "a.mp4")
    monkeypatch.setattr(video_frames, "find_spec", lambda _: None)
    monkeypatch.setattr(video_frames.shutil, "which", lambda _: None)
    assert frames_of(path) == []


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the program ffmpeg is not there")
def test_the_program_sees_what_pyav_sees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = video(tmp_path / "it's [1].mp4")
    first = colours(path)
    monkeypatch.setattr(video_frames, "find_spec", lambda _: None)
    assert colours(path) == first == ["r", "b"]


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the program ffmpeg is not there")
def test_the_program_finds_the_only_frame_and_decodes_none_that_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = video(tmp_path / "a.mp4", frames=1)
    monkeypatch.setattr(video_frames, "find_spec", lambda _: None)
    assert colours(path)[0] == "r"
    monkeypatch.setattr(video_frames, "MOST_PIXELS", 1000)
    assert frames_of(path) == []


def test_a_model_is_known_by_its_video(tmp_path: Path) -> None:
    model = read_model_file(write_safetensors(tmp_path / "a.safetensors", kohya_lora()))
    video(tmp_path / "a.mp4")
    encoder = ColourEncoder()
    with Catalog(tmp_path / "c.sqlite") as catalog:
        catalog.put_encoder(encoder.name, "c", encoder.dimension)
        store_previews(catalog, encoder, [model], silent)
        [(_, _, evidence, samples)] = catalog.specification_keys(encoder.name)
    assert (evidence.value, samples) == ("preview", 2)
