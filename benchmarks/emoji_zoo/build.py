"""Builds the emoji zoo, stage by stage, from seeds: `python -m benchmarks.emoji_zoo.build`.

Every stage goes on where it was interrupted; what is there is not made again. `samples` shows how far the base has come.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from modelsearch_core.cli import demo

from ..zoo import diffusion, lora, lora_files, single_file
from ..zoo.build import figures_of, keep_figures
from ..zoo.diffusion import TinyDiffusion
from ..zoo.loop import Schedule
from . import autoencoder, base, clip, models, notice, phrases, products, strokes, text_tower, words
from .pictures import sheet
from .plan import Plan

STAGES = ("autoencoder", "base", "clip", "texts", "loras", "checkpoints", "queries", "collect")
SEEDS = range(40)  # of the pictures that `samples` makes
PARTS = {
    "base": "models/base",
    "loras": "models/loras",
    "checkpoints": "models/checkpoints",
    "texts": "clip",  # with the text tower that was taught
    "queries": "queries",
}


def build_autoencoder(work: Path, scale: float) -> None:
    vae, figures = autoencoder.fit(autoencoder.PICTURES, shorter(autoencoder.SCHEDULE, scale), work)
    keep_figures(work, "autoencoder", figures.summary())
    vae.save_pretrained(work / "autoencoder")


def build_base(work: Path, scale: float) -> None:
    vae = AutoencoderKL.from_pretrained(work / "autoencoder").eval()
    model, figures = base.fit(base.PICTURES, shorter(base.SCHEDULE, scale), vae, work)
    keep_figures(work, "base", figures.summary())
    diffusion.save(model, work / "base", known=words.known(work / "npm"))


def build_clip(work: Path, scale: float) -> None:
    model, figures = clip.fit(clip.PICTURES, shorter(clip.SCHEDULE, scale), work)
    keep_figures(work, "clip", figures.summary())
    clip.save(model, work / "clip", phrases.known(work / "npm"))


def build_texts(work: Path, scale: float) -> None:
    model, known, figures = text_tower.fit(work, shorter(text_tower.SCHEDULE, scale))
    keep_figures(work, "texts", figures.summary())
    text_tower.save(model, work / "texts", known)


def build_loras(work: Path, scale: float, share: tuple[int, int]) -> None:
    """`share` (i, n) builds every n-th, so that n processes can work side by side."""
    model = diffusion.read(work / "base")
    for plan in models.loras()[share[0] :: share[1]]:
        path = work / "loras" / plan.file
        if path.exists():
            continue
        low, captions, figures = products.train_lora(plan, model, work, scale)
        keep_figures(work, plan.name, figures.summary() | {"norm": round(lora.delta_norm(low), 3)})
        weights = {name: value.detach() for name, value in lora.merged(model, low).items()}
        lora_files.save_sidecar(plan, written(path))
        products.save_preview(plan, model, weights, path, work / "npm")
        lora_files.save(low, plan, path, captions)


def written(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def build_checkpoints(work: Path, scale: float) -> None:
    model = diffusion.read(work / "base")
    for plan in models.checkpoints():
        path = work / "checkpoints" / plan.file
        if path.exists():
            continue
        tuned, figures = products.train_checkpoint(plan, model, work, scale)
        keep_figures(work, plan.name, figures.summary())
        if plan.layout == "single_file":
            single_file.save(tuned, written(path), lora_files.header(plan, []))
        else:
            diffusion.save(tuned, path, known=words.known(work / "npm"))


def build_queries(work: Path, _: float) -> None:
    """Held-out pictures, made from the files as a user would load them."""
    model = diffusion.read(work / "base")
    modules = [name for name, _ in model.unet.named_modules()]
    for plan in models.loras():
        weights = lora.merged(model, lora_files.read(work / "loras" / plan.file, modules))
        ask(plan, model, weights, work)
    for plan in models.checkpoints():
        ask(plan, diffusion.read(work / "checkpoints" / plan.file, work / "base"), None, work)
    ask(Plan(file="base", category="base", seed=5000), model, None, work)


def ask(plan: Plan, model: TinyDiffusion, weights: dict[str, torch.Tensor] | None, work: Path) -> None:
    folder = work / "queries" / plan.name
    if not folder.exists():
        products.save_pictures(products.queries(plan, model, weights, work / "npm"), folder)


def collect(work: Path, out: Path) -> None:
    """Copies the products to where they belong, and writes down what each model is."""
    shutil.rmtree(out / PARTS["texts"], ignore_errors=True)  # its tokenizer may have been of another kind
    for name, target in PARTS.items():
        shutil.copytree(work / name, out / target, dirs_exist_ok=True)
    (out / "prompts.txt").write_text("\n".join(products.probe_prompts()) + "\n", encoding="utf-8")
    world = {
        "training": {name: figures_of(work, name) for name in ("autoencoder", "clip", "texts", "base")},
        "models": {
            plan.name: products.record(plan, figures_of(work, plan.name))
            for plan in (*models.loras(), *models.checkpoints())
        },
    }
    (out / "world.json").write_text(json.dumps(world, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for drawing, _ in demo.STROKES:
        strokes.drawn(drawing, 0).convert("L").save(written(out / "strokes" / f"{drawing}.png"), optimize=True)
    notice.write(out)


def samples(work: Path) -> None:
    """samples.png: what the base makes of 40 prompts by the weights that its training has reached."""
    vae = AutoencoderKL.from_pretrained(work / "autoencoder").eval()
    model = base.so_far(vae, work)
    prompts = products.probe_prompts(len(SEEDS))
    made = [diffusion.sample(model, prompts[i : i + 8], list(SEEDS)[i : i + 8]) for i in range(0, len(SEEDS), 8)]
    sheet(np.concatenate(made), 10, work / "samples.png")
    print(*(f"{number}: {prompt}" for number, prompt in enumerate(prompts)), sep="\n")


def shorter(schedule: Schedule, scale: float) -> Schedule:
    return replace(schedule, steps=max(2, round(schedule.steps * scale)))


BUILD: dict[str, Callable[[Path, float], None]] = {
    "autoencoder": build_autoencoder,
    "base": build_base,
    "clip": build_clip,
    "texts": build_texts,
    "checkpoints": build_checkpoints,
    "queries": build_queries,
}
MANY = ("checkpoints", "queries")  # that look for themselves what is there


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/emoji_zoo"), help="unfinished work, kept between runs")
    parser.add_argument(
        "--out", type=Path, default=Path("build/emoji_zoo/zoo"), help="where `collect` puts the products"
    )
    parser.add_argument("--stages", nargs="+", choices=(*STAGES, "samples"), default=STAGES)
    parser.add_argument("--scale", type=float, default=1.0, help="of the training steps; small for a trial")
    parser.add_argument("--share", type=int, nargs=2, default=(0, 1), metavar=("I", "N"), help="every N-th LoRA from I")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    for stage in args.stages:
        if stage == "collect":
            collect(args.work, args.out)
        elif stage == "samples":
            samples(args.work)
        elif stage == "loras":
            build_loras(args.work, args.scale, tuple(args.share))
        elif stage in MANY or not (args.work / stage).exists():
            BUILD[stage](args.work, args.scale)


if __name__ == "__main__":
    main()
