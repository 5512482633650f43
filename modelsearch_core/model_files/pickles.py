"""State dicts in PyTorch's own files: names and shapes without torch, tensors without unpickling."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..errors import UnreadableModelError
from .packed import Shapes
from .pickle_values import Inert, Name, PickledTensor, Storage, Table, Value
from .torch_files import TorchFile, read_torch_file, refusals

if TYPE_CHECKING:
    import mmap

    import torch

DEEPEST = 3  # {"state_dict": {...}}, {"model": {"ema": {...}}}
ALIGNED = 16  # bytes, for the widest element
DEEPEST_TREE = 12  # of what is read as a whole: an optimiser's state, for one
UNNAMED = ("state_dict", "model", "params_ema")  # no part of a tensor's name


def pickle_shapes(path: Path) -> Shapes:
    """Names and shapes of the tensors in a PyTorch file. Raises UnreadableModelError with the reason, and OSError."""
    return dict(_tensors(read_torch_file(path).root, "", 0, set()))


def _tensors(value: Value, prefix: str, depth: int, seen: set[int]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The tensors of a state dict, wherever it is. A dict that is in several places counts in the first."""
    if isinstance(value, (list, tuple)) and depth <= DEEPEST and id(value) not in seen:
        seen.add(id(value))
        for number, entry in enumerate(cast("list[Value]", value)):
            yield from _tensors(entry, f"{prefix}{number}.", depth + 1, seen)
    if not isinstance(value, Table) or depth > DEEPEST or id(value) in seen:
        return
    seen.add(id(value))
    for key, entry in _named(value):
        name = str(key)
        if isinstance(entry, PickledTensor):
            yield prefix + name, entry.shape
        else:
            yield from _tensors(entry, "" if name in UNNAMED else f"{name}.", depth + 1, seen)


def _named(table: Table) -> Iterator[tuple[str | int, Value]]:
    """What stands under texts and numbers; trainers use classes and tuples too, and nothing of a model is there."""
    return ((key, entry) for key, entry in table.pairs if isinstance(key, (str, int)))


def load_pickle(path: Path) -> object:
    """What `torch.load(weights_only=True)` gives, on the CPU and mapped from the file: dicts, lists, tuples, numbers,
    texts and tensors; None for anything else. Raises UnreadableModelError with the reason, and OSError."""
    import mmap

    file = read_torch_file(path)
    with refusals(), path.open("rb") as stream:
        content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY)
        return _Loading(file, content).value(file.root, 0)


class _Loading:
    """Every dict, list and storage once, so that what shares one goes on sharing it."""

    def __init__(self, file: TorchFile, content: mmap.mmap) -> None:
        self._file, self._content = file, content
        self._made: dict[int, object] = {}
        self._storages: dict[str, torch.Tensor] = {}

    def value(self, value: Value, depth: int) -> object:
        if isinstance(value, PickledTensor):
            return self._tensor(value)
        if isinstance(value, (Inert, Name, Storage)):
            return None
        if not isinstance(value, (Table, list, tuple)):
            return value
        if depth > DEEPEST_TREE:
            raise UnreadableModelError(f"dicts and lists within one another, more than {DEEPEST_TREE} deep")
        if id(value) not in self._made:
            self._made[id(value)] = self._group(cast("Table | list[Value] | tuple[Value, ...]", value), depth + 1)
        return self._made[id(value)]

    def _group(self, value: Table | list[Value] | tuple[Value, ...], depth: int) -> object:
        if isinstance(value, Table):
            return {key: self.value(entry, depth) for key, entry in _named(value)}
        entries = [self.value(entry, depth) for entry in value]
        return entries if isinstance(value, list) else tuple(entries)

    def _tensor(self, tensor: PickledTensor) -> torch.Tensor:
        import torch

        key = tensor.storage.key
        if key not in self._storages:
            self._storages[key] = self._bytes(*self._file.extents[key])
        elements = self._storages[key].view(getattr(torch, tensor.dtype))
        return elements.as_strided(tensor.shape, tensor.strides, tensor.offset)

    def _bytes(self, begin: int, end: int) -> torch.Tensor:
        import torch

        if begin == end:
            return torch.empty(0, dtype=torch.uint8)
        whole = torch.frombuffer(self._content, dtype=torch.uint8, count=end - begin, offset=begin)
        return whole if begin % ALIGNED == 0 else whole.clone()
