"""PyTorch's own files (.ckpt, .pt, .pth, .bin), which hold a pickle, opened without unpickling.

Two forms, told apart as torch does, by the first bytes: since 1.6 a zip archive of `data.pkl` and a record for each
storage, before that pickles one after another and then the storages. Tar archives of before 0.1.12 and TorchScript,
which is code, are refused. See torch/serialization.py.
"""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from ..errors import UnreadableModelError
from .opening import Frugal, open_regular
from .pickle_machine import LARGEST_PICKLE, PickleMachine
from .pickle_values import Storage, Value

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
LARGEST_DIRECTORY = 2**23  # bytes of a zip archive's table of contents
LOCAL_HEADER = 30  # bytes before the name of a record
Extent = tuple[int, int]  # begin and end in the file, in bytes


@dataclass(frozen=True)
class TorchFile:
    """What a file holds: `root`, whose tensors are views of storages, and where each storage lies."""

    root: Value
    extents: Mapping[str, Extent]


@contextmanager
def refusals() -> Generator[None]:
    """The reason why a file is not opened, with the way out."""
    try:
        yield
    except (UnreadableModelError, zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, RuntimeError) as error:
        reason = str(error) or type(error).__name__
        raise UnreadableModelError(
            f"not opened as a PyTorch file: {reason[:300]}; if you trust its author, convert it to safetensors, "
            "otherwise delete it or download it again"
        ) from error


def read_torch_file(path: Path) -> TorchFile:
    """Raises UnreadableModelError with the reason, and OSError."""
    with refusals(), open_regular(path) as file:
        start = file.read(4)
        file.seek(0)
        return _zipped(file) if start == b"PK\x03\x04" else _legacy(file)


def _zipped(file: BinaryIO) -> TorchFile:
    with zipfile.ZipFile(cast("BinaryIO", Frugal(file, LARGEST_DIRECTORY))) as archive:
        records = {info.filename: info for info in archive.infolist()}
        if len(records) < len(archive.infolist()):
            raise UnreadableModelError("two records of one name in its archive")
        pickled = [name for name in records if name.endswith("/data.pkl") and name.count("/") == 1]
        if len(pickled) != 1:
            raise UnreadableModelError(f"{len(pickled)} records data.pkl in its archive, not one")
        folder = pickled[0].removesuffix("data.pkl")
        if f"{folder}constants.pkl" in records:
            raise UnreadableModelError("a TorchScript archive, which is code")
        if f"{folder}byteorder" in records and _beginning(archive, f"{folder}byteorder", 6) != b"little":
            raise UnreadableModelError("numbers whose first byte is the highest")
        content = _beginning(archive, pickled[0], LARGEST_PICKLE + 1)
    if len(content) > LARGEST_PICKLE:
        raise UnreadableModelError(f"a pickle of more than {LARGEST_PICKLE} bytes")
    machine = PickleMachine(content)
    root = machine.load()
    stored = {name.removeprefix(f"{folder}data/"): info for name, info in records.items()}
    return TorchFile(root, {key: _extent(file, stored, storage) for key, storage in machine.storages.items()})


def _beginning(archive: zipfile.ZipFile, name: str, size: int) -> bytes:
    """At most `size` bytes of a record, however much it would unpack to."""
    with archive.open(name) as stream:
        return stream.read(size)


def _extent(file: BinaryIO, stored: Mapping[str, zipfile.ZipInfo], storage: Storage) -> Extent:
    """Where a record's content lies: after its own header, whose fields may be longer than the directory's."""
    info = stored.get(storage.key)
    if info is None or info.compress_type != zipfile.ZIP_STORED or info.file_size < storage.size:
        raise UnreadableModelError(f"storage {storage.key[:100]} is missing, compressed or too short")
    file.seek(info.header_offset)
    header = file.read(LOCAL_HEADER)
    if header[:4] != b"PK\x03\x04":
        raise UnreadableModelError(f"storage {storage.key[:100]} is not where its archive says")
    begin = info.header_offset + LOCAL_HEADER + sum(int.from_bytes(header[at : at + 2], "little") for at in (26, 28))
    return begin, begin + storage.size


def _legacy(file: BinaryIO) -> TorchFile:
    if _is_tar(file):
        raise UnreadableModelError("a tar archive, which PyTorch wrote before 2017")
    content = file.read(LARGEST_PICKLE)
    machine = PickleMachine(content)
    if machine.load() != MAGIC or machine.load() != PROTOCOL:
        raise UnreadableModelError("it is no file of PyTorch's")
    machine.load()  # what the machine was that wrote it
    root = machine.load()
    storages = machine.storages
    keys = machine.load()
    if not isinstance(keys, list) or set(map(_text, cast("list[Value]", keys))) != set(storages):
        raise UnreadableModelError("its list of storages does not fit its tensors")
    return TorchFile(
        root, _laid_out(file, machine.position, [storages[_text(key)] for key in cast("list[Value]", keys)])
    )


def _laid_out(file: BinaryIO, position: int, storages: list[Storage]) -> dict[str, Extent]:
    """Each storage after its number of elements (8 bytes)."""
    size, extents = file.seek(0, 2), dict[str, Extent]()
    for storage in storages:
        file.seek(position)
        if int.from_bytes(file.read(8), "little") != storage.elements:
            raise UnreadableModelError(f"storage {storage.key[:100]} has not as many elements as its tensors say")
        extents[storage.key] = (position + 8, position + 8 + storage.size)
        position += 8 + storage.size
    if position > size:
        raise UnreadableModelError(f"truncated: {size} of {position} bytes")
    return extents


def _is_tar(file: BinaryIO) -> bool:
    with suppress(tarfile.TarError, ValueError):
        tarfile.open(fileobj=file, mode="r:", format=tarfile.PAX_FORMAT).close()
        return True
    file.seek(0)
    return False


def _text(key: Value) -> str:
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key) if isinstance(key, (str, int)) else ""
