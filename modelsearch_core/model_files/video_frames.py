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
from pathlib import Path
from typing import Any

from PIL import Image

FORMATS = {".mp4": "mp4", ".webm": "webm"}
MOST_PIXELS = 8192 * 8192
PATIENCE = 30.0  # seconds for a frame

log = logging.getLogger(__name__)


def can_open_videos() -> bool:
    return find_spec("av") is not None or shutil.which("ffmpeg") is not None


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
        yield _next_frame(container, stream)
        if container.duration:
            with suppress(av.FFmpegError, StopIteration):
                container.seek(container.duration // 2)
                yield _next_frame(container, stream)


def _next_frame(container: Any, stream: Any) -> Image.Image:
    return next(container.decode(stream)).to_image().convert("RGB")


def _by_ffmpeg(path: Path, form: str) -> Iterator[Image.Image]:
    program = shutil.which("ffmpeg")
    if program is None:
        return
    places = [0.0]
    with suppress(OSError, ValueError, subprocess.SubprocessError):
        places.append(_seconds(path, form) / 2)
    for place in places:
        where = ["-f", form, "-ss", f"{place:.3f}", "-i", f"file:{path}"]
        png = _output([program, "-v", "error", *where, "-frames:v", "1", "-f", "image2pipe", "-c:v", "png", "-"])
        yield Image.open(io.BytesIO(png), formats=["PNG"]).convert("RGB")


def _seconds(path: Path, form: str) -> float:
    shown = ["-show_entries", "format=duration", "-of", "csv=p=0"]
    return float(_output(["ffprobe", "-v", "error", "-f", form, *shown, f"file:{path}"]))


def _output(command: list[str]) -> bytes:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=True)
    return done.stdout
