"""What a LoRA changes, in a few numbers a layer: random probes of ΔW, which no way of factoring it changes.

s_k = u_kᵀ ΔW v_k with signs u_k, v_k from a seed that hashes the layer's canonical name. The mean of s·s′ over k is an
unbiased estimate of ⟨ΔW, ΔW′⟩ for two LoRA, off by about ‖ΔW‖‖ΔW′‖/√K a layer (Alon, Matias & Szegedy 1996). ΔW is
never formed where its factors are smaller. Of a matrix that other programs write in parts, each part is probed by
itself. DoRA (arXiv 2402.09353) changes a weight W by m·(W + BA)/‖W + BA‖ − W, with W from its base's file; where that
is not at hand, BA alone is taken.
docs/methods.md 9.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import ModelSearchError
from ..model_files import ModelFile
from . import factors as networks
from .joined_layers import Part, apart, is_joined, renamed
from .layer_names import canonical
from .network_files import layers_of

BUDGET = 4096  # numbers a LoRA, about: few layers are probed more often
FEWEST, MOST = 4, 128  # probes a layer
CACHED = 2048  # layers whose probes are kept: those of the next LoRA of the family
WIDEST = 2**19  # inputs and outputs of a layer together; those of whole vocabularies are about half as many
WIDEST_CACHED = 2**16
Probes = tuple[torch.Tensor, torch.Tensor]


class Weights(Protocol):
    """A base's, by the canonical names of layers (`base_weights.BaseWeights`)."""

    def get(self, layer: str) -> torch.Tensor | None: ...


class Sketched(NamedTuple):
    """Canonical names of a LoRA's layers (L,), s (L, K), and of how many of them DoRA's magnitude is left out."""

    names: tuple[str, ...]
    s: NDArray[np.float32]
    without_magnitude: int


def sketch_of(lora: ModelFile, base: Weights | None = None) -> Sketched:
    """Of a LoRA's file; of few layers K is larger, and its first numbers are those of a smaller K. Raises
    ModelSearchError for a way of writing that is not known."""
    found: dict[str, NDArray[np.float32]] = {}
    parts = [(part, factors) for layer, factors in layers_of(lora).items() for part in _parts(layer, factors)]
    K, without = probes_a_layer(len(parts)), 0
    for (name, first, behind), factors in parts:
        rows = slice(first, behind)
        weight = base.get(name) if base is not None and "dora_scale" in factors else None
        s = sketch_dora(name, factors, K, weight, rows) if weight is not None else None
        if s is None or not np.isfinite(s).all():
            s = sketch_layer(name, factors, K, rows)
            without += s is not None and "dora_scale" in factors
        if s is not None and np.isfinite(s).all():
            found[name] = found[name] + s if name in found else s
    names = tuple(sorted(found))
    return Sketched(names, np.array([found[name] for name in names], np.float32).reshape(len(names), K), without)


def probes_a_layer(L: int) -> int:
    """K, a power of two, so that LoRA of about as many layers have equally many."""
    return max(FEWEST, min(MOST, 1 << max(0, (BUDGET // max(L, 1)).bit_length() - 1)))


def _parts(layer: str, factors: networks.Factors) -> list[Part]:
    """What a layer of a file stands for."""
    name = canonical(layer)
    shape = networks.shape(factors) if is_joined(name) else None
    return [(renamed(name), 0, sys.maxsize)] if shape is None else apart(name, *shape)


def sketch_layer(
    name: str, factors: networks.Factors, K: int, outputs: slice = slice(None)
) -> NDArray[np.float32] | None:
    """s (K,) of a layer's ΔW, or of some of its outputs; None where it has none that its base does not have to tell."""
    here = {key: tensor.to(torch.float32) for key, tensor in factors.items() if key != "dora_scale"}
    if "up" in here and "down" in here and "mid" not in here:
        return _of_product(name, here, K, outputs)
    if "hada_w1_a" in here or "diff" in here or "mid" in here:
        return _of_whole(name, networks.difference(here), K, outputs)
    if "lokr_w1" in here or "lokr_w1_a" in here:
        return _of_kronecker(name, here, K, outputs)
    return None


def sketch_dora(
    name: str, factors: networks.Factors, K: int, weight: torch.Tensor, outputs: slice = slice(None)
) -> NDArray[np.float32] | None:
    """s (K,) of m·(W + BA)/‖W + BA‖ − W, of a base's weight W with these outputs; None where W or m is not of this
    shape."""
    here = {key: tensor.to(torch.float32) for key, tensor in factors.items() if key not in ("dora_scale", "diff_b")}
    m, W = factors["dora_scale"].to(torch.float32), weight.to(torch.float32)
    if not m.dim():
        return None
    if set(here) <= {"up", "down", "alpha"} and m.shape[0] == m.numel() == here["up"].shape[0]:
        return _of_rescaled_product(name, here, K, W.flatten(1), m.flatten()[outputs], outputs)
    change = networks.difference(here)
    rows = change.reshape(change.shape[0], -1)[outputs]
    if m.shape[0] == change.shape[0]:
        m = m[outputs]
    elif len(rows) < len(change) or m.numel() != W.shape[1]:  # lengths of inputs are over all outputs
        return None
    if rows.shape != W.flatten(1).shape:
        return None
    changed = networks.changed_weight(W, {"diff": rows.reshape(W.shape), "dora_scale": m}, 1.0)
    return _of_whole(name, changed - W, K, slice(None))


def _of_rescaled_product(
    name: str, factors: Mapping[str, torch.Tensor], K: int, W: torch.Tensor, m: torch.Tensor, outputs: slice
) -> NDArray[np.float32] | None:
    """With d = m/‖W + BA‖ of each output, s = Σ_i u_i [(d_i − 1)(Wv)_i + d_i (BAv)_i]; as ‖W_i + B_i A‖² = ‖W_i‖² +
    2 W_i Aᵀ B_iᵀ + B_i A Aᵀ B_iᵀ, W is multiplied by a few vectors, and no other matrix of its size is made."""
    A = factors["down"].flatten(1)
    B = factors["up"].flatten(1)[outputs] * networks.scale(factors, A.shape[0])
    if W.shape != (B.shape[0], A.shape[1]):
        return None
    u, v = probes(name, K, *W.shape)
    WA, Wv = (W @ torch.cat([A, v]).T).split([A.shape[0], K], dim=1)
    squared = torch.linalg.vector_norm(W, dim=1).square() + (2 * WA * B).sum(dim=1) + ((B @ (A @ A.T)) * B).sum(dim=1)
    d = networks.rescaling(m, squared.clamp(min=0).sqrt())[:, None]
    return (u * ((d - 1) * Wv + d * (B @ (A @ v.T))).T).sum(dim=1).numpy()


def _of_product(name: str, factors: Mapping[str, torch.Tensor], K: int, outputs: slice) -> NDArray[np.float32]:
    up, down = factors["up"].flatten(1)[outputs], factors["down"].flatten(1)
    u, v = probes(name, K, up.shape[0], down.shape[1])
    return (((u @ up) * (v @ down.T)).sum(dim=1) * networks.scale(factors, down.shape[0])).numpy()


def _of_whole(name: str, change: torch.Tensor, K: int, outputs: slice) -> NDArray[np.float32]:
    matrix = change.reshape(change.shape[0], -1)[outputs] if change.dim() else change.reshape(1, 1)
    u, v = probes(name, K, *matrix.shape)
    return ((u @ matrix) * v).sum(dim=1).numpy()


def _of_kronecker(name: str, factors: Mapping[str, torch.Tensor], K: int, outputs: slice) -> NDArray[np.float32]:
    """uᵀ (w1 ⊗ w2) v = ⟨Uᵀ w1 V, w2⟩ of the probes in the shape of the blocks."""
    w1, w2, scale = networks.kronecker_factors(factors)
    if w2.dim() > 2:  # a convolution: its kernel goes with w2
        w1 = w1.reshape(w1.shape[0], w1.shape[1])
    inner = w2[0, 0].numel() if w2.dim() > 2 else 1
    rows = range(w1.shape[0] * w2.shape[0])[outputs]
    some, v = probes(name, K, len(rows), w1.shape[1] * w2.shape[1] * inner)
    u = torch.zeros(K, w1.shape[0] * w2.shape[0])
    u[:, outputs] = some
    U = u.reshape(K, w1.shape[0], w2.shape[0])
    V = v.reshape(K, w1.shape[1], w2.shape[1] * inner)
    between = torch.einsum("kab,ac,kcd->kbd", U, w1, V)
    return ((between * w2.reshape(1, w2.shape[0], -1)).sum(dim=(1, 2)) * scale).numpy()


def probes(name: str, K: int, outputs: int, inputs: int) -> Probes:
    """u (K, outputs) and v (K, inputs), signs; the same ones for ever. ModelSearchError for a width that no layer
    has: a file's header can claim any shape."""
    width = outputs + inputs
    if width > WIDEST:
        raise ModelSearchError(f"the layer {name[:120]!r} would have {outputs} outputs and {inputs} inputs")
    signs = torch.from_numpy((_kept_signs if width <= WIDEST_CACHED else _signs)(name, K, width).astype(np.float32))
    return signs[:, :outputs], signs[:, outputs:]


def _signs(name: str, K: int, width: int) -> NDArray[np.int8]:
    """(K, width): SHAKE's stream of bits, row by row, which no version of a library draws otherwise."""
    stream = hashlib.shake_128(f"{name} {width}".encode()).digest(-(-K * width // 8))
    bits = np.unpackbits(np.frombuffer(stream, np.uint8), count=K * width)
    return (2 * bits.astype(np.int8) - 1).reshape(K, width)


_kept_signs = lru_cache(maxsize=CACHED)(_signs)
