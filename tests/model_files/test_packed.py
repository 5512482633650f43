"""Quantised files are of the family that they were quantised from."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelsearch_core.model_files import Kind, read_model_file
from modelsearch_core.model_files.architecture import recognise
from modelsearch_core.model_files.packed import unpacked
from tests.making.model_files import write_safetensors

Shapes = dict[str, tuple[int, ...]]
NF4 = ".quant_state.bitsandbytes__nf4"


def nf4(name: str, out: int, into: int) -> Shapes:
    return {name: (out * into // 2, 1), name + NF4: (80,), f"{name}.absmax": (out * into // 64,)}


@pytest.mark.parametrize(
    ("context", "labels", "architecture"), [(768, None, "sd15"), (1024, None, "sd2"), (2048, 2816, "sdxl")]
)
def test_the_context_of_a_packed_unet_follows_from_the_width_of_its_block(
    context: int, labels: int | None, architecture: str
) -> None:
    block = "model.diffusion_model.input_blocks.4.1.transformer_blocks.0"
    shapes: Shapes = {
        "model.diffusion_model.input_blocks.0.0.weight": (320, 4, 3, 3),
        **nf4(f"{block}.attn2.to_k.weight", 640, context),
        **({"model.diffusion_model.label_emb.0.0.weight": (1280, labels)} if labels else {}),
    }
    assert recognise(shapes).architecture == architecture
    assert recognise({**shapes, f"{block}.norm2.weight": (640,)}).architecture == architecture


def test_outputs_of_a_packed_weight_are_as_many_as_its_bias_has() -> None:
    shapes = {**nf4("blocks.0.ffn.0.weight", 8960, 1536), "blocks.0.ffn.0.bias": (8960,), **nf4("q.weight", 512, 512)}
    found = unpacked(shapes)
    assert (found["blocks.0.ffn.0.weight"], found["q.weight"]) == ((8960, 1536), (512, 512))


def test_nothing_is_changed_where_nothing_is_packed() -> None:
    shapes: Shapes = {"a.weight": (4, 4), "a.bias": (4,)}
    assert unpacked(shapes) is shapes


@pytest.mark.parametrize(("width", "variant"), [(3072, "klein-4b"), (6144, "dev")])
def test_quantos_names_are_those_of_weights(width: int, variant: str) -> None:
    shapes: Shapes = {
        "single_stream_modulation.linear.weight._data": (3 * width, width),
        "single_stream_modulation.linear.weight._scale": (3 * width, 1),
        "transformer_blocks.0.attn.to_q.weight._data": (width, width),
    }
    found = recognise(shapes)
    assert (found.architecture, found.variant) == ("flux2", variant)


@pytest.mark.parametrize(("width", "variant"), [(3072, "klein-4b"), (4096, "klein-9b"), (6144, "dev")])
def test_nvfp4_halves_the_inputs_and_changes_no_variant(width: int, variant: str) -> None:
    proj = "double_blocks.0.img_attn.proj.weight"
    shapes: Shapes = {
        "single_stream_modulation.lin.weight": (3 * width, width),
        **{proj: (width, width // 2), f"{proj}_scale": (width, width // 16), f"{proj}_scale_2": ()},
    }
    found = recognise(shapes)
    assert (found.architecture, found.variant) == ("flux2", variant)


def test_scaled_fp8_is_what_it_was(tmp_path: Path) -> None:
    shapes = {
        **{"double_blocks.0.img_attn.qkv.weight": (9216, 3072), "double_blocks.0.img_attn.qkv.scale_weight": ()},
        **{"img_in.weight": (3072, 64), "scaled_fp8": (2,)},
    }
    model = read_model_file(write_safetensors(tmp_path / "a.safetensors", shapes, dtype="F8_E4M3"))
    assert (model.kind, model.architecture) == (Kind.DIFFUSION_MODEL, "flux")


def test_svdquant_is_known_by_its_names() -> None:
    flux = {
        "single_transformer_blocks.0.qkv_proj.qweight": (9216, 1536),
        "single_transformer_blocks.0.qkv_proj.lora_down": (3072, 32),
        "x_embedder.weight": (3072, 64),
    }
    qwen = {"transformer_blocks.0.img_mod.1.qweight": (4608, 1536), "txt_norm.weight": (3584,)}
    assert [recognise(shapes).architecture for shapes in (flux, qwen)] == ["flux", "qwen_image"]


@pytest.mark.parametrize(
    ("name", "architecture"),
    [("NunchakuSanaTransformer2DModel", "sana"), ("NunchakuZImageTransformer2DModel", "z_image")],
)
def test_svdquant_is_known_by_the_class_in_its_header(tmp_path: Path, name: str, architecture: str) -> None:
    shapes = {"transformer_blocks.0.something.qweight": (8, 8)}
    model = read_model_file(write_safetensors(tmp_path / "a.safetensors", shapes, {"model_class": name}))
    assert (model.kind, model.architecture) == (Kind.DIFFUSION_MODEL, architecture)
