"""A fingerprint of the weights, from a few kilobytes of the file.

Hashed are the table of tensors (names, dtypes, shapes, in the order of names), the size of the tensor data, and evenly
spaced blocks of the tensors laid end to end in that order (up to 64 KiB: all of them). So a rename, move or copy keeps
it, and so do a tool that edits `__metadata__` (kohya's editor, Lora-Manager) and one that saves the same tensors in
another order; other weights or dtypes change it. ARCHITECTURE 2 asks for the raw header bytes; this improves on it.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import accumulate
from typing import BinaryIO

from .header import Header

Extent = tuple[int, int]  # begin and end, bytes into the file
DIGEST_BYTES = 16
BLOCK_BYTES = 4096
FEWEST_BLOCKS = 16
MOST_BLOCKS = 128
BYTES_PER_BLOCK = 2**27  # one block more per 128 MiB, so that another VAE in an SDXL checkpoint is noticed


def tensor_fingerprint(file: BinaryIO, header: Header) -> str:
    """Fingerprint of an open safetensors file."""
    tensors = sorted(header.tensors.items())
    table = [(name, tensor.dtype, tensor.shape) for name, tensor in tensors]
    extents = [(header.data_start + tensor.begin, header.data_start + tensor.end) for _, tensor in tensors]
    return _fingerprint(file, json.dumps(table).encode(), extents)


def file_fingerprint(file: BinaryIO) -> str:
    """Fingerprint of an open file of any other format: its size and evenly spaced blocks."""
    return _fingerprint(file, b"", [(0, file.seek(0, 2))])


def joint_fingerprint(parts: Iterable[tuple[str, str]]) -> str:
    """Fingerprint of a model in several files: (name within the model, fingerprint) of each."""
    return blake2b(json.dumps(sorted(parts)).encode(), digest_size=DIGEST_BYTES).hexdigest()


def _fingerprint(file: BinaryIO, table: bytes, extents: list[Extent]) -> str:
    total = sum(end - begin for begin, end in extents)
    digest = blake2b(table, digest_size=DIGEST_BYTES)
    digest.update(total.to_bytes(8, "little"))
    for begin, end in extents if total <= FEWEST_BLOCKS * BLOCK_BYTES else _blocks(extents, total):
        file.seek(begin)
        digest.update(file.read(end - begin))
    return digest.hexdigest()


def _blocks(extents: list[Extent], total: int) -> Iterator[Extent]:
    """Evenly spaced blocks in the extents laid end to end, none reaching beyond its extent."""
    count = min(FEWEST_BLOCKS + total // BYTES_PER_BLOCK, MOST_BLOCKS)
    starts = list(accumulate((end - begin for begin, end in extents), initial=0))
    for number in range(count):
        position = (total - BLOCK_BYTES) * number // (count - 1)
        index = bisect_right(starts, position) - 1
        begin = extents[index][0] + position - starts[index]
        yield begin, min(begin + BLOCK_BYTES, extents[index][1])
