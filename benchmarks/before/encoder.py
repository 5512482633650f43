"""Small learned encoders of canonical tokens, after W2T (arXiv 2603.15990): they predict the direction in which a LoRA
changes pictures from those of LoRA that are known.

`AsInW2T`: a token is a singular triplet (both vectors projected, its value as a gain), the tokens of a layer are pooled
by learned queries, the layers go through a transformer with an embedding of their own, and are pooled by attention.
`LearnedProbes`: a layer is Σ_r s_r (P u_r) ⊙ (Q v_r), probes of ΔW that are learned, which no sign changes; the rest is
the same. Both are smaller than the paper's (32 numbers wide, one layer), as they learn from 8 to 128 LoRA instead of
thousands, and begin at the mean of the known directions. How long they learn is what is best for a fifth of the known
ones, held out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cosine_similarity, gelu, normalize

from .tokens import Tokens

WIDTH, HEADS, QUERIES, DROPOUT = 32, 4, 4, 0.1
EPOCHS, BATCH, RATE, DECAY = 30, 8, 5e-3, 1e-3  # larger batches of more than 64 LoRA, so that eight are all
FLIPPED = 0.5  # share of batches whose tokens have signs drawn anew: that a triplet has no sign is taught, too


class Encoder(nn.Module):
    """From tokens to directions (n, D) of any length."""

    def __init__(self, like: Tokens, mean: torch.Tensor) -> None:
        super().__init__()
        _, L, _, outputs = like.U.shape
        self.of_u = nn.Parameter(torch.randn(L, outputs, WIDTH) / math.sqrt(WIDTH))
        self.of_v = nn.Parameter(torch.randn(L, like.V.shape[-1], WIDTH) / math.sqrt(WIDTH))
        self.layer = nn.Parameter(torch.randn(L, WIDTH) * 0.02)
        self.between = nn.TransformerEncoderLayer(
            WIDTH, HEADS, 4 * WIDTH, DROPOUT, activation="gelu", batch_first=True, norm_first=True
        )
        self.weigh = nn.Linear(WIDTH, 1)
        self.head = nn.Linear(WIDTH, len(mean))
        nn.init.zeros_(self.head.weight)
        self.head.bias.data.copy_(mean)

    def forward(self, tokens: Tokens) -> torch.Tensor:
        u = torch.einsum("nlro,loh->nlrh", tokens.U, self.of_u)
        v = torch.einsum("nlri,lih->nlrh", tokens.V, self.of_v)
        layers = self.between(self.layers(u, tokens.s, v) + self.layer)
        return self.head((self.weigh(layers).softmax(dim=1) * layers).sum(dim=1))

    def layers(self, u: torch.Tensor, s: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """(n, L, WIDTH) of projected vectors (n, L, R, WIDTH) and singular values (n, L, R)."""
        raise NotImplementedError


class AsInW2T(Encoder):
    def __init__(self, like: Tokens, mean: torch.Tensor) -> None:
        super().__init__(like, mean)
        self.norm_u, self.norm_v = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.both = nn.Linear(2 * WIDTH, WIDTH)
        self.gain = nn.Sequential(nn.Linear(1, WIDTH), nn.GELU(), nn.Linear(WIDTH, 2 * WIDTH))
        self.queries = nn.Parameter(torch.randn(QUERIES, WIDTH) * 0.02)
        self.pooled = nn.Sequential(nn.Linear(QUERIES * WIDTH, WIDTH), nn.LayerNorm(WIDTH), nn.GELU())

    def layers(self, u: torch.Tensor, s: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        x = self.both(torch.cat([gelu(self.norm_u(u)), gelu(self.norm_v(v))], dim=-1))
        size = torch.log1p(s)[..., None]
        scale, shift = self.gain(size).chunk(2, dim=-1)
        x = x * (1 + torch.tanh(scale)) + shift
        heed = torch.einsum("qh,nlrh->nlqr", self.queries, x) / math.sqrt(WIDTH) + size.transpose(-1, -2) / 2
        heed = heed.masked_fill((s == 0)[:, :, None], -1e9)
        return self.pooled((heed.softmax(dim=-1) @ x).flatten(2))


class LearnedProbes(Encoder):
    def layers(self, u: torch.Tensor, s: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        length = s.square().mean(dim=(1, 2), keepdim=True).sqrt()
        return (u * v * (s / length.clamp(min=1e-9))[..., None]).sum(dim=2)


def predicted(
    kind: type[Encoder], tokens: Tokens, D: NDArray[np.floating], known: NDArray[np.integer], seed: int
) -> NDArray[np.floating]:
    """(n, d) of all, learned from the unit directions D of those known."""
    truth = torch.tensor(D, dtype=torch.float32)
    rows = torch.tensor(known)
    held = max(1, len(rows) // 5)
    few, test = rows[held:], rows[:held]
    told = [_agreement(net, tokens.of(test), truth[test]) for net in _trained(kind, tokens, truth, few, seed, EPOCHS)]
    best = int(np.argmax(told))
    *_, net = _trained(kind, tokens, truth, rows, seed, best)
    with torch.no_grad():
        return net(tokens).numpy()


def _trained(
    kind: type[Encoder], tokens: Tokens, truth: torch.Tensor, rows: torch.Tensor, seed: int, epochs: int
) -> Iterator[Encoder]:
    """After no epoch, one, two, ...; the same network goes on learning."""
    torch.manual_seed(seed)
    net = kind(tokens, truth[rows].mean(dim=0))
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    yield net.eval()
    for _ in range(epochs):
        net.train()
        for batch in rows[torch.randperm(len(rows))].split(max(BATCH, len(rows) // 8)):
            loss = 1 - cosine_similarity(net(_flipped(tokens.of(batch))), truth[batch]).mean()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
        yield net.eval()


def _flipped(tokens: Tokens) -> Tokens:
    if torch.rand(()) >= FLIPPED:
        return tokens
    sign = torch.randint(0, 2, (*tokens.s.shape, 1)) * 2.0 - 1
    return Tokens(tokens.U * sign, tokens.s, tokens.V * sign)


@torch.no_grad()
def _agreement(net: Encoder, tokens: Tokens, truth: torch.Tensor) -> float:
    return float((normalize(net(tokens), dim=1) * truth).sum(dim=1).mean())
