"""Hostile and damaged files, each in a folder with a good model that must be found all the same."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import save as save_safetensors

from benchmarks.trust import hostile_files
from benchmarks.trust.figures import Figures
from modelsearch_core.errors import UnreadableModelError, UnreadablePictureError
from modelsearch_core.model_files import ModelFile, SkippedFile, scan
from modelsearch_core.model_files.pickle_machine import PickleMachine
from modelsearch_core.model_files.pickles import load_pickle
from modelsearch_core.raster import FORMATS, known_formats, open_raster

LAYER = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
SIZES = {"lora_down.weight": (4, 768), "lora_up.weight": (320, 4), "alpha": ()}


def good_files() -> dict[str, bytes]:
    """A LoRA in each form, and a checkpoint of a trainer, by ending."""
    arrays = {f"{LAYER}.{name}": np.ones(shape, np.float16) for name, shape in SIZES.items()}
    tensors = {name: torch.ones(array.shape) for name, array in arrays.items()}
    streams = io.BytesIO(), io.BytesIO()
    torch.save({"state_dict": tensors, "step": 3}, streams[0])
    torch.save(tensors, streams[1], _use_new_zipfile_serialization=False)
    metadata = {
        "ss_output_name": "good",
        "modelspec.description": "<p>good</p>",
        "ss_tag_frequency": '{"1_a": {"b": 1}}',
    }
    return {
        ".safetensors": save_safetensors(arrays, metadata),
        ".ckpt": streams[0].getvalue(),
        ".pt": streams[1].getvalue(),
        ".gguf": b"GGUF" + bytes([3, 0, 0, 0]) + bytes(8) + bytes([1]) + bytes(7) + b"\x14" + bytes(7)
        + b"general.architecture" + bytes([8, 0, 0, 0]) + b"\x04" + bytes(7) + b"flux",
    }  # fmt: skip


def special(folder: Path) -> Iterator[Figures]:
    """Everything that is known to have done harm once, one at a time and then together."""
    good = good_files()[".safetensors"]
    everything: list[tuple[str, Callable[[Path], None]]] = []
    for name, content in hostile_files.pickles().items():
        everything.append((f"pickle: {name}", lambda place, content=content: _write(place / "bad.ckpt", content)))
    for kind, beside in (("sidecar", hostile_files.sidecars()), ("preview", hostile_files.previews())):
        for suffix, content in beside.items():
            path = f"a{suffix}"
            everything.append((f"{kind}: {suffix}", lambda place, p=path, c=content: _write(place / p, c)))
    everything.append(("pipes, devices, dangling links", hostile_files.place_special))
    figures = Figures("files that did harm once")
    for number, (name, make) in enumerate(everything):
        place = folder / str(number)
        place.mkdir()
        _write(place / "a.safetensors", good)
        _write(place / "z.safetensors", good)
        make(place)
        with figures.timed():
            found = list(scan([place]))
        names = {each.path.name for each in found if isinstance(each, ModelFile)}
        harmless = {"a.safetensors", "z.safetensors"} <= names and not Path("modelsearch-was-run").exists()
        figures.outcomes["harmless" if harmless else "harmful"] += 1
        figures.broken += [] if harmless else [name]
    yield figures


def flipped(folder: Path, count: int, seed: int) -> Iterator[Figures]:
    """Good files with a few bytes changed, scanned; pickles loaded too, where they pass."""
    chance = random.Random(seed)
    for suffix, content in good_files().items():
        figures, path = Figures(f"flipped bytes: {suffix}"), folder / f"bad{suffix}"
        for _ in range(count):
            path.write_bytes(hostile_files.flipped(content, chance))
            with figures.timed():
                _outcome(figures, path)
        path.unlink()
        yield figures


def _outcome(figures: Figures, path: Path) -> None:
    try:
        (found,) = scan([path])
        if isinstance(found, ModelFile) and path.suffix in (".ckpt", ".pt"):
            load_pickle(path)
    except UnreadableModelError:
        figures.outcomes["refused when loaded"] += 1
        return
    except BaseException as error:
        figures.outcomes["raised"] += 1
        figures.broken.append(repr(error)[:100])
        return
    is_fault = isinstance(found, SkippedFile) and "please report" in found.reason
    figures.broken += [found.reason[:100]] if is_fault and isinstance(found, SkippedFile) else []
    figures.outcomes["read" if isinstance(found, ModelFile) else "refused with a reason"] += 1


def opcodes(count: int, seed: int) -> Figures:
    """Pickles of random opcodes."""
    figures, made = Figures("random opcodes"), hostile_files.random_pickles(random.Random(seed))
    for _ in range(count):
        with figures.timed():
            try:
                PickleMachine(next(made)).load()
                figures.outcomes["read"] += 1
            except UnreadableModelError:
                figures.outcomes["refused with a reason"] += 1
            except BaseException as error:
                figures.broken.append(repr(error)[:100])
    return figures


def pictures(count: int, seed: int) -> Iterator[Figures]:
    """Pictures of each form with a few bytes changed."""
    chance = random.Random(seed)
    noise = Image.fromarray(np.random.default_rng(seed).integers(0, 255, (48, 64, 3), np.uint8))
    for form in known_formats(FORMATS):
        if form not in Image.SAVE:
            continue
        stream, figures = io.BytesIO(), Figures(f"flipped bytes: {form}")
        noise.save(stream, form)
        for _ in range(count):
            content = hostile_files.flipped(stream.getvalue(), chance)
            with figures.timed():
                try:
                    open_raster(content, 1024)
                    figures.outcomes["read"] += 1
                except UnreadablePictureError:
                    figures.outcomes["refused with a reason"] += 1
                except BaseException as error:
                    figures.broken.append(repr(error)[:100])
        yield figures


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
