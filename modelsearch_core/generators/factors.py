"""What a LoRA or one of its relatives adds to a weight.

Plain and convolutional LoRA (arXiv 2106.09685; `lora_mid` is LoCon's Tucker core), LoHa and LoKr (LyCORIS, arXiv
2309.14859), full differences, and DoRA's magnitude on top of any of them (arXiv 2402.09353). Names as in the files.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ..errors import ModelSearchError

MOST_NUMBERS = 2**29  # of a ΔW that is formed without its weight; a few megabytes of factors can claim a terabyte
Factors = Mapping[str, torch.Tensor]  # of one layer, by the canonical names of `network_files`


def changed_weight(weight: torch.Tensor, factors: Factors, strength: float) -> torch.Tensor:
    """The weight with the network applied; float32, in the shape of `weight`."""
    here = {name: tensor.to(weight.device, torch.float32) for name, tensor in factors.items()}
    weight = weight.float()
    change = difference(here, weight.numel()).reshape(weight.shape)
    if "dora_scale" in here:
        change = _with_magnitude(weight + change, here["dora_scale"]) - weight
    return weight + strength * change


def difference(factors: Factors, most: int = MOST_NUMBERS) -> torch.Tensor:
    """ΔW without DoRA's magnitude, of float32 factors. Raises ModelSearchError for one of more than `most` numbers."""
    if "diff" in factors:
        return factors["diff"]
    if "hada_w1_a" in factors:
        return scale(factors, factors["hada_w1_b"].shape[0]) * _hadamard(factors, most)
    if "lokr_w1" in factors or "lokr_w1_a" in factors:
        return _kronecker(factors, most)
    return scale(factors, factors["down"].shape[0]) * _low_rank(factors, most)


def shape(factors: Factors) -> tuple[int, int] | None:
    """(outputs, inputs) of ΔW as a matrix, which is not formed; None for what is none of these."""
    if "diff" in factors:
        whole = factors["diff"].shape
        return (int(whole[0]), whole[1:].numel()) if whole else (1, 1)
    if "hada_w1_a" in factors:
        return factors["hada_w1_a"].shape[0], factors["hada_w1_b"].shape[1]
    if "lokr_w1" in factors or "lokr_w1_a" in factors:
        sides = [_shape_of_product(factors, name) for name in ("lokr_w1", "lokr_w2")]
        return sides[0][0] * sides[1][0], sides[0][1] * sides[1][1]
    return (factors["up"].shape[0], factors["down"][0].numel()) if {"up", "down"} <= set(factors) else None


def _shape_of_product(factors: Factors, name: str) -> tuple[int, int]:
    if name in factors:
        return factors[name].shape[0], factors[name][0].numel()
    return factors[f"{name}_a"].shape[0], factors[f"{name}_b"][0].numel()


def _low_rank(factors: Factors, most: int) -> torch.Tensor:
    """up · down, with a Tucker core between them for some convolutions."""
    up, down = factors["up"].flatten(1), factors["down"]
    core = factors["mid"][0, 0].numel() if "mid" in factors else 1
    _check(up.shape[0] * down.flatten(1).shape[1] * core, most)
    if "mid" in factors:
        return torch.einsum("om,mnkl,ni->oikl", up, factors["mid"], down.flatten(1))
    return up @ down.flatten(1)


def _hadamard(factors: Factors, most: int) -> torch.Tensor:
    """(w1a · w1b) ⊙ (w2a · w2b)."""
    return _product(factors, "hada_w1", "hada_t1", most) * _product(factors, "hada_w2", "hada_t2", most)


def _kronecker(factors: Factors, most: int) -> torch.Tensor:
    w1, w2, by = kronecker_factors(factors, most)
    _check(w1.numel() * w2.numel(), most)
    return torch.kron(w1, w2) * by


def kronecker_factors(factors: Factors, most: int = MOST_NUMBERS) -> tuple[torch.Tensor, torch.Tensor, float]:
    """(w1, w2, scale) of w1 ⊗ w2, each of them possibly a product; alpha counts only where one is."""
    ranks = [factors[name].shape[0] for name in ("lokr_w1_b", "lokr_w2_b") if name in factors]
    w1 = _product(factors, "lokr_w1", "lokr_t1", most)
    w2 = _product(factors, "lokr_w2", "lokr_t2", most)
    w1 = w1.reshape(*w1.shape, *[1] * (w2.dim() - w1.dim()))
    return w1, w2, scale(factors, ranks[0]) if ranks else 1.0


def _product(factors: Factors, name: str, core: str, most: int) -> torch.Tensor:
    if name in factors:
        return factors[name]
    a, b = factors[f"{name}_a"], factors[f"{name}_b"]
    if core in factors:
        _check(a[0].numel() * b[0].numel() * factors[core][0, 0].numel(), most)
        return torch.einsum("ij...,ip,jr->pr...", factors[core], a, b)
    _check(a.shape[0] * b[0].numel(), most)
    return a @ b


def _check(numbers: int, most: int) -> None:
    if numbers > most:
        raise ModelSearchError(f"the file's factors make a layer of {numbers} numbers; {most} at most fit here")


def scale(factors: Factors, rank: int) -> float:
    """alpha/rank; of rank 0, whose product is nothing, 1."""
    return float(factors["alpha"]) / rank if rank and "alpha" in factors else 1.0


def _with_magnitude(weight: torch.Tensor, magnitude: torch.Tensor) -> torch.Tensor:
    """The direction of `weight` with this norm: per output where the magnitude has as many entries in front, else per
    input (LyCORIS writes either)."""
    axis = 0 if magnitude.shape[0] == weight.shape[0] else 1
    others = [dimension for dimension in range(weight.dim()) if dimension != axis]
    shape = [-1 if dimension == axis else 1 for dimension in range(weight.dim())]
    norm = torch.linalg.vector_norm(weight, dim=others, keepdim=True)
    return weight * rescaling(magnitude.reshape(shape), norm)


def rescaling(magnitude: torch.Tensor, norm: torch.Tensor) -> torch.Tensor:
    """m/‖W + BA‖."""
    return magnitude / (norm + torch.finfo(norm.dtype).eps)
