"""What a LoRA changes as canonical tokens, after W2T (arXiv 2603.15990): of each layer the singular triplets of ΔW = B A,
by QR of both factors and the singular values of what is between, so that every way of factoring has the same ones.

U (L, R, outputs), V (L, R, inputs): rows of unit length, the largest number of one of U positive, padded with zeros to
the widest layer.  s (L, R): singular values, falling; 0 where a layer has no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch

from modelsearch_core.generators import factors as networks
from modelsearch_core.generators.base_weights import BaseWeights
from modelsearch_core.generators.layer_names import canonical
from modelsearch_core.generators.network_files import layers_of
from modelsearch_core.model_files import ModelFile

SEED = 75_000
Triplets = tuple[torch.Tensor, torch.Tensor, torch.Tensor]  # U (R, outputs), s (R,), V (R, inputs)


class Tokens(NamedTuple):
    """Of n LoRA: U (n, L, R, outputs), s (n, L, R), V (n, L, R, inputs)."""

    U: torch.Tensor
    s: torch.Tensor
    V: torch.Tensor

    def of(self, rows: Sequence[int] | torch.Tensor) -> Tokens:
        return Tokens(*(of[rows] for of in self))


def tokens(loras: Sequence[ModelFile], base: BaseWeights, R: int = 4) -> Tokens:
    """Of LoRA of one model; a layer that one of them leaves as it is has singular values of 0."""
    each = [triplets_of(lora, base, R) for lora in loras]
    names = sorted({name for of in each for name in of})
    sides = [max(of[name][side].shape[1] for of in each for name in of) for side in (0, 2)]
    found = Tokens(*(torch.zeros(len(each), len(names), R, *width) for width in ((sides[0],), (), (sides[1],))))
    for n, of in enumerate(each):
        for layer, name in enumerate(names):
            if name in of:
                U, s, V = of[name]
                found.U[n, layer, : len(s), : U.shape[1]] = U
                found.s[n, layer, : len(s)] = s
                found.V[n, layer, : len(s), : V.shape[1]] = V
    return found


def narrowed(found: Tokens, width: int = 64) -> Tokens:
    """U and V of each layer by random projections to this width, the same for all: their inner products are kept by and
    large (Johnson & Lindenstrauss 1984), and a network of few LoRA has less to learn by heart."""
    generator = torch.Generator().manual_seed(SEED)

    def fewer(X: torch.Tensor) -> torch.Tensor:
        if X.shape[-1] <= width:
            return X
        by = torch.randn(X.shape[1], X.shape[-1], width, generator=generator) / width**0.5
        return torch.einsum("nlrd,ldw->nlrw", X, by)

    return Tokens(fewer(found.U), found.s, fewer(found.V))


def triplets_of(lora: ModelFile, base: BaseWeights, R: int) -> dict[str, Triplets]:
    """Of each layer the R largest, by its canonical name."""
    return {canonical(layer): _of_layer(canonical(layer), of, base, R) for layer, of in layers_of(lora).items()}


def _of_layer(name: str, factors: Mapping[str, torch.Tensor], base: BaseWeights, R: int) -> Triplets:
    here = {key: tensor.float() for key, tensor in factors.items()}
    weight = base.get(name)
    if "dora_scale" in here and weight is not None:  # what it changes is of full rank
        return of_matrix((networks.changed_weight(weight, here, 1.0) - weight.float()).flatten(1), R)
    up, down = here["up"].flatten(1), here["down"].flatten(1)
    return of_product(up * networks.scale(here, down.shape[0]), down, R)


def of_product(up: torch.Tensor, down: torch.Tensor, R: int) -> Triplets:
    """Of up (outputs, r) · down (r, inputs), which is never formed."""
    Q_up, R_up = torch.linalg.qr(up)
    Q_down, R_down = torch.linalg.qr(down.T)
    U, s, V = torch.linalg.svd(R_up @ R_down.T, full_matrices=False)
    return _signed((Q_up @ U).T[:R], s[:R], (V @ Q_down.T)[:R])


def of_matrix(change: torch.Tensor, R: int) -> Triplets:
    U, s, V = torch.linalg.svd(change, full_matrices=False)
    return _signed(U.T[:R], s[:R], V[:R])


def _signed(U: torch.Tensor, s: torch.Tensor, V: torch.Tensor) -> Triplets:
    largest = U.gather(1, U.abs().argmax(dim=1, keepdim=True))
    sign = torch.where(largest < 0, -1.0, 1.0)
    return U * sign, s, V * sign
