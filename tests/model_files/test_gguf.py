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


def with_tensors(shapes: dict[str, tuple[int, ...]], word: str | None = None) -> bytes:
    """A file with a table of tensors, innermost dimension first as in GGUF, and perhaps a word."""
    field = text("general.architecture") + struct.pack("<I", 8) + text(word) if word else b""
    table = b"".join(
        text(name)
        + struct.pack("<I", len(shape))
        + struct.pack(f"<{len(shape)}Q", *reversed(shape))
        + struct.pack("<IQ", 2, 0)
        for name, shape in shapes.items()
    )
    return b"GGUF" + struct.pack("<IQQ", 3, len(shapes), 1 if word else 0) + field + table


FLUX = {
    "double_blocks.0.img_attn.qkv.weight": (9216, 3072),
    "img_in.weight": (3072, 64),
    **{f"double_blocks.{number}.img_attn.proj.weight": (3072, 3072) for number in range(19)},
    **{f"single_blocks.{number}.linear2.weight": (3072, 15360) for number in range(38)},
}
LITE = {name: shape for name, shape in FLUX.items() if "double_blocks" not in name or int(name.split(".")[1]) < 8}
KLEIN = {"single_stream_modulation.lin.weight": (9216, 3072), "double_blocks.0.img_attn.proj.weight": (3072, 3072)}
CHROMA = {**FLUX, "distilled_guidance_layer.in_proj.weight": (5120, 64)}
Z_IMAGE = {"noise_refiner.0.attention.qkv.weight": (11520, 3840), "cap_embedder.1.weight": (3840, 2560)}
SD15 = {
    "model.diffusion_model.input_blocks.0.0.weight": (320, 4, 3, 3),
    "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (320, 768),
    "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight": (49408, 768),
}


@pytest.mark.parametrize(
    ("shapes", "word", "kind", "architecture", "variant"),
    [
        (FLUX, None, Kind.DIFFUSION_MODEL, "flux", "12b"),
        (FLUX, "pig", Kind.DIFFUSION_MODEL, "flux", "12b"),
        (LITE, "flux", Kind.DIFFUSION_MODEL, "flux", "8b"),
        (KLEIN, "flux", Kind.DIFFUSION_MODEL, "flux2", "klein-4b"),
        (CHROMA, "flux", Kind.DIFFUSION_MODEL, "chroma", "9b"),
        (Z_IMAGE, "lumina2", Kind.DIFFUSION_MODEL, "z_image", "6b"),
        (SD15, None, Kind.CHECKPOINT, "sd15", None),
        ({"strange.weight": (8, 8)}, "wan", Kind.DIFFUSION_MODEL, "wan", None),
    ],
)
def test_tensors_are_believed_before_the_word(
    tmp_path: Path, shapes: dict[str, tuple[int, ...]], word: str | None, kind: Kind, architecture: str, variant: str
) -> None:
    (tmp_path / "a.gguf").write_bytes(with_tensors(shapes, word) + bytes(100))
    model = read_model_file(tmp_path / "a.gguf")
    assert (model.kind, model.architecture, model.variant) == (kind, architecture, variant)


def test_a_tokenizer_in_front_of_the_tensors_is_passed_over(tmp_path: Path) -> None:
    tokens = text("tokenizer.tokens") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("b")
    scores = text("tokenizer.scores") + struct.pack("<IIQ", 9, 6, 3) + bytes(12)
    content = with_tensors(FLUX)
    content = content[:16] + struct.pack("<Q", 2) + tokens + scores + content[24:]
    (tmp_path / "a.gguf").write_bytes(content)
    assert read_model_file(tmp_path / "a.gguf").architecture == "flux"


@pytest.mark.parametrize(
    "content",
    [
        b"GGUF" + struct.pack("<IQQ", 3, 2**40, 0),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 2**40),
        b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + text("x") + struct.pack("<I", 2**31),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("x") + struct.pack("<IIQ", 9, 6, 2**60),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("x") + struct.pack("<IIQ", 9, 8, 2**60) + text("a"),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("x") + struct.pack("<IIQ", 9, 9, 2**60) * 2000,
        with_tensors(FLUX)[:-20],
    ],
)
def test_absurd_tables_are_refused_at_once(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.gguf").write_bytes(content)
    with pytest.raises(UnreadableModelError, match="broken GGUF"):
        read_model_file(tmp_path / "a.gguf")
