"""LoRA that were really trained and merged: epochs of one training, copies and merges are told from each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
import torch
from safetensors.torch import save_file

from modelsearch_core.catalog import Catalog
from modelsearch_core.indexing import silent
from modelsearch_core.indexing.weight_sketches import store_sketches
from modelsearch_core.scores.kinship import Kinship
from modelsearch_core.search import ModelIndex
from modelsearch_core.specification import Evidence, Specification
from tests.making.fakes import ColourEncoder, model_file

WIDTH, RANK, BATCH = 24, 4, 64
LAYERS = [f"lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_{letter}" for letter in "qkv"]
Change = Mapping[str, tuple[torch.Tensor, torch.Tensor]]  # up and down by layer


class Network:
    """Three layers, and LoRA of them that are trained by gradient descent towards a target that is their own."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        self.weights = [torch.randn(WIDTH, WIDTH, generator=generator) / WIDTH**0.5 for _ in LAYERS]

    def __call__(self, x: torch.Tensor, changes: list[torch.Tensor]) -> torch.Tensor:
        for weight, change in zip(self.weights, changes, strict=True):
            x = torch.tanh(x @ (weight + change).T)
        return x

    def train(self, seed: int, epochs: int, steps: int = 25) -> list[Change]:
        """The LoRA after each epoch."""
        generator = torch.Generator().manual_seed(seed)
        target = [torch.randn(WIDTH, WIDTH, generator=generator) * 0.1 for _ in LAYERS]
        downs = [torch.randn(RANK, WIDTH, generator=generator).div(WIDTH**0.5).requires_grad_() for _ in LAYERS]
        ups = [torch.zeros(WIDTH, RANK, requires_grad=True) for _ in LAYERS]
        optimiser, found = torch.optim.AdamW([*ups, *downs], lr=2e-3), list[Change]()
        for _ in range(epochs):
            for _ in range(steps):
                x = torch.randn(BATCH, WIDTH, generator=generator)
                changed = self(x, [up @ down for up, down in zip(ups, downs, strict=True)])
                loss = (changed - self(x, target)).square().mean()
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
            pairs = [(up.detach().clone(), down.detach().clone()) for up, down in zip(ups, downs, strict=True)]
            found.append(dict(zip(LAYERS, pairs, strict=True)))
        return found


def merged(a: Change, b: Change, alpha: float, beta: float) -> Change:
    """Of twice the rank."""
    return {
        layer: (torch.cat([alpha * a[layer][0], beta * b[layer][0]], 1), torch.cat([a[layer][1], b[layer][1]]))
        for layer in LAYERS
    }


def resized(change: Change, rank: int, by: float = 1.0) -> Change:
    """Its strongest directions, as resizing scripts write them."""
    found: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
    for layer, (up, down) in change.items():
        U, S, V = torch.linalg.svd(up @ down, full_matrices=False)
        found[layer] = U[:, :rank] * S[:rank] * by, V[:rank]
    return found


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelIndex]:
    folder, network, encoder = tmp_path_factory.mktemp("kin"), Network(), ColourEncoder()
    ink, fog, third = (network.train(seed, epochs=4) for seed in (1, 2, 3))
    changes = {
        **{f"ink-00000{2 * epoch + 2}": change for epoch, change in enumerate(ink)},
        "fog": fog[-1],
        "third": third[-1],
        "ink and fog": merged(ink[-1], fog[-1], 0.6, 0.5),
        "fog and third, resized": resized(merged(fog[-1], third[-1], 0.5, 0.5), RANK),
        "third again": resized(third[-1], RANK),
        "third, weaker": resized(third[-1], RANK, by=0.5),
    }
    catalog = Catalog(folder / "catalog.sqlite")
    catalog.put_encoder(encoder.name, "colours", encoder.dimension)
    files = [model_file(name, fingerprint=name, path=folder / f"{name}.safetensors") for name in changes]
    for file, change in zip(files, changes.values(), strict=True):
        tensors = {f"{layer}.lora_up.weight": up.contiguous() for layer, (up, _) in change.items()}
        tensors |= {f"{layer}.lora_down.weight": down.contiguous() for layer, (_, down) in change.items()}
        save_file(tensors, file.path)
        words = encoder.encode_texts([file.title])
        catalog.put_specification(
            Specification(
                fingerprint=file.fingerprint,
                digest="words",
                encoder=encoder.name,
                evidence=Evidence.METADATA,
                Z=words,
                numbers=torch.zeros(1, dtype=torch.int32).numpy(),
            )
        )
    catalog.put_files(files)
    store_sketches(catalog, files, silent)
    catalog.close()
    with ModelIndex.open(folder / "catalog.sqlite", encoder=encoder) as opened:
        yield opened


def test_merges_are_named_with_their_parts(index: ModelIndex):
    found = {of.merged.stem: of for of in index.merges()}
    assert set(found) == {"ink and fog", "fog and third, resized"}
    exact = found["ink and fog"]
    assert {exact.a.stem: exact.alpha, exact.b.stem: exact.beta} == {
        "ink-000008": pytest.approx(0.6, abs=0.01),
        "fog": pytest.approx(0.5, abs=0.01),
    }
    assert exact.explained == pytest.approx(1, abs=0.01)
    assert "fog" in {found["fog and third, resized"].a.stem, found["fog and third, resized"].b.stem}
    assert 0.8 < found["fog and third, resized"].explained < 0.99


def test_epochs_go_on_where_the_ones_before_them_went(index: ModelIndex):
    epochs = [kin for kin in index.near_by_weights() if kin.kinship is Kinship.TRAINING]
    pairs = {(kin.a.stem, kin.b.stem) for kin in epochs}
    assert {("ink-000006", "ink-000008"), ("ink-000004", "ink-000008")} <= pairs
    assert all(a < b and a.startswith("ink-") for a, b in pairs)
    assert all(kin.ratio > 1 and "epochs" in kin.in_words for kin in epochs)


def test_what_was_written_another_way_or_weaker_is_the_same_change(index: ModelIndex):
    same = {frozenset((kin.a.stem, kin.b.stem)): kin for kin in index.near_by_weights() if kin.cosine > 0.995}
    copy = same[frozenset(("third", "third again"))]
    assert (copy.kinship, copy.in_words) == (Kinship.COPY, "the same change, written another way")
    scaled = same[frozenset(("third", "third, weaker"))]
    assert (scaled.kinship, scaled.a.stem) == (Kinship.SCALED, "third, weaker")
    assert scaled.in_words == "the same change; the second is 2.00 times as strong"
