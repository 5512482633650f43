"""A base's weights by the names of LoRA's layers, and what DoRA changes of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from modelsearch_core.generators import factors as networks
from modelsearch_core.generators.base_weights import BaseWeights
from modelsearch_core.generators.layer_names import canonical
from modelsearch_core.generators.sketches import probes, sketch_dora, sketch_of
from tests.making import stable_diffusion as sd
from tests.making.fakes import model_file

K = 8
Tensors = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def pipe(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return sd.pipeline(32, 0, tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="module")
def sdxl(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return sd.sdxl_pipeline(tmp_path_factory.mktemp("tokenizer"))


def all_layers(pipe: Any) -> Tensors:
    """Every matrix of the UNet and the text encoders' layers, by the name that kohya gives it."""
    found = {f"lora_unet_{n.replace('.', '_')}": m.weight for n, m in pipe.unet.named_modules() if hasattr(m, "weight")}
    both = hasattr(pipe, "text_encoder_2")
    for part, prefix in (("text_encoder", "lora_te1_" if both else "lora_te_"), ("text_encoder_2", "lora_te2_")):
        modules = getattr(pipe, part, torch.nn.Module()).named_modules()
        weights = {name: module.weight for name, module in modules if ".layers." in name and hasattr(module, "weight")}
        found |= {
            f"{prefix}text_model_{name.removeprefix('text_model.').replace('.', '_')}": weight
            for name, weight in weights.items()
        }
    return {name: weight.detach() for name, weight in found.items() if weight.dim() > 1}


def check(path: Path, layers: Tensors, *, atol: float = 0) -> None:
    assert len(layers) > 60
    with BaseWeights(path) as base:
        for layer, weight in layers.items():
            found = base.get(canonical(layer))
            assert found is not None, layer
            torch.testing.assert_close(found.float().reshape(weight.shape), weight, atol=atol, rtol=0)
        assert base.get("unet.nowhere") is None


def test_a_folder_has_every_layer(tmp_path: Path, pipe: Any):
    pipe.save_pretrained(tmp_path / "base")
    check(tmp_path / "base", all_layers(pipe))


def test_of_a_folder_with_halves_the_whole_numbers_are_taken(tmp_path: Path, pipe: Any):
    pipe.save_pretrained(tmp_path / "base")
    for part in ("unet/diffusion_pytorch_model", "text_encoder/model"):
        path = tmp_path / "base" / f"{part}.safetensors"
        save_file({name: tensor + 1 for name, tensor in load_file(path).items()}, path.with_suffix(".fp16.safetensors"))
    check(tmp_path / "base", all_layers(pipe))


def test_a_single_file_has_every_layer(tmp_path: Path, pipe: Any):
    check(sd.write_single_file(tmp_path / "base.safetensors", pipe), all_layers(pipe), atol=1e-3)


def test_a_single_file_of_sdxl_has_every_layer_of_both_text_encoders(tmp_path: Path, sdxl: Any):
    check(sd.write_sdxl_single_file(tmp_path / "base.safetensors", sdxl), all_layers(sdxl))


def test_a_bare_model_has_its_layers(tmp_path: Path, sdxl: Any):
    state = {sd.original_unet(name): tensor for name, tensor in sdxl.unet.state_dict().items()}
    layers = {name: weight for name, weight in all_layers(sdxl).items() if "unet" in name}
    check(sd.save(tmp_path / "unet.safetensors", state), layers)


D = 6
JOINED = "double_blocks.3.img_attn.qkv"
APART = [f"transformer_blocks.3.attn.to_{letter}" for letter in "qkv"]


def test_joined_matrices_and_their_parts_are_found_in_each_other(tmp_path: Path):
    whole = torch.rand(3 * D, D)
    joined = sd.save(tmp_path / "joined.safetensors", {f"model.diffusion_model.{JOINED}.weight": whole})
    parts = dict(zip((f"{name}.weight" for name in APART), whole.split(D), strict=True))
    sd.save(tmp_path / "apart" / "transformer" / "diffusion_pytorch_model.safetensors", parts)
    for path in (joined, tmp_path / "apart"):
        with BaseWeights(path) as base:
            for name, weight in zip(APART, whole.split(D), strict=True):
                assert torch.equal(base.get(canonical(name)), weight)  # type: ignore[arg-type]


@pytest.mark.parametrize("scale", ["scale_weight", "weight_scale"])
def test_numbers_of_eight_bits_are_no_weights(tmp_path: Path, scale: str):
    whole = torch.rand(D, D)
    state = {"double_blocks.0.img_attn.proj.weight": whole.to(torch.float8_e4m3fn)}
    scaled = {"double_blocks.0.img_attn.proj.weight": whole, f"double_blocks.0.img_attn.proj.{scale}": torch.ones(1)}
    for number, each in enumerate((state, scaled)):
        with BaseWeights(sd.save(tmp_path / f"{number}.safetensors", each)) as base:
            assert base.get("unet.transformer_blocks_0_attn_to_out_0") is None


def test_a_pickle_gives_none(tmp_path: Path):
    torch.save({"model.diffusion_model.input_blocks.0.0.weight": torch.rand(4, 4)}, tmp_path / "base.ckpt")
    with BaseWeights(tmp_path / "base.ckpt") as base:
        assert base.get("unet.conv_in") is None


FORMS: Mapping[str, tuple[tuple[int, ...], Mapping[str, tuple[int, ...]]]] = {  # W, factors
    "of outputs": ((12, 10), {"up": (12, 3), "down": (3, 10), "alpha": (), "dora_scale": (12, 1)}),
    "of inputs": ((12, 10), {"up": (12, 3), "down": (3, 10), "dora_scale": (1, 10)}),
    "of inputs, as many": ((10, 10), {"up": (10, 3), "down": (3, 10), "dora_scale": (1, 10)}),
    "of a convolution": ((12, 5, 3, 3), {"up": (12, 3, 1, 1), "down": (3, 5, 3, 3), "dora_scale": (12, 1, 1, 1)}),
    "of a convolution's inputs": (
        (12, 5, 3, 3),
        {"up": (12, 3, 1, 1), "down": (3, 5, 3, 3), "dora_scale": (1, 5, 1, 1)},
    ),
    "Tucker": ((12, 5, 3, 3), {"up": (12, 3, 1, 1), "mid": (3, 4, 3, 3), "down": (4, 5, 1, 1), "dora_scale": (12, 1)}),
    "LoHa": (
        (12, 10),
        {"hada_w1_a": (12, 3), "hada_w1_b": (3, 10), "hada_w2_a": (12, 3), "hada_w2_b": (3, 10), "dora_scale": (12, 1)},
    ),
    "LoKr": ((12, 10), {"lokr_w1": (3, 2), "lokr_w2": (4, 5), "dora_scale": (12, 1)}),
    "with a bias": ((12, 10), {"up": (12, 3), "down": (3, 10), "dora_scale": (12, 1), "diff_b": (12,)}),
}


def made(form: str, seed: int = 0) -> tuple[torch.Tensor, Tensors]:
    generator = torch.Generator().manual_seed(seed)
    size, shapes = FORMS[form]
    W = torch.randn(size, generator=generator)
    return W, {name: torch.rand(shape, generator=generator) + 0.1 for name, shape in shapes.items()}


def by_definition(W: torch.Tensor, factors: Tensors) -> torch.Tensor:
    """m·(W + BA)/‖W + BA‖ − W, one output or input after the other."""
    m = factors["dora_scale"]
    BA = networks.difference({name: t for name, t in factors.items() if name not in ("dora_scale", "diff_b")})
    changed = W + BA.reshape(W.shape)
    rows = changed if m.shape[0] == W.shape[0] else changed.transpose(0, 1)
    scaled = torch.stack([m.flatten()[i] * row / row.square().sum().sqrt() for i, row in enumerate(rows)])
    return (scaled if m.shape[0] == W.shape[0] else scaled.transpose(0, 1)) - W


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_dora_is_the_whole_change_under_the_probes(form: str, precision: torch.dtype):
    W, factors = made(form)
    W = W.to(precision)
    change = by_definition(W.float(), factors).flatten(1)
    u, v = probes("layer", K, *change.shape)
    wanted = [float(u[k] @ change @ v[k]) for k in range(K)]
    assert sketch_dora("layer", factors, K, W) == pytest.approx(wanted, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("form", ["of outputs", "LoHa", "LoKr"])
def test_parts_of_a_dora_are_those_of_the_whole_change(form: str):
    W, factors = made(form)
    change = by_definition(W, factors)[4:8]
    u, v = probes("layer", K, *change.shape)
    wanted = [float(u[k] @ change @ v[k]) for k in range(K)]
    assert sketch_dora("layer", factors, K, W[4:8], slice(4, 8)) == pytest.approx(wanted, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize(
    ("form", "rows"), [("of inputs", slice(4, 8)), ("of outputs", slice(0, 9)), ("LoHa", slice(0, 9))]
)
def test_where_the_base_has_another_shape_or_not_enough_of_it_there_is_none(form: str, rows: slice):
    W, factors = made(form)
    assert sketch_dora("layer", factors, K, W[4:8], rows) is None


def test_a_dora_of_no_change_changes_nothing():
    W, factors = made("of outputs")
    factors |= {"up": torch.zeros(12, 3), "dora_scale": torch.linalg.vector_norm(W, dim=1, keepdim=True)}
    assert sketch_dora("layer", factors, K, W) == pytest.approx(np.zeros(K), abs=1e-4)


@pytest.mark.parametrize("joined", [True, False])
def test_a_file_is_taken_with_its_base_in_whichever_way_either_is_written(tmp_path: Path, joined: bool):
    generator = torch.Generator().manual_seed(5)
    W, m = torch.randn(3 * D, D, generator=generator), torch.rand(3 * D, 1, generator=generator)
    down, up = torch.rand(2, D, generator=generator), torch.rand(3 * D, 2, generator=generator)
    base = sd.save(tmp_path / "base.safetensors", {f"model.diffusion_model.{JOINED}.weight": W})
    if joined:
        name = f"lora_unet_{JOINED.replace('.', '_')}"
        state = {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up, f"{name}.dora_scale": m}
    else:
        state = {f"transformer.{name}.lora_A.weight": down for name in APART}
        state |= {f"transformer.{name}.lora_B.weight": up[i * D : (i + 1) * D] for i, name in enumerate(APART)}
        state |= {
            f"transformer.{name}.lora_magnitude_vector": m.flatten()[i * D : (i + 1) * D]
            for i, name in enumerate(APART)
        }
    file = model_file("dora", path=sd.save(tmp_path / "dora.safetensors", state))
    change = by_definition(W, {"up": up, "down": down, "dora_scale": m})
    with BaseWeights(base) as weights:
        names, s, without = sketch_of(file, weights)
    assert names == tuple(sorted(canonical(name) for name in APART))
    assert without == 0
    for i, row in enumerate(s[[names.index(canonical(name)) for name in APART]]):
        u, v = probes(canonical(APART[i]), len(row), D, D)
        np.testing.assert_allclose(row, ((u @ change[i * D : (i + 1) * D]) * v).sum(dim=1), rtol=1e-3, atol=1e-3)
    assert sketch_of(file).without_magnitude == 3


@pytest.mark.parametrize("layout", ["folder", "single file"])
def test_a_dora_on_a_real_base_is_what_its_weights_become(tmp_path: Path, pipe: Any, layout: str):
    file = model_file("dora", path=sd.write_relative(tmp_path / "dora.safetensors", pipe, "dora"), network="dora")
    if layout == "folder":
        pipe.save_pretrained(tmp_path / "base")
        path = tmp_path / "base"
    else:
        path = sd.write_single_file(tmp_path / "base.safetensors", pipe, dtype=torch.float32)
    with BaseWeights(path) as weights:
        names, s, without = sketch_of(file, weights)
    assert without == 0
    state = load_file(file.path)
    for (part, layer), W in sd.layers_of(pipe).items():
        key = sd.kohya_name(part, layer)
        told = {"alpha": state[f"{key}.alpha"], "dora_scale": state[f"{key}.dora_scale"]}
        told |= {side: state[f"{key}.lora_{side}.weight"] for side in ("up", "down")}
        change = (networks.changed_weight(W.detach(), told, 1.0) - W.detach()).flatten(1)
        row = s[names.index(canonical(key))]
        u, v = probes(canonical(key), len(row), *change.shape)
        np.testing.assert_allclose(row, ((u @ change) * v).sum(dim=1), rtol=1e-3, atol=2e-3)
