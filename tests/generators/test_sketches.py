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
    assert {names for names, _ in found} == {("unet.down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_k",)}
    assert all(np.array_equal(s, found[0][1]) for _, s in found)


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
