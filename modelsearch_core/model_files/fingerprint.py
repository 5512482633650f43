"""A fingerprint of the weights, from a few kilobytes of the file.

Hashed are the table of tensors (names, dtypes, shapes, in the order of names), the size of the tensor data, and evenly
spaced blocks of the tensors laid end to end in that order (up to 64 KiB: all of them). So a rename, move or copy keeps
it, and so do a tool that edits `__metadata__` (kohya's editor, Lora-Manager) and one that saves the same tensors in
another order; other weights or dtypes change it. ARCHITECTURE 2 asks for the raw header bytes; this improves on it.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
from operator import sub
from typing import BinaryIO

from .header import TABLES_KEPT, Header, Layout

Extent = tuple[int, int]  # begin and end, in bytes
DIGEST_BYTES = 16
BLOCK_BYTES = 4096
FEWEST_BLOCKS = 16
MOST_BLOCKS = 128
BYTES_PER_BLOCK = 2**27  # one block more per 128 MiB, so that another VAE in an SDXL checkpoint is noticed


def tensor_fingerprint(file: BinaryIO, header: Header) -> str:
    """Fingerprint of an open safetensors file."""
    table, blocks = plan_of(header.layout)
    return _digest(file, table, blocks, header.data_start)


def file_fingerprint(file: BinaryIO) -> str:
    """Fingerprint of an open file of any other format: its size and evenly spaced blocks."""
    size = file.seek(0, 2)
    return _digest(file, str(size).encode(), _blocks([0], [size]), 0)


def joint_fingerprint(parts: Iterable[tuple[str, str]]) -> str:
    """Fingerprint of a model in several files: (name within the model, fingerprint) of each."""
    return blake2b(json.dumps(sorted(parts)).encode(), digest_size=DIGEST_BYTES).hexdigest()


@lru_cache(maxsize=TABLES_KEPT)
def plan_of(layout: Layout) -> tuple[bytes, list[Extent]]:
    """The table of tensors in a form that their order in the file does not change, and the blocks to look at."""
    names, shapes = list(layout.shapes), list(layout.shapes.values())
    dtypes, begins, ends = layout.dtypes, layout.begins, layout.ends
    if names != sorted(names):
        order = sorted(range(len(names)), key=names.__getitem__)
        names, shapes, dtypes, begins, ends = (
            [column[number] for number in order] for column in (names, shapes, dtypes, begins, ends)
        )
    told = ", ".join(map(_Written().__getitem__, zip(dtypes, shapes, strict=True)))
    listed = "\n".join(names)
    table = f"{layout.data_size}\n{listed}\n[{told}]"
    return table.encode("utf-8", "surrogatepass"), _blocks(begins, ends)


class _Written(dict[tuple[str, tuple[int, ...]], str]):
    """Dtype and shape in letters: a file has thousands of tensors, and a few dozen of these."""

    def __missing__(self, pair: tuple[str, tuple[int, ...]]) -> str:
        self[pair] = repr(pair)
        return self[pair]


def _digest(file: BinaryIO, table: bytes, blocks: Iterable[Extent], start: int) -> str:
    digest = blake2b(table, digest_size=DIGEST_BYTES)
    for begin, end in blocks:
        file.seek(start + begin)
        digest.update(file.read(end - begin))
    return digest.hexdigest()


def _blocks(begins: Sequence[int], ends: Sequence[int]) -> list[Extent]:
    """Evenly spaced blocks in the extents laid end to end, none beyond its extent; all there is of a small file."""
    starts = list(accumulate(map(sub, ends, begins), initial=0))
    total = starts.pop()
    if total <= FEWEST_BLOCKS * BLOCK_BYTES:
        return [(begin, end) for begin, end in zip(begins, ends, strict=True) if end > begin]
    count = min(FEWEST_BLOCKS + total // BYTES_PER_BLOCK, MOST_BLOCKS)
    places = [(total - BLOCK_BYTES) * number // (count - 1) for number in range(count)]
    return [_block(begins, ends, starts, place) for place in places]


def _block(begins: Sequence[int], ends: Sequence[int], starts: Sequence[int], place: int) -> Extent:
    index = bisect_right(starts, place) - 1  # the last of those that start there: those before it are empty
    begin = begins[index] + place - starts[index]
    return begin, min(begin + BLOCK_BYTES, ends[index])
