"""Sketches of what LoRA change: the same for the same ΔW, however it is factored, named or written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from modelsearch_core.errors import ModelSearchError
from modelsearch_core.generators import factors as networks
from modelsearch_core.generators.sketches import MOST, probes, probes_a_layer, sketch_layer, sketch_of
from tests.making.fakes import model_file

K = 8
SHAPES: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "LoRA": {"up": (12, 3), "down": (3, 10), "alpha": ()},
    "convolution": {"up": (12, 3, 1, 1), "down": (3, 5, 3, 3)},
    "Tucker": {"up": (12, 3, 1, 1), "mid": (3, 4, 3, 3), "down": (4, 5, 1, 1)},
    "LoHa": {"hada_w1_a": (12, 3), "hada_w1_b": (3, 10), "hada_w2_a": (12, 3), "hada_w2_b": (3, 10)},
    "LoKr": {"lokr_w1": (3, 2), "lokr_w2": (4, 5)},
    "LoKr of products": {"lokr_w1": (3, 2), "lokr_w2_a": (4, 2), "lokr_w2_b": (2, 5), "alpha": ()},
    "LoKr of a convolution": {"lokr_w1": (3, 2), "lokr_w2": (4, 5, 3, 3)},
    "full difference": {"diff": (12, 10)},
    "difference of a bias": {"diff": (12,)},
}


def random(shapes: Mapping[str, tuple[int, ...]], seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.rand(shape, generator=generator) + 0.1 for name, shape in shapes.items()}


@pytest.mark.parametrize("form", SHAPES)
def test_it_is_the_form_of_the_whole_change_under_the_probes(form: str):
    factors = random(SHAPES[form])
    change = networks.difference(factors).flatten(1) if form != "difference of a bias" else factors["diff"][:, None]
    u, v = probes("layer", K, *change.shape)
    by_definition = [float(u[k] @ change @ v[k]) for k in range(K)]
    assert sketch_layer("layer", factors, K) == pytest.approx(by_definition, rel=1e-4, abs=1e-4)


def test_another_way_of_factoring_changes_nothing():
    factors = random(SHAPES["LoRA"])
    turned = torch.linalg.qr(torch.rand(3, 3))[0]
    other = {**factors, "up": factors["up"] @ turned, "down": turned.T @ factors["down"]}
    assert sketch_layer("layer", other, K) == pytest.approx(sketch_layer("layer", factors, K), rel=1e-3, abs=1e-4)


def test_products_of_sketches_are_those_of_the_changes():
    many, generator = 4096, torch.Generator().manual_seed(3)
    a = torch.randn(20, 16, generator=generator)
    b = 0.6 * a + 0.8 * torch.randn(20, 16, generator=generator)
    s, t = (sketch_layer("layer", {"diff": change}, many) for change in (a, b))
    assert s is not None
    assert t is not None
    assert s @ s / many == pytest.approx(float((a * a).sum()), rel=0.1)
    assert s @ t / many == pytest.approx(float((a * b).sum()), rel=0.2)


def test_fewer_probes_are_the_first_of_more():
    factors = random(SHAPES["LoRA"])
    more, fewer = sketch_layer("layer", factors, 32), sketch_layer("layer", factors, 8)
    assert more is not None
    assert more[:8] == pytest.approx(fewer)


def test_the_probes_are_the_same_for_ever():
    u, v = probes("unet.mid_block_attentions_0_proj_in", 4, 3, 2)
    assert u.tolist() == [[1, -1, 1], [-1, -1, -1], [1, 1, -1], [1, -1, -1]]
    assert set(v.flatten().tolist()) <= {-1.0, 1.0}


def test_a_lora_of_many_layers_takes_no_more_room_than_one_of_few():
    assert probes_a_layer(32) * 32 == 4096
    assert 2048 <= probes_a_layer(722) * 722 <= 4096
    assert probes_a_layer(1) == MOST


def test_kohyas_names_and_those_of_diffusers_are_the_same_layers(tmp_path: Path):
    factors = random({"up": (12, 3), "down": (3, 10)})
    spellings = {
        "kohya": ("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_k.lora_{}.weight", "down", "up"),
        "original": ("lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_k.lora_{}.weight", "down", "up"),
        "peft": ("unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_k.lora_{}.weight", "A", "B"),
        "old": (
            "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.processor.to_k_lora.{}.weight",
            "down",
            "up",
        ),
    }
    found = []
    for name, (pattern, down, up) in spellings.items():
        path = tmp_path / f"{name}.safetensors"
        save_file({pattern.format(down): factors["down"], pattern.format(up): factors["up"]}, path)
        found.append(sketch_of(model_file(name, path=path)))
    assert {names for names, _, _ in found} == {("unet.down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_k",)}
    assert all(np.array_equal(s, found[0].s) for _, s, _ in found)


D, R = 6, 2  # of a transformer with an MLP of 4 D
BOTH = {  # joined, and how diffusers writes the same: names with their outputs
    "double_blocks.3.img_attn.qkv": {f"transformer_blocks.3.attn.to_{x}": D for x in "qkv"},
    "double_blocks.3.txt_attn.qkv": {f"transformer_blocks.3.attn.add_{x}_proj": D for x in "qkv"},
    "single_blocks.7.linear1": {
        **{f"single_transformer_blocks.7.attn.to_{x}": D for x in "qkv"},
        "single_transformer_blocks.7.proj_mlp": 4 * D,
    },
    "joint_blocks.2.context_block.attn.qkv": {f"transformer_blocks.2.attn.add_{x}_proj": D for x in "qkv"},
    "joint_blocks.2.x_block.attn2.qkv": {f"transformer_blocks.2.attn2.to_{x}": D for x in "qkv"},
    "layers.4.attention.qkv": {f"layers.4.attention.to_{x}": D for x in "qkv"},
}
RENAMED = {
    "double_blocks.3.img_attn.proj": "transformer_blocks.3.attn.to_out.0",
    "double_blocks.3.txt_attn.proj": "transformer_blocks.3.attn.to_add_out",
    "double_blocks.3.img_mlp.0": "transformer_blocks.3.ff.net.0.proj",
    "double_blocks.3.txt_mlp.2": "transformer_blocks.3.ff_context.net.2",
    "double_blocks.3.img_mod.lin": "transformer_blocks.3.norm1.linear",
    "single_blocks.7.linear2": "single_transformer_blocks.7.proj_out",
    "single_blocks.7.modulation.lin": "single_transformer_blocks.7.norm.linear",
    "joint_blocks.2.x_block.mlp.fc1": "transformer_blocks.2.ff.net.0.proj",
}


def sketch_file(
    path: Path, layers: Mapping[str, Mapping[str, torch.Tensor]], ending: str
) -> tuple[tuple[str, ...], np.ndarray]:
    """Of a LoRA with these factors; `ending` has places for `down` and `up`."""
    down, up = ending.split()
    tensors = {}
    for layer, factors in layers.items():
        tensors |= {f"{layer}{down}": factors["down"].clone(), f"{layer}{up}": factors["up"].clone()}
    save_file(tensors, path)
    return sketch_of(model_file(path.stem, path=path))[:2]


@pytest.mark.parametrize("joined", BOTH)
def test_a_joined_matrix_and_its_parts_have_the_same_sketch(tmp_path: Path, joined: str):
    factors = random({"up": (sum(BOTH[joined].values()), R), "down": (R, D)})
    parts, first = {}, 0
    for name, outputs in BOTH[joined].items():
        parts[f"transformer.{name}"] = {**factors, "up": factors["up"][first : first + outputs]}
        first += outputs
    kohya = {f"lora_unet_{joined.replace('.', '_')}": factors}
    names, s = sketch_file(tmp_path / "kohya.safetensors", kohya, ".lora_down.weight .lora_up.weight")
    same, t = sketch_file(tmp_path / "diffusers.safetensors", parts, ".lora_A.weight .lora_B.weight")
    assert names == same == tuple(sorted(f"unet.{name.replace('.', '_')}" for name in BOTH[joined]))
    np.testing.assert_allclose(s, t, rtol=1e-5)
    for name, row in zip(names, s, strict=True):  # of each part, what its own ΔW says
        of = next(
            of for key, of in parts.items() if f"unet.{key.removeprefix('transformer.').replace('.', '_')}" == name
        )
        np.testing.assert_allclose(row, sketch_layer(name, of, len(row)), rtol=1e-5)


@pytest.mark.parametrize("form", ["LoHa", "LoKr", "LoKr of products", "full difference"])
def test_parts_of_other_ways_of_writing_are_those_of_the_whole_change(form: str):
    factors = random(SHAPES[form])
    change = networks.difference(factors)
    assert networks.shape(factors) == (12, 10)
    part = sketch_layer("layer", factors, K, slice(4, 8))
    assert part == pytest.approx(sketch_layer("layer", {"diff": change[4:8]}, K), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("original", RENAMED)
def test_a_transformers_layers_are_called_as_diffusers_calls_them(tmp_path: Path, original: str):
    factors = random({"up": (5, R), "down": (R, D)})
    ending = ".lora_down.weight .lora_up.weight"
    names, s = sketch_file(tmp_path / "a.safetensors", {f"lora_unet_{original.replace('.', '_')}": factors}, ending)
    same, t = sketch_file(tmp_path / "b.safetensors", {f"transformer.{RENAMED[original]}": factors}, ending)
    assert names == same == (f"unet.{RENAMED[original].replace('.', '_')}",)
    assert np.array_equal(s, t)


def test_grouped_queries_stay_one_matrix(tmp_path: Path):
    factors = {"lora_unet_layers_0_attention_qkv": random({"up": (10, R), "down": (R, D)})}  # 6, 2 and 2
    names, _ = sketch_file(tmp_path / "a.safetensors", factors, ".lora_down.weight .lora_up.weight")
    assert names == ("unet.layers_0_attention_qkv",)


N = 2**18
CLAIMS = {  # a few megabytes of factors, or none at all, whose layer would take gigabytes
    "LoRA of rank 0": {"up": (2**27, 0), "down": (0, 2**27)},
    "LoHa": {"hada_w1_a": (N, 1), "hada_w1_b": (1, N), "hada_w2_a": (N, 1), "hada_w2_b": (1, N)},
    "LoKr": {"lokr_w1": (N, 1), "lokr_w2": (N, 1)},
    "LoKr of products": {"lokr_w1": (1, 1), "lokr_w2_a": (N, 1), "lokr_w2_b": (1, N)},
    "Tucker": {"up": (N, 1, 1, 1), "mid": (1, 1, 1, 1), "down": (1, N, 1, 1)},
}


@pytest.mark.parametrize("form", CLAIMS)
def test_a_layer_that_no_model_has_is_refused_before_it_is_formed(form: str):
    with pytest.raises(ModelSearchError, match="layer"):
        sketch_layer("layer", {name: torch.zeros(shape) for name, shape in CLAIMS[form].items()}, K)


def test_a_layer_of_rank_0_changes_nothing():
    factors = {"up": torch.zeros(12, 0), "down": torch.zeros(0, 10), "alpha": torch.tensor(4.0)}
    assert np.array_equal(sketch_layer("layer", factors, K), np.zeros(K))
