"""All of a model's weights in one hash: the proof where a fingerprint, taken from a few kilobytes, is only a claim.

Each tensor has a digest of its own, and these are joined in the order of names. So editing `__metadata__` and saving
the same tensors in another order keep the hash, as they keep the fingerprint, and the file is read once, end to end.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

from .candidates import INDEX_NAME, MODEL_EXTENSIONS
from .fingerprint import DIGEST_BYTES
from .header import parse_header
from .model_file import ModelFile
from .pipelines import weights_of
from .shards import files_of

BLOCK_BYTES = 2**24


def weights_hash(path: Path, check: Callable[[], None] = lambda: None) -> str:
    """Of the model at `path`, a file or a folder; reads all of it. `check` is called now and then and may raise to
    stop. Raises UnreadableModelError and OSError."""
    parts = {_name_in(path, file): _file_hash(file, check) for file in weight_files(path)}
    return _joined(parts) if path.is_dir() or len(parts) > 1 else next(iter(parts.values()))


def weights_state(path: Path) -> str:
    """Changes when one of the model's files is written or replaced, not when it is renamed. Raises OSError."""
    states = [file.stat() for file in weight_files(path)]
    facts = [(state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns) for state in states]
    return blake2b(repr(facts).encode(), digest_size=DIGEST_BYTES).hexdigest()


def is_as_read(model: ModelFile) -> bool:
    """Whether the files of a model were not written since it was read, as far as their times and sizes tell; of a
    folder, its index. Raises OSError."""
    if model.path.is_dir():
        return not (model.path / INDEX_NAME).exists() or (model.path / INDEX_NAME).stat().st_mtime_ns == model.modified
    states = [file.stat() for file in weight_files(model.path)]
    return (max(state.st_mtime_ns for state in states), sum(state.st_size for state in states)) == (
        model.modified,
        model.size,
    )


def weight_files(path: Path) -> list[Path]:
    """The files that hold the weights: of a pipeline those that would be loaded, of a shard all of them."""
    if (path / INDEX_NAME).is_file():
        return weights_of(path)
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.name.lower().endswith(MODEL_EXTENSIONS))
    return list(files_of(path))


def _name_in(path: Path, file: Path) -> str:
    return file.relative_to(path if path.is_dir() else path.parent).as_posix()


def _file_hash(path: Path, check: Callable[[], None]) -> str:
    with path.open("rb") as file:
        if path.suffix.lower() not in (".safetensors", ".sft"):
            return _digest(file, 0, file.seek(0, 2), check)
        header = parse_header(file)
        places = sorted((tensor.begin, tensor.end, name) for name, tensor in header.tensors.items())
        digests: dict[str, Any] = {
            name: (*header.tensors[name][:2], _digest(file, header.data_start + begin, header.data_start + end, check))
            for begin, end, name in places
        }
    return _joined(digests)


def _digest(file: BinaryIO, begin: int, end: int, check: Callable[[], None]) -> str:
    digest = blake2b(digest_size=DIGEST_BYTES)
    file.seek(begin)
    while begin < end:
        block = file.read(min(BLOCK_BYTES, end - begin))
        if not block:
            raise OSError(f"the file ends at byte {begin}, before its last tensor; it was changed meanwhile")
        digest.update(block)
        begin += len(block)
        check()
    return digest.hexdigest()


def _joined(parts: dict[str, Any]) -> str:
    text = json.dumps(sorted(parts.items())).encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=DIGEST_BYTES).hexdigest()
