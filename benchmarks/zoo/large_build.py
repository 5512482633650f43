"""Builds the benchmark zoo on the mini zoo's base: `python -m benchmarks.zoo.large_build`.

Goes on where it was interrupted: a model whose held-out pictures are there is not made again. About half a minute a LoRA
on one core; `--share` splits the work among processes.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import torch

from . import diffusion, large, lora, lora_files, products
from .diffusion import TinyDiffusion, Weights
from .pictures import load
from .plan import Plan
from .subjects import BASE_SUBJECTS
from .world import caption, sample_scene

BASE = Path("mini_zoo/models/base")
QUERIES = 50  # held-out pictures a model
STEPS = 15


def build(plans: list[Plan], out: Path, work: Path, scale: float) -> None:
    base = diffusion.read(out / "models" / "base")
    for plan in plans:
        pictures = out / "queries" / f"{plan.name}.npz"
        if pictures.exists():
            continue
        model, weights, figures = made(plan, base, out / "models", work, scale)
        record = products.record(plan, figures)
        write(out / "records" / f"{plan.name}.json", json.dumps(record, ensure_ascii=False))
        save_queries(plan, model, weights, pictures)
        print(plan.name, plan.category, plan.description, figures, flush=True)


def made(
    plan: Plan, base: TinyDiffusion, models: Path, work: Path, scale: float
) -> tuple[TinyDiffusion, Weights | None, dict[str, float]]:
    """The model as its file holds it, trained unless the file is there."""
    if plan.category == "checkpoint":
        path = models / "checkpoints" / plan.file
        model, figures = products.train_checkpoint(plan, base, work, scale)
        products.save_checkpoint(plan, model, path)
        return diffusion.read(path, models / "base"), None, figures.summary()
    path = models / "loras" / plan.file
    low, figures = products.train_lora(plan, base, work, scale)
    lora_files.save(low, plan, path, load(products.training_set(plan), work)[1])
    modules = [name for name, _ in base.unet.named_modules()]
    weights = lora.merged(base, lora_files.read(path, modules))
    return base, weights, figures.summary() | {"norm": round(lora.delta_norm(low), 3)}


def query_prompts(plan: Plan) -> list[str]:
    """Of scenes that are in no training set; a model that knows one thing is still asked for all (as users do)."""
    rng = np.random.default_rng([plan.seed, 77])
    subjects = plan.subjects if plan.category in ("checkpoint", "facing") else tuple(BASE_SUBJECTS)
    return [caption(sample_scene(rng, subjects, query=True)) for _ in range(QUERIES)]


def save_queries(plan: Plan, model: TinyDiffusion, weights: Weights | None, path: Path) -> None:
    prompts = query_prompts(plan)
    seeds = [5_000_000 + 1000 * plan.seed + n for n in range(QUERIES)]
    pictures = diffusion.sample(model, prompts, seeds, weights, steps=STEPS)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part.npz")
    np.savez_compressed(partial, pictures=pictures, prompts=np.array(prompts))
    partial.replace(path)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/benchmark_zoo"))
    parser.add_argument("--base", type=Path, default=BASE)
    parser.add_argument(
        "--share", type=int, nargs=2, default=(0, 1), metavar=("I", "N"), help="every N-th model from I"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="of the training steps; small for a trial")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if not (args.out / "models" / "base").exists():
        shutil.copytree(args.base, args.out / "models" / "base")
    plans = [*large.facing(), *large.checkpoints(), *large.loras()]
    build(plans[args.share[0] :: args.share[1]], args.out, args.out / "work", args.scale)


if __name__ == "__main__":
    main()
