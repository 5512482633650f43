"""Builds the procedural zoo, stage by stage, from seeds: `python -m benchmarks.zoo.build`.

Every stage goes on where it was interrupted; what is there is not made again. Takes about an hour and a half on two cores.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL

from . import autoencoder, built, clip, diffusion, lora, lora_files, mini, products
from .loop import Schedule
from .pictures import PictureSet, load
from .subjects import SUBJECTS

STAGES = ("autoencoder", "clip", "base", "loras", "checkpoints", "queries", "collect")
AUTOENCODER = PictureSet(count=4000, seed=11, styled=0.5)
CLIP = PictureSet(count=14000, seed=12, subjects=tuple(SUBJECTS), styled=0.68, drawn=0.14)
BASE = PictureSet(count=10000, seed=13)


def build_autoencoder(work: Path, scale: float) -> None:
    schedule = Schedule(steps=round(3000 * scale), batch=24, rate=3e-3, seed=1, average=0.98)
    vae, figures = autoencoder.fit(AUTOENCODER, schedule, work)
    vae.save_pretrained(work / "autoencoder")
    keep_figures(work, "autoencoder", figures.summary())


def build_clip(work: Path, scale: float) -> None:
    schedule = Schedule(steps=round(700 * scale), batch=160, rate=1.5e-3, seed=2, average=0.99, weight_decay=0.05)
    model, figures = clip.fit(clip.Captioned(*load(CLIP, work)), schedule, work)
    clip.save(model, work / "clip")
    keep_figures(work, "clip", figures.summary())


def build_base(work: Path, scale: float) -> None:
    vae = AutoencoderKL.from_pretrained(work / "autoencoder").eval()
    schedule = Schedule(steps=round(6000 * scale), batch=32, rate=2.5e-3, seed=3, average=0.995)
    model, figures = diffusion.fit(BASE, schedule, vae, work)
    diffusion.save(model, work / "base")
    keep_figures(work, "base", figures.summary())


def build_loras(work: Path, scale: float, share: tuple[int, int] = (0, 1)) -> None:
    """`share` (i, n) builds every n-th, so that n processes can work side by side."""
    base = diffusion.read(work / "base")
    for plan in mini.loras()[share[0] :: share[1]]:
        path = work / "loras" / plan.file
        if path.exists():
            continue
        low, figures = products.train_lora(plan, base, work, scale)
        weights = {name: value.detach() for name, value in lora.merged(base, low).items()}
        _, captions = load(products.training_set(plan), work)
        keep_figures(work, plan.name, figures.summary() | {"norm": round(lora.delta_norm(low), 3)})
        lora_files.save(low, plan, path, captions)
        lora_files.save_sidecar(plan, path)
        products.save_preview(plan, base, weights, path)


def build_checkpoints(work: Path, scale: float) -> None:
    base = diffusion.read(work / "base")
    for plan in mini.checkpoints():
        path = work / "checkpoints" / plan.file
        if path.exists():
            continue
        model, figures = products.train_checkpoint(plan, base, work, scale)
        keep_figures(work, plan.name, figures.summary())
        products.save_checkpoint(plan, model, path)


def build_queries(work: Path, _: float) -> None:
    """Held-out pictures, made from the files as a user would load them."""
    base = diffusion.read(work / "base")
    modules = [name for name, _ in base.unet.named_modules()]
    for plan in mini.loras():
        weights = lora.merged(base, lora_files.read(work / "loras" / plan.file, modules))
        products.save_pictures(products.held_out(plan, base, weights), work / "queries" / plan.name)
    for plan in mini.checkpoints():
        model = diffusion.read(work / "checkpoints" / plan.file, work / "base")
        products.save_pictures(products.held_out(plan, model, None), work / "queries" / plan.name)
    plain = mini.Plan(file="base", category="base", seed=3000)
    products.save_pictures(products.held_out(plain, base, None), work / "queries" / "base")


def collect(work: Path, out: Path) -> None:
    """Copies the products to where they belong, and writes down what each model is."""
    for name, target in (("base", "models/base"), ("loras", "models/loras"), ("checkpoints", "models/checkpoints")):
        shutil.copytree(work / name, out / target, dirs_exist_ok=True)
    for name in ("clip", "queries"):
        shutil.copytree(work / name, out / name, dirs_exist_ok=True)
    (out / "prompts.txt").write_text("\n".join(products.probe_prompts()) + "\n", encoding="utf-8")
    plans = [*mini.loras(), *mini.checkpoints()]
    world = {
        "training": {name: figures_of(work, name) for name in ("autoencoder", "clip", "base")},
        "models": {plan.name: products.record(plan, figures_of(work, plan.name)) for plan in plans},
    }
    (out / "world.json").write_text(json.dumps(world, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def keep_figures(work: Path, name: str, figures: dict[str, Any]) -> None:
    path = work / "figures" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures))


def figures_of(work: Path, name: str) -> dict[str, Any]:
    return json.loads((work / "figures" / f"{name}.json").read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/zoo"), help="unfinished work, kept between runs")
    parser.add_argument("--out", type=Path, default=built.FOLDER)
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES)
    parser.add_argument("--scale", type=float, default=1.0, help="of the training steps; small for a trial")
    parser.add_argument("--share", type=int, nargs=2, default=(0, 1), metavar=("I", "N"), help="every N-th LoRA from I")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    for stage in args.stages:
        if stage == "collect":
            collect(args.work, args.out)
        elif stage == "loras":
            build_loras(args.work, args.scale, tuple(args.share))
        elif stage in ("checkpoints", "queries") or not (args.work / stage).exists():
            {
                "autoencoder": build_autoencoder,
                "clip": build_clip,
                "base": build_base,
                "checkpoints": build_checkpoints,
                "queries": build_queries,
            }[stage](args.work, args.scale)


if __name__ == "__main__":
    main()
