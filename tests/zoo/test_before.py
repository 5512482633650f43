"""What the benchmark of guesses by weights is made of: canonical tokens, the encoder of them, figures, and the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from benchmarks.before import encoder, large, page
from benchmarks.before.tokens import Tokens, narrowed, of_matrix, of_product, tokens
from modelsearch_core.catalog.weight_sketches import Sketch
from modelsearch_core.generators.base_weights import BaseWeights
from tests.making.fakes import model_file

LAYER = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"


def factors(outputs: int = 12, inputs: int = 10, rank: int = 3, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(outputs, rank, generator=generator), torch.randn(rank, inputs, generator=generator)


def test_triplets_are_the_change_again():
    up, down = factors()
    U, s, V = of_product(up, down, 3)
    torch.testing.assert_close((U.T * s) @ V, up @ down, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(U @ U.T, torch.eye(3), atol=1e-5, rtol=1e-5)


def test_another_way_of_factoring_has_the_same_tokens_signs_included():
    up, down = factors()
    turned = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1)))[0]
    others = [of_product(2 * up @ turned, turned.T @ down / 2, 3), of_product(-up, -down, 3), of_matrix(up @ down, 3)]
    for other in others:
        for a, b in zip(of_product(up, down, 3), other, strict=True):
            torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


def test_tokens_of_files_are_in_the_same_place_whatever_they_lack(tmp_path: Path):
    (up, down), (conv_up, conv_down) = factors(), factors(8, 18, 2, seed=1)
    attention = {f"unet.{LAYER}.lora_A.weight": down, f"unet.{LAYER}.lora_B.weight": up}
    convolution = {
        "lora_unet_conv_in.lora_down.weight": conv_down.reshape(2, 2, 3, 3),
        "lora_unet_conv_in.lora_up.weight": conv_up.reshape(8, 2, 1, 1),
        "lora_unet_conv_in.alpha": torch.tensor(1.0),
    }
    save_file(attention, tmp_path / "a.safetensors")
    save_file(convolution, tmp_path / "b.safetensors")
    save_file({"conv_in.weight": torch.ones(8, 2, 3, 3)}, tmp_path / "base.safetensors")
    files = [model_file(name, path=tmp_path / f"{name}.safetensors") for name in "ab"]
    with BaseWeights(tmp_path / "base.safetensors") as base:
        found = tokens(files, base)
    assert [tuple(of.shape) for of in found] == [(2, 2, 4, 12), (2, 2, 4), (2, 2, 4, 18)]
    whole = torch.einsum("nlro,nlr,nlri->nloi", *found)
    torch.testing.assert_close(whole[1, 0, :8], conv_up @ conv_down / 2, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(whole[0, 1, :, :10], up @ down, atol=1e-5, rtol=1e-5)
    assert not whole[0, 0].any() and not whole[1, 1].any()


def test_a_doras_tokens_are_those_of_all_that_it_changes(tmp_path: Path):
    generator = torch.Generator().manual_seed(2)
    W, (up, down), m = torch.randn(6, 5, generator=generator), factors(6, 5), torch.rand(6, generator=generator)
    name = f"unet.{LAYER}"
    state = {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up, f"{name}.lora_magnitude_vector": m}
    save_file(state, tmp_path / "dora.safetensors")
    save_file({f"{LAYER}.weight": W}, tmp_path / "base.safetensors")
    with BaseWeights(tmp_path / "base.safetensors") as base:
        found = tokens([model_file("dora", path=tmp_path / "dora.safetensors")], base, R=5)
    changed = W + up @ down
    wanted = m[:, None] * changed / changed.norm(dim=1, keepdim=True) - W
    torch.testing.assert_close(torch.einsum("ro,r,ri->oi", *(of[0, 0] for of in found)), wanted, atol=1e-4, rtol=1e-4)


def world(n: int) -> tuple[Tokens, np.ndarray]:
    """LoRA of one layer that differ in one output only, which says where their pictures go."""
    rng = np.random.default_rng(0)
    which = rng.integers(3, size=n)
    U = torch.eye(3)[which][:, None, None, :]
    V = torch.eye(4)[[0] * n][:, None, None, :]
    return Tokens(U, torch.ones(n, 1, 1), V), np.eye(3)[which]


@pytest.mark.parametrize("kind", large.ENCODERS.values())
def test_an_encoder_learns_what_weights_tell(kind: type[encoder.Encoder]):
    of, D = world(36)
    known, others = np.arange(30), np.arange(30, 36)
    guessed = encoder.predicted(kind, of, D, known, 0)[others]
    mean = np.broadcast_to(D[known].mean(axis=0), guessed.shape)
    assert large.agreement(guessed, D[others]) > 0.95 > 0.7 > large.agreement(mean, D[others])


@pytest.mark.parametrize("kind", large.ENCODERS.values())
def test_where_weights_tell_nothing_it_stays_near_the_mean(kind: type[encoder.Encoder]):
    of, D = world(20)
    of = of._replace(U=of.U[:1].expand(20, -1, -1, -1))
    guessed, mean = encoder.predicted(kind, of, D, np.arange(15), 0), D[:15].mean(axis=0)
    assert large.agreement(guessed, np.broadcast_to(mean / np.linalg.norm(mean), D.shape)) > 0.95


def test_learned_probes_know_no_signs():
    of, D = world(6)
    torch.manual_seed(0)
    net = encoder.LearnedProbes(of, torch.tensor(D[:5].mean(axis=0), dtype=torch.float32))
    nn.init.normal_(net.head.weight)
    torch.testing.assert_close(net.eval()(of), net(of._replace(U=-of.U, V=-of.V)))
    assert not torch.allclose(net(of), net(of._replace(U=-of.U)))


def test_narrower_tokens_keep_their_inner_products():
    generator = torch.Generator().manual_seed(0)
    V = torch.nn.functional.normalize(torch.randn(40, 1, 1, 900, generator=generator), dim=-1)
    few = narrowed(Tokens(V[..., :8], torch.ones(40, 1, 1), V), 256)
    assert few.U.shape[-1] == 8
    whole, kept = (X[:, 0, 0] @ X[:, 0, 0].T for X in (V, few.V))
    assert float((whole - kept).abs().max()) < 0.3
    assert float((whole - kept).square().mean().sqrt()) < 0.08


def test_groups_are_those_of_their_layers():
    rng = np.random.default_rng(0)
    names = ("unet.a_attn1_to_q", "unet.a_attn2_to_q", "unet.a_resnets_0_conv1")
    sketches = [Sketch(names, rng.normal(size=(3, 8)).astype(np.float32)) for _ in range(4)]
    grams = large.grams_of(sketches)
    for layer, group in enumerate(large.GROUPS):
        rows = np.array([of.s[layer] / np.linalg.norm(of.s[layer]) for of in sketches])
        assert grams[group] == pytest.approx(rows @ rows.T, abs=1e-6)
    all_normalised = sum(grams[group] for group in large.GROUPS) / 3
    assert grams["all normalised"] == pytest.approx(all_normalised, abs=1e-6)


def test_leads_are_taken_draw_by_draw():
    drawn = [
        {"mean": mean, "kernel all": mean + 0.1, "as in W2T": mean - lag, "learned probes": mean}
        for mean, lag in ((0.2, 0.0), (0.8, 0.1))
    ]
    told = large.summary(drawn)
    assert told["mean"] == [0.5, 0.26, 0.74]
    assert told["kernel all - mean"] == [0.1, 0.1, 0.1]
    assert told["as in W2T - kernel"] == [-0.15, -0.19, -0.11]


def test_the_page_is_what_the_command_writes():
    assert page.PAGE.read_text(encoding="utf-8") == page.page(*page.measured())
