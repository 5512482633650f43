from __future__ import annotations

import struct
from pathlib import Path

import pytest

from modelsearch_core.errors import UnreadableModelError
from modelsearch_core.model_files import Kind, read_model_file


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def gguf(architecture: str, before: bytes = b"", count: int = 1) -> bytes:
    return (
        b"GGUF"
        + struct.pack("<IQQ", 3, 0, count)
        + before
        + text("general.architecture")
        + struct.pack("<I", 8)
        + text(architecture)
    )


@pytest.mark.parametrize(
    ("name", "architecture"), [("flux", "flux"), ("sd1", "sd15"), ("aura", "auraflow"), ("wan", "wan")]
)
def test_a_diffusion_model_is_known_by_its_header(tmp_path: Path, name: str, architecture: str) -> None:
    (tmp_path / "a.gguf").write_bytes(gguf(name) + bytes(100))
    model = read_model_file(tmp_path / "a.gguf")
    assert (model.kind, model.architecture, len(model.fingerprint)) == (Kind.DIFFUSION_MODEL, architecture, 32)


def test_fields_before_the_architecture_are_passed_over(tmp_path: Path) -> None:
    before = (
        text("general.file_type")
        + struct.pack("<II", 4, 2)
        + text("general.name")
        + struct.pack("<I", 8)
        + text("Flux")
    )
    (tmp_path / "a.gguf").write_bytes(gguf("flux", before, count=3))
    assert read_model_file(tmp_path / "a.gguf").architecture == "flux"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gguf("llama"), "'llama'"),
        (b"GGML" + bytes(30), "does not begin with GGUF"),
        (b"GGUF", "broken"),
        (gguf("flux")[:30], "broken|without"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 9, 2**60), "a string of"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 0), "without general.architecture"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("x") + struct.pack("<I", 99), "broken"),
        (b"", "broken|begin"),
    ],
)
def test_other_and_broken_files_are_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.gguf").write_bytes(content)
    with pytest.raises(UnreadableModelError, match=reason):
        read_model_file(tmp_path / "a.gguf")
