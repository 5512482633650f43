"""Pictures out of videos that lie beside models, by PyAV or the program ffmpeg where one of them is at hand.

The format is named, never guessed: what only looks like a video could be a playlist, which would have other files and
addresses opened.
"""

from __future__ import annotations

import io
import logging
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path
from typing import Any

from PIL import Image

FORMATS = {".mp4": "mp4", ".webm": "webm"}
MOST_PIXELS = 8192 * 8192
MOST_FRAMES = 1000  # decoded to come to the middle
PATIENCE = 30.0  # seconds for a frame

log = logging.getLogger(__name__)


def frames_of(path: Path) -> list[Image.Image]:
    """The first frame and one of the middle, RGB. Empty for what is no video, and where nothing here opens one."""
    form = FORMATS[path.suffix.lower()]
    if not path.is_file():  # a named pipe would be waited for
        return []
    try:
        return list(_by_pyav(path, form) if find_spec("av") is not None else _by_ffmpeg(path, form))
    except Exception as error:  # whatever a decoder says of a broken file, there is no picture in it
        log.info("%s: no picture of this video (%s)", path, error)
        return []


def _by_pyav(path: Path, form: str) -> Iterator[Image.Image]:
    import av  # not required: hosts that make videos bring it

    with av.open(str(path), format=form) as container:
        stream: Any = container.streams.video[0]
        if stream.width * stream.height > MOST_PIXELS:
            return
        yield _picture(next(container.decode(stream)))
        if container.duration:
            with suppress(av.FFmpegError, StopIteration):
                container.seek(container.duration // 2)
                yield _picture(_frame_at(container.duration / 2 / av.time_base, container.decode(stream)))


def _frame_at(seconds: float, frames: Iterator[Any]) -> Any:
    """A place is found by the key frame before it, which may be the first of all; from there on every frame is decoded,
    but not for ever."""
    last = next(frames)
    for frame in chain([last], islice(frames, MOST_FRAMES)):
        last = frame
        if frame.time is None or frame.time >= seconds:
            break
    return last


def _picture(frame: Any) -> Image.Image:
    return frame.to_image().convert("RGB")


def _by_ffmpeg(path: Path, form: str) -> Iterator[Image.Image]:
    program = shutil.which("ffmpeg")
    if program is None:
        return
    yield _frame_by(program, path, form, 0.0)
    with suppress(OSError, ValueError, subprocess.SubprocessError):  # a video of one frame has none in its middle
        yield _frame_by(program, path, form, _seconds(path, form) / 2)


def _frame_by(program: str, path: Path, form: str, seconds: float) -> Image.Image:
    where = ["-f", form, "-max_pixels", str(MOST_PIXELS), "-ss", f"{seconds:.3f}", "-i", f"file:{path}"]
    png = _output([program, "-v", "error", *where, "-frames:v", "1", "-f", "image2pipe", "-c:v", "png", "-"])
    return Image.open(io.BytesIO(png), formats=["PNG"]).convert("RGB")


def _seconds(path: Path, form: str) -> float:
    shown = ["-show_entries", "format=duration", "-of", "csv=p=0"]
    return float(_output(["ffprobe", "-v", "error", "-f", form, *shown, f"file:{path}"]))


def _output(command: list[str]) -> bytes:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=True)
    return done.stdout
