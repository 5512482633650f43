"""Tensors of a model file, whatever it is packed in; nothing is unpickled."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from ..errors import ModelSearchError
from ..model_files.pickles import load_pickle, pickle_shapes
from ..model_files.shards import INDEX_SUFFIX, files_of

State = dict[str, torch.Tensor]


def load_state(path: Path) -> State:
    """All tensors, on the CPU."""
    if is_safetensors(path):
        return {name: tensor for file in files_of(path) for name, tensor in load_file(file).items()}
    state = load_pickle(path)
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict):
        raise ModelSearchError(f"{path} holds a {type(state).__name__} in the place of a state dict")
    return {str(name): tensor for name, tensor in state.items() if torch.is_tensor(tensor)}


@contextmanager
def as_safetensors(path: Path) -> Generator[Path]:
    """The file itself, or a temporary one with the tensors of a pickle: for libraries that would unpickle it."""
    if is_safetensors(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="modelsearch-") as folder:
        target = Path(folder, f"{path.stem}.safetensors")
        own = {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in load_state(path).items()}
        save_file(own, target)  # which takes no views and no shared storage
        yield target


def metadata_of(path: Path) -> dict[str, str]:
    if not is_safetensors(path):
        return {}
    with safe_open(files_of(path)[0], "pt") as file:
        return file.metadata() or {}


def shapes_of(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes; for safetensors from the header alone."""
    if not is_safetensors(path):
        return dict(pickle_shapes(path))
    found: dict[str, tuple[int, ...]] = {}
    for part in files_of(path):
        with safe_open(part, "pt") as file:
            found |= {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    return found


def some_tensors(path: Path, names: Sequence[str]) -> State:
    """The named tensors that are there."""
    if not is_safetensors(path):
        state = load_state(path)
        return {name: state[name] for name in names if name in state}
    found: State = {}
    for part in files_of(path):
        with safe_open(part, "pt") as file:
            there = set(file.keys())
            found |= {name: file.get_tensor(name) for name in names if name in there}
    return found


def is_safetensors(path: Path) -> bool:
    return path.name.lower().endswith((".safetensors", ".sft", INDEX_SUFFIX))
