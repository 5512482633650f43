"""Headers of safetensors files: names, dtypes, shapes and metadata, without a byte of tensor data.

Format: https://github.com/huggingface/safetensors. Eight bytes of length, a JSON object, then the tensors, which must
cover the rest of the file without gap or overlap. Whatever the safetensors library opens is read here too; what it
refuses is refused here with a reason in words.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from ..errors import UnreadableModelError

MAX_HEADER_BYTES = 100_000_000  # the library's own limit
MAX_DIMENSION = 2**64
BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("BOOL", "U8", "I8"), 8),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    "F4": 4,
}


class Tensor(NamedTuple):
    """What a header says of one tensor. `begin` and `end` count bytes from the start of the tensor data."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Header:
    """A whole header, checked: the tensors cover `data_size` bytes from `data_start` on."""

    tensors: dict[str, Tensor]
    metadata: dict[str, str]
    data_start: int
    data_size: int

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: tensor.shape for name, tensor in self.tensors.items()}


def read_header(path: Path) -> Header:
    """The header of the safetensors file at `path`. Raises UnreadableModelError with the reason."""
    try:
        with path.open("rb") as file:
            return parse_header(file)
    except (UnreadableModelError, OSError) as error:
        raise UnreadableModelError(f"{path}: {error}") from error


def parse_header(file: BinaryIO) -> Header:
    """The header of an open safetensors file. Raises UnreadableModelError with the reason, without the file's name."""
    size = file.seek(0, 2)
    file.seek(0)
    length = _header_length(file.read(8), size)
    table = _table(file.read(length))
    metadata = _metadata(table.pop("__metadata__", None))
    tensors = {name: _tensor(name, entry) for name, entry in table.items()}
    data_size = size - 8 - length
    _check_coverage(tensors, data_size)
    return Header(tensors=tensors, metadata=metadata, data_start=8 + length, data_size=data_size)


def _header_length(first: bytes, size: int) -> int:
    if size == 0:
        raise UnreadableModelError("the file is empty; download it again")
    if len(first) < 8:
        raise UnreadableModelError(f"the file has {size} bytes, too few for a safetensors header; download it again")
    length = int.from_bytes(first, "little")
    if length > MAX_HEADER_BYTES:
        raise UnreadableModelError(
            f"not a safetensors file: a header of {length} bytes is more than the {MAX_HEADER_BYTES} ever read"
        )
    if length > size - 8:
        raise UnreadableModelError(f"truncated: the header has {length} bytes, the file {size}; download it again")
    return length


def _table(raw: bytes) -> dict[str, Any]:
    try:
        table = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise UnreadableModelError(f"not a safetensors file: its header is not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise UnreadableModelError("the header is nested absurdly deep") from error
    except ValueError as error:
        raise UnreadableModelError(f"not a safetensors file: its header is not JSON ({str(error)[:200]})") from error
    if not isinstance(table, dict):
        raise UnreadableModelError(f"the header is a JSON {type(table).__name__} instead of an object")
    return cast("dict[str, Any]", table)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _metadata(entry: object) -> dict[str, str]:
    """Strings as they are, other values as JSON: kohya's forks write numbers, and nothing is lost by reading them."""
    if entry is None:
        return {}
    if not isinstance(entry, Mapping):
        raise UnreadableModelError(f"__metadata__ is a {type(entry).__name__} instead of an object")
    values = cast("Mapping[str, object]", entry)
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def _tensor(name: str, entry: Any) -> Tensor:
    try:
        dtype, shape, (begin, end) = _fields(entry)
        bits = BITS[dtype] * _count(shape, begin, end)
    except KeyError as error:
        raise UnreadableModelError(f"tensor {name[:200]!r}: no such field or dtype as {error}") from error
    except (TypeError, ValueError) as error:
        raise UnreadableModelError(f"tensor {name[:200]!r}: {str(error)[:200]}") from error
    if bits != 8 * (end - begin):
        raise UnreadableModelError(
            f"tensor {name[:200]!r}: {dtype} of shape {shape!r:.200} does not fill bytes {begin} to {end}"
        )
    return Tensor(dtype, tuple(shape), begin, end)


def _fields(entry: Any) -> tuple[str, list[int], tuple[int, int]]:
    if isinstance(entry, list):  # the library reads a tensor as a list of its fields, too
        dtype, shape, offsets = cast("list[Any]", entry)
    else:
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(shape, list):
        raise TypeError("the shape is not a list")
    return dtype, cast("list[int]", shape), offsets


def _count(shape: list[int], begin: int, end: int) -> int:
    """The number of elements, once everything is known to be a whole number of sane size (a bool is not)."""
    if {*map(type, shape), type(begin), type(end)} != {int}:
        raise ValueError("shape and offsets must be whole numbers")
    if min(shape, default=0) < 0 or begin < 0 or end < begin:
        raise ValueError(f"negative size: shape {shape!r:.200}, bytes {begin} to {end}")
    if max(shape, default=0) > MAX_DIMENSION or max(begin, end) > MAX_DIMENSION:
        raise ValueError("a size beyond 64 bits")
    return math.prod(shape)


def _check_coverage(tensors: Mapping[str, Tensor], data_size: int) -> None:
    position = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: item[1][2:]):
        if tensor.begin != position:
            how = "overlaps the one before it" if tensor.begin < position else "leaves a gap before it"
            raise UnreadableModelError(f"tensor {name[:200]!r} {how}: it starts at byte {tensor.begin}, not {position}")
        position = tensor.end
    if position > data_size:
        raise UnreadableModelError(f"truncated: {data_size} of {position} bytes of tensors; download it again")
    if position < data_size:
        raise UnreadableModelError(f"{data_size - position} bytes after the last tensor that belong to none")
