"""GGUF files: quantised diffusion models, known by `general.architecture` at the start of their header.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md; names as ComfyUI-GGUF's converter writes them.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from ..errors import UnreadableModelError
from ..families import FAMILIES, known

MAGIC = b"GGUF"
KEY = "general.architecture"
MOST_FIELDS = 64  # looked at; the architecture comes first in practice
LONGEST_STRING = 2**20
STRING = 8
WIDTHS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # bytes by type; 8 string, 9 array
ARCHITECTURES = {word: family.name for family in reversed(FAMILIES.values()) for word in known(family.gguf)}


def gguf_architecture(file: BinaryIO) -> str:
    """The diffusion model in an open GGUF file. Raises UnreadableModelError when it is none."""
    name = _general_architecture(file)
    if name not in ARCHITECTURES:
        raise UnreadableModelError(f"a GGUF file of {name[:100]!r}, which is no diffusion model that is known here")
    return ARCHITECTURES[name]


def _general_architecture(file: BinaryIO) -> str:
    try:
        if file.read(4) != MAGIC:
            raise UnreadableModelError("not a GGUF file: it does not begin with GGUF; download it again")
        _, _, count = struct.unpack("<IQQ", file.read(20))
        for _ in range(min(count, MOST_FIELDS)):
            key, value = _string(file), _value(file)
            if key == KEY:
                return value
    except (struct.error, UnicodeDecodeError, KeyError) as error:
        raise UnreadableModelError(f"a broken GGUF header ({error!r:.100}); download it again") from error
    raise UnreadableModelError(f"a GGUF file without {KEY}")


def _string(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", file.read(8))
    if length > LONGEST_STRING:
        raise UnreadableModelError(f"a broken GGUF header: a string of {length} bytes; download it again")
    return file.read(length).decode()


def _value(file: BinaryIO) -> str:
    """A string; anything else is passed over."""
    (kind,) = struct.unpack("<I", file.read(4))
    if kind == STRING:
        return _string(file)
    file.read(WIDTHS[kind])
    return ""
