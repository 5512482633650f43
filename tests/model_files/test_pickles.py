from __future__ import annotations

import argparse
import io
import os
import re
import subprocess
import sys
import zipfile
from abc import ABC
from pathlib import Path
from typing import Any

import pytest
import torch

from modelsearch_core.errors import UnreadableModelError
from modelsearch_core.model_files import Kind, read_model_file
from modelsearch_core.model_files.pickle_machine import PickleMachine
from modelsearch_core.model_files.pickles import load_pickle, pickle_shapes
from tests.making.model_files import kohya_lora, sd_checkpoint, write_safetensors


def tensors(shapes: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    return {name: torch.zeros(shape) for name, shape in shapes.items()}


class Bomb:
    """Unpickled, it makes a folder."""

    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.marker,)


@pytest.mark.parametrize("wrap", [lambda state: state, lambda state: {"state_dict": state, "global_step": 3}])
def test_a_checkpoint_in_a_pickle_is_read(tmp_path: Path, wrap: object) -> None:
    torch.save(wrap(tensors(sd_checkpoint())), tmp_path / "a.ckpt")  # type: ignore[operator]
    model = read_model_file(tmp_path / "a.ckpt")
    assert (model.kind, model.architecture, model.title) == (Kind.CHECKPOINT, "sd15", "a")


@pytest.mark.parametrize("name", ["a.pt", "a.pth", "a.bin"])
def test_a_lora_of_before_torch_1_6_is_read(tmp_path: Path, name: str) -> None:
    torch.save(tensors(kohya_lora()), tmp_path / name, _use_new_zipfile_serialization=False)
    assert read_model_file(tmp_path / name).kind is Kind.LORA


def test_a_copy_has_the_same_fingerprint_and_other_weights_have_another(tmp_path: Path) -> None:
    torch.save(tensors(kohya_lora()), tmp_path / "a.pt")
    (tmp_path / "b.ckpt").write_bytes((tmp_path / "a.pt").read_bytes())
    torch.save({name: tensor + 1 for name, tensor in tensors(kohya_lora()).items()}, tmp_path / "c.pt")
    a, b, c = (read_model_file(tmp_path / name).fingerprint for name in ("a.pt", "b.ckpt", "c.pt"))
    assert a == b != c


def state_of_everything() -> dict[str, object]:
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    kinds = (torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int8, torch.uint8, torch.bool)
    layer = torch.nn.Linear(3, 2)
    optimiser = torch.optim.AdamW(layer.parameters())
    layer(torch.ones(3)).sum().backward()
    optimiser.step()
    return {
        **{str(kind): torch.ones(3, dtype=kind) for kind in kinds},
        "views": {"whole": base, "turned": base.t(), "part": base[1:3, ::2], "one": base[2, 3], "empty": base[:0]},
        "layer": layer.state_dict(),
        "optimiser": optimiser.state_dict(),
        "numbers": [1, -70000, 2**70, 0.5, None, True, "text", (1, 2)],
        "parameter": torch.nn.Parameter(torch.ones(2)),
    }


def same(a: object, b: object) -> bool:
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))  # type: ignore[arg-type]
    return a == b


@pytest.mark.parametrize("zipped", [True, False])
def test_what_is_loaded_is_what_torch_loads(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "a.pt"
    torch.save(state_of_everything(), path, _use_new_zipfile_serialization=zipped)
    loaded = load_pickle(path)
    assert same(torch.load(path, weights_only=True), loaded)
    views = loaded["views"]  # type: ignore[index]
    views["whole"][0, 0] = 7
    assert views["turned"][0, 0] == 7  # one storage
    assert same(torch.load(path, weights_only=True), load_pickle(path))  # the file is as it was
    assert pickle_shapes(path)["views.part"] == (2, 3)


def test_a_trainers_checkpoint_that_names_its_own_class_is_read(tmp_path: Path) -> None:
    """Lightning's, as the first checkpoints of Stable Diffusion are; the hosts let these names pass, too."""
    good = io.BytesIO()
    torch.save({"x": 1, "state_dict": tensors(kohya_lora())}, good)
    named = b"cpytorch_lightning.callbacks.model_checkpoint\nModelCheckpoint\n"
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(tmp_path / "a.ckpt", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"K\x01", b"}" + named + b"K\x01s", "data.pkl" in name))
    assert read_model_file(tmp_path / "a.ckpt").kind is Kind.LORA


class Options(argparse.Namespace):
    """A trainer's own class."""


class Records(dict[str, int], ABC):
    """Another, with entries."""


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("left", [Options(steps=3), Records(a=1), {Options}, [Path("x"), 2j, bytearray(3)]])
def test_what_a_trainer_leaves_beside_the_weights_stands_for_nothing(tmp_path: Path, left: Any, protocol: int):
    weights = tensors(kohya_lora())
    torch.save({"options": left, "state_dict": weights}, tmp_path / "a.ckpt", pickle_protocol=protocol)
    assert pickle_shapes(tmp_path / "a.ckpt") == {name: tuple(each.shape) for name, each in weights.items()}
    loaded: Any = load_pickle(tmp_path / "a.ckpt")
    assert torch.equal(next(iter(loaded["state_dict"].values())), next(iter(weights.values())))


@pytest.mark.parametrize("name", ["os.system", "builtins.eval", "runpy.run_path", "torch.hub.load", "subprocess.Popen"])
def test_what_only_malware_names_is_refused(name: str):
    module, _, function = name.rpartition(".")
    for pickled in (f"c{module}\n{function}\n.".encode(), _stack_global(module, function)):
        machine = PickleMachine(pickled)
        with pytest.raises(UnreadableModelError, match=f"names {re.escape(name)}"):
            machine.load()


def _stack_global(module: str, name: str) -> bytes:
    texts = b"".join(b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name))
    return b"\x80\x04" + texts + b"\x93."


@pytest.mark.parametrize("zipped", [True, False])
def test_a_malicious_pickle_is_not_executed(tmp_path: Path, zipped: bool) -> None:
    marker = tmp_path / "marker"
    torch.save({"x": Bomb(marker)}, tmp_path / "a.ckpt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(
        UnreadableModelError, match=r"a\.ckpt: not opened.*it names (posix|nt)\.mkdir.*convert it to safetensors"
    ):
        read_model_file(tmp_path / "a.ckpt")
    assert not marker.exists()


def test_the_pickle_of_that_test_is_malicious(tmp_path: Path) -> None:
    torch.save({"x": Bomb(tmp_path / "marker")}, tmp_path / "a.ckpt")
    torch.load(tmp_path / "a.ckpt", weights_only=False)
    assert (tmp_path / "marker").exists()


@pytest.mark.parametrize("content", [b"\x80\x04.", b"PK\x03\x04", b"<html>", b"\x80\x02}q\x00.", bytes(1000)])
def test_foreign_files_are_refused_with_a_reason(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.bin").write_bytes(content)
    with pytest.raises(UnreadableModelError):
        read_model_file(tmp_path / "a.bin")


def test_scanning_needs_no_torch(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "a.safetensors", kohya_lora())
    torch.save(tensors(kohya_lora()), tmp_path / "b.pt")
    code = (
        "import sys; from modelsearch_core.model_files import scan;"
        "print(len(list(scan(sys.argv[1:]))), 'torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    ran = subprocess.run(command, check=True, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert ran.stdout.split() == ["2", "False"]
