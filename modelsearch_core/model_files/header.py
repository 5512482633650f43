"""Headers of safetensors files: names, dtypes, shapes and metadata, without a byte of tensor data.

Format: https://github.com/huggingface/safetensors. Eight bytes of length, a JSON object, then the tensors, which must
cover the rest of the file without gap or overlap. Whatever the safetensors library opens is read here too; what it
refuses is refused here with a reason in words. LoRA of one trainer, base and rank have the same table of tensors to the
byte, so the last tables are kept: reading the next such file costs its metadata only.
"""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate, chain
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from ..errors import UnreadableModelError
from ..many_objects import without_collection
from .opening import open_regular

MAX_HEADER_BYTES = 100_000_000  # the library's own limit
TABLES_KEPT = 64
METADATA = "__metadata__"
_METADATA_FIRST = re.compile(r'\s*\{\s*"__metadata__"\s*:\s*')
_NEXT_NAME = re.compile(r'\s*,\s*"')
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


@dataclass(frozen=True, eq=False)
class Layout:
    """The table of tensors, checked, column by column: they cover `data_size` bytes. Shared by all files that have the
    same."""

    shapes: dict[str, tuple[int, ...]]
    dtypes: Sequence[str]
    begins: Sequence[int]
    ends: Sequence[int]
    data_size: int

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        columns = zip(self.dtypes, self.shapes.values(), self.begins, self.ends, strict=True)
        return dict(zip(self.shapes, map(Tensor._make, columns), strict=True))


@dataclass(frozen=True)
class Header:
    """A whole header; the tensors' data begin at byte `data_start` of the file."""

    layout: Layout
    metadata: dict[str, str]
    data_start: int

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        return self.layout.tensors

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return self.layout.shapes


def read_header(path: Path) -> Header:
    """The header of the safetensors file at `path`. Raises UnreadableModelError with the reason."""
    try:
        with open_regular(path) as file:
            return parse_header(file)
    except (UnreadableModelError, OSError) as error:
        raise UnreadableModelError(f"{path}: {error}") from error


def parse_header(file: BinaryIO) -> Header:
    """The header of an open safetensors file. Raises UnreadableModelError with the reason, without the file's name."""
    size = file.seek(0, 2)
    file.seek(0)
    length = _header_length(file.read(8), size)
    metadata, table = _split(_text(file.read(length)))
    layout = layout_of(table)
    _check_size(layout.data_size, size - 8 - length)
    return Header(layout, _metadata(metadata), 8 + length)


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


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableModelError(f"not a safetensors file: its header is not UTF-8 at byte {error.start}") from error


def _split(text: str) -> tuple[object, str]:
    """Metadata, and the text of the table without them, which other files share."""
    start = _METADATA_FIRST.match(text)
    if start:
        try:
            metadata, end = json.JSONDecoder().raw_decode(text, start.end())
        except (ValueError, RecursionError):
            return _split_slowly(text)
        if _NEXT_NAME.match(text, end):
            return metadata, "{" + text[end:].lstrip()[1:].rstrip()  # savers pad with as many spaces as metadata leave
    return _split_slowly(text)


def _split_slowly(text: str) -> tuple[object, str]:
    """Metadata elsewhere than at the start, or the errors of a header that is none."""
    table = _table(text)
    if METADATA not in table:
        return None, text.rstrip()
    return table.pop(METADATA), json.dumps(table)


@lru_cache(maxsize=TABLES_KEPT)
def layout_of(text: str) -> Layout:
    """The table of tensors in a header's JSON without metadata. Raises UnreadableModelError."""
    with without_collection():
        return _layout(_table(text))


def _layout(table: Mapping[str, Any]) -> Layout:
    layout = _all_at_once(table)
    return layout if layout is not None else _one_by_one(table)


def _all_at_once(table: Mapping[str, Any]) -> Layout | None:
    """A table in which everything is as it should be, a column at a time, since there are thousands of tensors; None
    for any other, which is then looked at one by one to name the tensor that is wrong."""
    entries = table.values()
    try:
        dtypes, shapes, offsets = ([entry[field] for entry in entries] for field in ("dtype", "shape", "data_offsets"))
        if {2} != set(map(len, offsets)) or not {list}.issuperset(map(type, chain(shapes, offsets))):
            return None
        places = list(chain.from_iterable(offsets))
        if not {int}.issuperset(map(type, chain(places, *shapes))):
            return None
        tuples = list(map(tuple, shapes))
        numbers = {shape: math.prod(shape) for shape in set(tuples) if _are_sizes(shape)}  # a few dozen of them
        sizes = map(operator.mul, map(BITS.__getitem__, dtypes), map(numbers.__getitem__, tuples))
        covered = list(accumulate(sizes))  # bits
    except (KeyError, TypeError, ValueError):
        return None
    begins, ends = places[::2], places[1::2]
    if [0, *ends[:-1]] != begins or list(map((8).__mul__, ends)) != covered or ends[-1] >= 2**64:
        return None
    return Layout(dict(zip(table, tuples, strict=True)), dtypes, begins, ends, ends[-1])


def _one_by_one(table: Mapping[str, Any]) -> Layout:
    """The same for tensors in any order. Raises UnreadableModelError for the first that is wrong."""
    tensors = {name: _tensor(name, entry) for name, entry in table.items()}
    _check_sizes(tensors)
    _check_widths(tensors)
    return Layout(
        {name: tensor.shape for name, tensor in tensors.items()},
        [tensor.dtype for tensor in tensors.values()],
        [tensor.begin for tensor in tensors.values()],
        [tensor.end for tensor in tensors.values()],
        _covered(tensors),
    )


def _table(text: str) -> dict[str, Any]:
    try:
        table = json.loads(text, parse_constant=_refuse_constant)
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
        if type(entry) is list:  # the library reads a tensor as a list of its fields, too
            dtype, shape, (begin, end) = cast("list[Any]", entry)
        else:
            dtype, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
    except KeyError as error:
        raise UnreadableModelError(f"tensor {name[:200]!r} has no {error}") from error
    except (TypeError, ValueError) as error:
        raise UnreadableModelError(f"tensor {name[:200]!r}: {str(error)[:200]}") from error
    if type(shape) is not list:
        raise UnreadableModelError(f"tensor {name[:200]!r}: its shape is not a list")
    return Tensor(dtype, tuple(cast("list[int]", shape)), begin, end)


def _check_sizes(tensors: Mapping[str, Tensor]) -> None:
    """All numbers at once, since there are thousands; one by one only to name the tensor that is wrong."""
    if _are_sizes([size for tensor in tensors.values() for size in (*tensor.shape, tensor.begin, tensor.end)]):
        return
    for name, (_, shape, begin, end) in tensors.items():
        if not _are_sizes([*shape, begin, end]):
            raise UnreadableModelError(
                f"tensor {name[:200]!r}: a size that is no whole number of 64 bits in shape {list(shape)!r:.200}, "
                f"bytes {begin!r:.50} to {end!r:.50}"
            )


def _are_sizes(values: Sequence[int]) -> bool:
    """Whole numbers (a bool is none), none so large that a product of them takes long."""
    return {int}.issuperset(map(type, values)) and min(values, default=0) >= 0 and max(values, default=0) < 2**64


def _check_widths(tensors: Mapping[str, Tensor]) -> None:
    for name, (dtype, shape, begin, end) in tensors.items():
        if type(dtype) is not str or dtype not in BITS:
            raise UnreadableModelError(f"tensor {name[:200]!r}: {dtype!r:.50} is no dtype of safetensors")
        if BITS[dtype] * math.prod(shape) != 8 * (end - begin):
            raise UnreadableModelError(
                f"tensor {name[:200]!r}: {dtype} of shape {list(shape)!r:.200} does not fill bytes {begin} to {end}"
            )


def _covered(tensors: Mapping[str, Tensor]) -> int:
    """The number of bytes that the tensors cover, one after the other."""
    position = 0
    for begin, end, name in sorted((tensor.begin, tensor.end, name) for name, tensor in tensors.items()):
        if begin != position:
            how = "overlaps the one before it" if begin < position else "leaves a gap before it"
            raise UnreadableModelError(f"tensor {name[:200]!r} {how}: it starts at byte {begin}, not {position}")
        position = end
    return position


def _check_size(covered: int, size: int) -> None:
    if covered > size:
        raise UnreadableModelError(f"truncated: {size} of {covered} bytes of tensors; download it again")
    if covered < size:
        raise UnreadableModelError(f"{size - covered} bytes after the last tensor that belong to none")
