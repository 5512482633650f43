"""Builds the benchmark zoo on the procedural zoo's base: `python -m benchmarks.zoo.large_build`, on a GPU where there is one.

Goes on where it was interrupted: a model whose held-out pictures are there is not made again. On one idle core about half a
minute a LoRA, an hour for the encoder, a quarter of an hour for the rest; `--share` splits the models among processes.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import torch

from . import accelerated, built, convnext, diffusion, large, large_clip, lora, lora_files, products
from .diffusion import TinyDiffusion, Weights
from .pictures import load
from .plan import Plan
from .subjects import BASE_SUBJECTS
from .world import caption, sample_scene

BASE = built.FOLDER / "models" / "base"
STAGES = ("models", "encoder", "layouts", "accelerated")
KINDS = {"facing": large.facing, "checkpoints": large.checkpoints, "loras": large.loras}
QUERIES = 50  # held-out pictures a model
STEPS = 15


def build(plans: list[Plan], out: Path, work: Path, scale: float, device: str, queries: int = QUERIES) -> None:
    base = diffusion.read(out / "models" / "base", device=device)
    for plan in plans:
        pictures = out / "queries" / f"{plan.name}.npz"
        if pictures.exists():
            continue
        model, weights, figures = made(plan, base, out / "models", work, scale)
        record = products.record(plan, figures)
        write(out / "records" / f"{plan.name}.json", json.dumps(record, ensure_ascii=False))
        save_queries(plan, model, weights, pictures, queries)
        print(plan.name, plan.category, plan.description, figures, flush=True)


def made(
    plan: Plan, base: TinyDiffusion, models: Path, work: Path, scale: float
) -> tuple[TinyDiffusion, Weights | None, dict[str, float]]:
    """The model as its file holds it, trained unless the file is there."""
    if plan.category == "checkpoint":
        path = models / "checkpoints" / plan.file
        model, figures = products.train_checkpoint(plan, base, work, scale)
        products.save_checkpoint(plan, model, path)
        return diffusion.read(path, models / "base", device=str(base.unet.device)), None, figures.summary()
    path = models / "loras" / plan.file
    low, figures = products.train_lora(plan, base, work, scale)
    lora_files.save(low, plan, path, load(products.training_set(plan), work)[1])
    modules = [name for name, _ in base.unet.named_modules()]
    weights = lora.merged(base, lora_files.read(path, modules))
    return base, weights, figures.summary() | {"norm": round(lora.delta_norm(low), 3)}


def query_prompts(plan: Plan, queries: int = QUERIES) -> list[str]:
    """Of scenes that are in no training set; a model that knows one thing is still asked for all (as users do)."""
    rng = np.random.default_rng([plan.seed, 77])
    subjects = plan.subjects if plan.category in ("checkpoint", "facing") else tuple(BASE_SUBJECTS)
    return [caption(sample_scene(rng, subjects, query=True)) for _ in range(queries)]


def save_queries(plan: Plan, model: TinyDiffusion, weights: Weights | None, path: Path, queries: int) -> None:
    prompts = query_prompts(plan, queries)
    seeds = [5_000_000 + 1000 * plan.seed + n for n in range(queries)]
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
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="of models")
    parser.add_argument("--queries", type=int, default=QUERIES, help="held-out pictures a model")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if not (args.out / "models" / "base").exists():
        shutil.copytree(args.base, args.out / "models" / "base")
    for stage in args.stages:
        make(stage, args)


def make(stage: str, args: argparse.Namespace) -> None:
    """`models` in part, if they are shared; the others whole by the first that shares, unless they are there."""
    out, work = args.out, args.out / "work"
    if stage != "models" and args.share[0]:
        return
    if stage == "models":
        plans = [plan for kind in args.kinds for plan in KINDS[kind]()]
        build(plans[args.share[0] :: args.share[1]], out, work, args.scale, args.device, args.queries)
    elif stage == "encoder" and not (out / "clip").exists():
        large_clip.build(out / "clip", work / "clip", args.base, device=args.device, scale=args.scale)
    elif stage == "layouts" and not (out / "convnext").exists():
        convnext.build(out / "convnext", work, device=args.device, scale=args.scale)
    elif stage == "accelerated" and not (out / "accelerated" / "figures.json").exists():
        base = diffusion.read(args.base, device=args.device)
        accelerated.build(out / "accelerated", work, base, scale=args.scale)


if __name__ == "__main__":
    main()
