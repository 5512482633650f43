"""Whether merges and epochs are told from each other: merges made of the procedural zoo's LoRA, and LoRA that are trained here and
kept after every forty steps.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.zoo import diffusion, lora
from benchmarks.zoo.built import FOLDER
from benchmarks.zoo.mini import loras as plans
from benchmarks.zoo.plan import Plan
from benchmarks.zoo.products import training_set
from modelsearch_core.catalog.weight_sketches import Sketch, stacked
from modelsearch_core.generators import factors as networks
from modelsearch_core.generators.layer_names import canonical
from modelsearch_core.generators.network_files import layers_of
from modelsearch_core.generators.sketches import probes_a_layer, sketch_layer
from modelsearch_core.model_files import Kind, ModelFile, scan
from modelsearch_core.scores.kinship import parts_of
from modelsearch_core.statistics.weights import SAME_TRAINING

PAIRS = 30  # that are merged
SHARES = ((0.5, 0.5), (0.7, 0.3), (0.85, 0.15))
EPOCH, EPOCHS = 40, 3  # steps
TRAINED = ("inkline-000008", "dots_v3")
SEED = 71_001  # other pairs than those by which the rule was chosen

Changes = Mapping[str, torch.Tensor]  # ΔW by layer


def kin() -> dict[str, Any]:
    """Of merges: the share that is found with its two parts. Of epochs: cosines and how much more they change."""
    files = [f for f in scan([FOLDER / "models"]) if isinstance(f, ModelFile) and f.kind is Kind.LORA]
    known = {file.path.stem: changes_of(file) for file in files}
    names = [name for name, of in known.items() if of]
    known_sketches = [sketch(known[name]) for name in names]
    G = _gram(known_sketches)
    taken = sum(parts_of(G, c, SAME_TRAINING) is not None for c in range(len(names)))
    rng = np.random.default_rng(SEED)
    pairs = list(combinations(range(len(names)), 2))
    chosen = [pairs[i] for i in rng.permutation(len(pairs))[:PAIRS]]
    found: dict[str, float] = {}
    for alpha, beta in SHARES:
        for rank in (None, 4):
            told = [_is_found(known, names, known_sketches, pair, (alpha, beta), rank) for pair in chosen]
            found[f"{alpha} and {beta}, {'as it is' if rank is None else f'of rank {rank}'}"] = float(np.mean(told))
    return {
        "merges": found,
        "pairs": PAIRS,
        "taken for merges": taken,
        "of": len(names),
        "epochs": epochs(known_sketches),
    }


def changes_of(file: ModelFile) -> dict[str, torch.Tensor]:
    """Without DoRA's magnitudes."""
    found: dict[str, torch.Tensor] = {}
    for layer, factors in layers_of(file).items():
        here = {name: tensor.float() for name, tensor in factors.items() if name != "dora_scale"}
        found[canonical(layer)] = networks.difference(here).flatten(1)
    return found


def sketch(changes: Changes) -> Sketch:
    K, names = probes_a_layer(len(changes)), tuple(sorted(changes))
    rows = [sketch_layer(name, {"diff": changes[name]}, K) for name in names]
    return Sketch(names, np.array([row for row in rows if row is not None], np.float32))


def _gram(sketches: Sequence[Sketch]) -> np.ndarray:
    X = stacked(sketches)
    return X @ X.T


def _is_found(
    known: Mapping[str, Changes],
    names: Sequence[str],
    sketches: Sequence[Sketch],
    pair: tuple[int, int],
    shares: tuple[float, float],
    rank: int | None,
) -> bool:
    a, b = (known[names[i]] for i in pair)
    zero = torch.zeros(())
    merged = {layer: shares[0] * a.get(layer, zero) + shares[1] * b.get(layer, zero) for layer in {**a, **b}}
    if rank is not None:
        merged = {layer: _of_rank(change, rank) for layer, change in merged.items()}
    parts = parts_of(_gram([sketch(merged), *sketches]), 0, SAME_TRAINING)
    return parts is not None and {parts.a - 1, parts.b - 1} == set(pair)


def _of_rank(change: torch.Tensor, rank: int) -> torch.Tensor:
    U, S, V = torch.linalg.svd(change, full_matrices=False)
    return U[:, :rank] * S[:rank] @ V[:rank]


def epochs(others: Sequence[Sketch]) -> dict[str, Any]:
    """Of really trained LoRA, after every forty steps: cosine and ratio of lengths of each with the last one; and with
    strangers at most."""
    base = diffusion.read(FOLDER / "models" / "base")
    found: dict[str, Any] = {}
    for plan in plans():
        if plan.name in TRAINED:
            kept = [sketch(changes) for changes in trained(plan, base)]
            G = _gram([*kept, *others])
            length = np.sqrt(np.diag(G))
            C = G / np.outer(length, length)
            last = EPOCHS - 1
            found[plan.name] = {
                "cosines": [round(float(C[i, last]), 3) for i in range(last)],
                "ratios": [round(float(length[last] / length[i]), 2) for i in range(last)],
                "merges": sum(parts_of(G[:EPOCHS, :EPOCHS], c, SAME_TRAINING) is not None for c in range(EPOCHS)),
            }
    return found


def trained(plan: Plan, base: diffusion.TinyDiffusion) -> list[dict[str, torch.Tensor]]:
    """ΔW by layer after each epoch."""
    torch.manual_seed(plan.seed)
    low = lora.new(base, plan.rank)
    unet, text = lora._Merged(base, low), base.text.requires_grad_(False).eval()  # the zoo's own trainer
    with tempfile.TemporaryDirectory() as work:
        latents, captions = diffusion.encoded(training_set(plan), base.vae, Path(work))
    ids, empty = diffusion.tokens(base.tokenizer, captions), diffusion.tokens(base.tokenizer, [""])
    loss = diffusion.noise_loss(unet, text, latents, ids, 16, empty, plan.emphasis)  # type: ignore[arg-type]  # called only
    weights = [w for f in low.values() for w in (f.down, f.up)]
    optimiser = torch.optim.AdamW(weights, lr=plan.rate / 2, weight_decay=0.0, betas=(0.9, 0.98))
    rng, noise, found = np.random.default_rng(plan.seed), torch.Generator().manual_seed(plan.seed), []
    for step in range(EPOCH * EPOCHS):
        optimiser.zero_grad(set_to_none=True)
        loss(rng, noise).backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        if (step + 1) % EPOCH == 0:
            found.append({canonical(f"unet.{n}"): (f.up @ f.down.flatten(1)).detach().clone() for n, f in low.items()})
    return found
