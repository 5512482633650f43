"""Files that anyone may have put into a folder of models: opened only if they are regular, read only so far.

A named pipe would be waited for, a device read without end; either may lie in the place of a model, or behind a link.
"""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import IO, BinaryIO

from ..errors import UnreadableModelError

_FLAGS = getattr(os, "O_NONBLOCK", 0)  # so that opening a named pipe returns at once


def open_regular(path: Path) -> BinaryIO:
    """`path`, open for reading. Raises UnreadableModelError for what is no regular file, and OSError."""
    file = open(path, "rb", opener=_opened)  # noqa: SIM115  Path.open takes no opener; the caller closes it
    mode = os.fstat(file.fileno()).st_mode
    if not stat.S_ISREG(mode):
        file.close()
        raise UnreadableModelError(f"{path.name} is {_what(mode)}, not a file")
    return file


def _opened(name: str, flags: int) -> int:
    return os.open(name, flags | _FLAGS)


def read_bounded(path: Path, most: int) -> bytes:
    """The whole of a file of at most `most` bytes. Raises UnreadableModelError for a larger one, and OSError."""
    with open_regular(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise UnreadableModelError(f"{path.name} is larger than the {most} bytes that are ever read of such a file")
    return content


class Frugal(io.RawIOBase):
    """A file of which no single read takes more than `most` bytes: for libraries that believe what a file says."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file, self._most = file, most

    def read(self, size: int | None = -1, /) -> bytes:
        size = -1 if size is None else size
        content = self._file.read(self._most + 1 if size < 0 else min(size, self._most + 1))
        if len(content) > self._most:
            raise UnreadableModelError(f"it asks for {size} bytes at once, more than the {self._most} ever read")
        return content

    def seek(self, offset: int, whence: int = 0, /) -> int:
        try:
            return self._file.seek(offset, whence)
        except (OSError, OverflowError) as error:
            raise UnreadableModelError(f"it points at byte {offset}, which is no place in it") from error

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


def _what(mode: int) -> str:
    kinds = ((stat.S_ISFIFO, "a named pipe"), (stat.S_ISDIR, "a folder"), (stat.S_ISSOCK, "a socket"))
    return next((name for is_one, name in kinds if is_one(mode)), "a device")
