"""Files that an enemy, or bad luck, puts into a folder of models; each stands beside good ones that must be found."""

from __future__ import annotations

import io
import json
import os
import pickletools
import random
import struct
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from PIL import Image, features

Maker = Callable[[Path], None]  # puts something hostile into a folder, `bad` being its stem


class Runs:
    """Unpickled, it makes a folder."""

    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.marker,)


def zipped(pickle: bytes, *, compression: int = zipfile.ZIP_STORED, **records: bytes) -> bytes:
    """A file as torch.save writes it, with any pickle."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickle)
        for name, content in records.items():
            archive.writestr(f"archive/data/{name}", content)
    return stream.getvalue()


def nested_tuple_key(depth: int) -> bytes:
    """{((((…)))): 1}: to hash the key needs as deep a stack."""
    return b"\x80\x02}(" + b")" + b"\x85" * depth + b"K\x01u."


def shared_dicts(levels: int, width: int = 10) -> bytes:
    """Dicts that hold the one below under many names: as a tree it has width ** levels leaves."""
    lines = [b"\x80\x02}q\x00"]
    for level in range(levels):
        index = bytes([level % 250])
        entries = b"".join(b"X\x04\x00\x00\x00" + f"{n:04d}".encode() + b"h" + index for n in range(width))
        lines.append(b"}q" + bytes([(level + 1) % 250]) + b"(" + entries + b"u")
    return b"".join(lines) + b"."


def shape_of_text() -> bytes:
    """A tensor whose shape is a text."""
    text = b"X\x03\x00\x00\x00abc"
    storage = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ"
    arguments = b"(" + storage + b"K\x00" + text + text + b"\x89}t"
    return b"\x80\x02}(X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n" + arguments + b"Ru."


def calls(name: str, *numbers: int) -> bytes:
    """A pickle that calls `module name` with whole numbers."""
    arguments = b"".join(b"\x8a\x08" + struct.pack("<q", number) for number in numbers)
    module, _, attribute = name.rpartition(".")
    return b"\x80\x02}(X\x01\x00\x00\x00a" + f"c{module}\n{attribute}\n".encode() + b"(" + arguments + b"tRu."


def good_pickle() -> bytes:
    stream = io.BytesIO()
    torch.save({"a.weight": torch.zeros(3, 2), "b": {"c": torch.ones(4)}}, stream)
    return stream.getvalue()


def pickles() -> dict[str, bytes]:
    """PyTorch files, by what is wrong with them."""
    bomb = io.BytesIO()
    torch.save({"x": Runs(Path("modelsearch-was-run"))}, bomb)
    good = good_pickle()
    return {
        "runs code": bomb.getvalue(),
        "deep key": zipped(nested_tuple_key(1_000_000)),
        "deep key, legacy": nested_tuple_key(1_000_000),
        "shared dicts": zipped(shared_dicts(200, 30)),
        "shape of text": zipped(shape_of_text(), **{"0": bytes(16)}),  # pyright: ignore[reportArgumentType]
        "huge bytearray": zipped(calls("builtins.bytearray", 10**12)),
        "bomb in a zip": zipped(b"\x80\x02" + b"N" * 2**26 + b".", compression=zipfile.ZIP_DEFLATED),
        "many opcodes": zipped(b"\x80\x02" + b"]" * (2**24 - 8) + b"."),
        "cut off": good[: len(good) // 2],
        "no directory": good[:-22],
        "tar": b"a" + bytes(256) + b"ustar\x0000" + bytes(247),
        "html": b"<html>not found</html>",
        "zeros": bytes(1000),
    }


def sidecars() -> dict[str, bytes]:
    """What lies beside a model, by the rest of its name."""
    letters = {"trainedWords": ["<lora:" * 60_000], "description": "<!--" * 50_000, "name": "<br" * 60_000}
    return {
        ".civitai.info": json.dumps(letters).encode(),
        ".json": json.dumps({"activation text": "<lora:" * 60_000, "description": "&#" + "9" * 5000 + ";"}).encode(),
        ".txt": ("<!--" * 50_000 + " " * 200_000 + "x").encode(),
        ".metadata.json": b"[" * 100_000,
        ".cm-info.json": b'{"ModelName": "\\ud800", "Tags": '
        + json.dumps([",".join("a" * 9_000)] * 400).encode()
        + b"}",
    }


def picture(form: str, size: tuple[int, int]) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, "orange").save(stream, form)
    return stream.getvalue()


def previews() -> dict[str, bytes]:
    """Pictures beside a model, by the rest of their names."""
    found = {
        ".png": picture("PNG", (20_000, 200)),
        ".1²2.png": picture("PNG", (8, 8)),
        ".preview.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(modelsearch-was-run) (w) file closefile\n",
        ".jpg": picture("JPEG", (64, 64))[:200],
        ".webp": b"RIFF\xff\xff\xff\xffWEBPVP8 ",
    }
    if features.check("avif"):
        whole = bytearray(picture("AVIF", (64, 64)))
        whole[len(whole) // 2 :] = random.Random(3).randbytes(len(whole) - len(whole) // 2)
        found[".2.png"] = bytes(whole)
    return found


def pipeline_faults() -> dict[str, tuple[str, str]]:
    """(file within a diffusers folder, what stands in it)."""
    index = {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]}
    return {
        "width of text": ("unet/config.json", '{"_class_name": "UNet2DConditionModel", "cross_attention_dim": "x"}'),
        "absolute part": ("model_index.json", json.dumps({**index, "/etc": ["a", "b"]})),
        "part above": ("model_index.json", json.dumps({**index, "../../..": ["a", "b"]})),
        "deep": ("unet/config.json", "[" * 100_000),
        "long number": ("unet/config.json", '{"cross_attention_dim": ' + "9" * 5000 + "}"),
    }


def flipped(content: bytes, chance: random.Random, most: int = 8) -> bytes:
    """`content` with a few bytes changed, or cut off, or continued."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, most)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    how = chance.random()
    if how < 0.1:
        return bytes(changed[: chance.randrange(len(changed))])
    return bytes(changed) + (chance.randbytes(chance.randint(1, 99)) if how > 0.9 else b"")


def random_pickles(chance: random.Random) -> Iterator[bytes]:
    """Pickles of any opcodes with arguments that fit: far more reach the machine's corners than flipped bytes do."""
    opcodes = [opcode.code.encode("latin-1") for opcode in pickletools.opcodes]
    names = [
        b"ccollections\nOrderedDict\n",
        b"ctorch._utils\n_rebuild_tensor_v2\n",
        b"ctorch\nFloatStorage\n",
        b"cos\nsystem\n",
    ]
    while True:
        parts = [chance.choice([*opcodes, *names, chance.randbytes(chance.randint(0, 5))]) for _ in range(200)]
        yield b"\x80\x02" + b"".join(parts) + b"."


def place_special(folder: Path) -> None:
    """Named pipes, devices and links to nowhere, in the place of everything that is opened."""
    if sys.platform == "win32":
        return
    for name in ("pipe.safetensors", "pipe.ckpt", "pipe.gguf", "piped.civitai.info", "piped.png"):
        os.mkfifo(folder / name)
    for name in ("endless.txt", "endless.preview.png", "zero.pt"):
        (folder / name).symlink_to("/dev/zero")
    (folder / "gone.safetensors").symlink_to("nowhere")
