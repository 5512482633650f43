"""GGUF files: quantised models, known by their table of tensors; by `general.architecture` where that tells nothing.

The word alone is not to be trusted: stable-diffusion.cpp writes none, other converters write `pig`, `flux` for FLUX.2
and Chroma, `lumina2` for Z-Image. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, NamedTuple

from ..errors import UnreadableModelError
from ..families import FAMILIES, UNKNOWN, known
from .architecture import Recognised, recognise
from .model_file import Kind
from .packed import Shapes

MAGIC = b"GGUF"
KEY = "general.architecture"
MOST_FIELDS, MOST_TENSORS, MOST_DIMENSIONS = 4096, 65536, 8
LARGEST_HEADER = 2**26  # bytes; tokenizers of language models are in it
LONGEST_STRING = 2**20
STRING, ARRAY = 8, 9
WIDTHS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # bytes by type
WORDS = {word: family.name for family in reversed(FAMILIES.values()) for word in known(family.gguf)}


class Header(NamedTuple):
    """What a file says of itself, an empty word where it says nothing, and its tensors."""

    word: str
    shapes: Shapes


def recognise_gguf(file: BinaryIO) -> Recognised:
    """The model in an open GGUF file. Raises UnreadableModelError when it is none that generates."""
    header = read_gguf(file)
    word = WORDS.get(header.word)
    try:
        found = recognise(header.shapes)
    except UnreadableModelError as error:
        if word:
            return Recognised(kind=Kind.DIFFUSION_MODEL, architecture=word)
        said = f" of {header.word[:100]!r}" if header.word else " without general.architecture"
        raise UnreadableModelError(f"a GGUF file{said}: {error}") from error
    if found.architecture == UNKNOWN and word:
        return Recognised(kind=found.kind, architecture=word)
    return found


def read_gguf(file: BinaryIO) -> Header:
    """Raises UnreadableModelError for what is no GGUF file, or a broken one."""
    try:
        if file.read(4) != MAGIC:
            raise UnreadableModelError("not a GGUF file: it does not begin with GGUF; download it again")
        _, tensors, fields = struct.unpack("<IQQ", file.read(20))
        if fields > MOST_FIELDS or tensors > MOST_TENSORS:
            raise UnreadableModelError(f"a broken GGUF header: {fields} fields, {tensors} tensors; download it again")
        said = dict(_field(file) for _ in range(fields))
        return Header(said.get(KEY, ""), dict(_tensor(file) for _ in range(tensors)))
    except (struct.error, UnicodeDecodeError, KeyError) as error:
        raise UnreadableModelError(f"a broken GGUF header ({error!r:.100}); download it again") from error


def _field(file: BinaryIO) -> tuple[str, str]:
    """Key and value; values that are no strings are passed over."""
    key = _string(file)
    (kind,) = struct.unpack("<I", file.read(4))
    return key, _value(file, kind)


def _value(file: BinaryIO, kind: int) -> str:
    if kind == STRING:
        return _string(file)
    if kind != ARRAY:
        _skip(file, WIDTHS[kind])
        return ""
    inner, count = struct.unpack("<IQ", file.read(12))
    if inner in WIDTHS:
        _skip(file, WIDTHS[inner] * count)
        return ""
    for _ in range(count):
        _value(file, inner)
    return ""


def _tensor(file: BinaryIO) -> tuple[str, tuple[int, ...]]:
    """Name and shape, the innermost dimension last as elsewhere."""
    name = _string(file)
    (dimensions,) = struct.unpack("<I", file.read(4))
    if dimensions > MOST_DIMENSIONS:
        raise UnreadableModelError(f"a broken GGUF header: a tensor of {dimensions} dimensions; download it again")
    shape = struct.unpack(f"<{dimensions}Q", file.read(8 * dimensions))
    struct.unpack("<IQ", file.read(12))  # type and offset
    return name, tuple(reversed(shape))


def _string(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", file.read(8))
    if length > LONGEST_STRING:
        raise UnreadableModelError(f"a broken GGUF header: a string of {length} bytes; download it again")
    raw = file.read(length)
    if len(raw) < length or file.tell() > LARGEST_HEADER:
        raise UnreadableModelError("a broken GGUF header: it does not end; download it again")
    return raw.decode()


def _skip(file: BinaryIO, size: int) -> None:
    if file.tell() + size > LARGEST_HEADER:
        raise UnreadableModelError(f"a broken GGUF header: {size} bytes in one value; download it again")
    file.seek(size, 1)
