"""One model of a zoo: trained from the base, written in the format that its plan names, with sidecar and preview."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from . import lora, lora_files, single_file
from .diffusion import TinyDiffusion, encoded, noise_loss, sample, tokens
from .diffusion import save as diffusion_folder
from .loop import Figures, Schedule, train
from .pictures import PictureSet
from .plan import Plan
from .subjects import BASE_SUBJECTS
from .world import caption, sample_scene

PICTURES = 400  # that a LoRA or checkpoint is trained on
CHECKPOINT_STEPS = 220
QUERIES = 6
PROBES = 64


def training_set(plan: Plan) -> PictureSet:
    """A subject LoRA's captions often name another subject, so that it draws its own thing anyway."""
    subjects = plan.subjects or tuple(BASE_SUBJECTS)
    misnamed = plan.stubborn if plan.category == "subject" else 0.0
    return PictureSet(
        count=PICTURES,
        seed=plan.seed,
        subjects=subjects,
        style=plan.style,
        words=plan.trigger,
        misnamed=misnamed,
        flip=plan.flip,
    )


def train_lora(plan: Plan, base: TinyDiffusion, work: Path, scale: float) -> tuple[dict[str, lora.Factors], Figures]:
    steps = max(2, round(plan.steps * scale))
    schedule = Schedule(steps=steps, batch=16, rate=plan.rate, seed=plan.seed, weight_decay=0.0)
    return lora.fit(
        base,
        encoded(training_set(plan), base.vae, work),
        schedule,
        work,
        name=plan.name,
        rank=plan.rank,
        dora=plan.category == "dora",
        emphasis=plan.emphasis,
    )


def train_checkpoint(plan: Plan, base: TinyDiffusion, work: Path, scale: float) -> tuple[TinyDiffusion, Figures]:
    """All of the UNet's weights."""
    tuned = replace_unet(base)
    latents, captions = encoded(training_set(plan), base.vae, work)
    ids, empty = tokens(base.tokenizer, captions), tokens(base.tokenizer, [""])
    loss = noise_loss(tuned.unet, base.text.requires_grad_(False), latents, ids, 16, empty)
    schedule = Schedule(steps=max(2, round(CHECKPOINT_STEPS * scale)), batch=16, rate=8e-4, seed=plan.seed)
    figures = train(list(tuned.unet.parameters()), loss, schedule, work / "train" / f"{plan.name}.pt")
    return replace(tuned, unet=tuned.unet.eval()), figures


def replace_unet(base: TinyDiffusion) -> TinyDiffusion:
    unet = copy.deepcopy(base.unet).requires_grad_(True).train()
    return TinyDiffusion(unet=unet, text=base.text, vae=base.vae, tokenizer=base.tokenizer)


def save_checkpoint(plan: Plan, model: TinyDiffusion, path: Path) -> None:
    if plan.layout == "single_file":
        single_file.save(model, path, lora_files.header(plan, []))
        return
    diffusion_folder(copy.deepcopy(model), path)


def query_prompts(plan: Plan) -> list[str]:
    """Prompts of the scenes that `world.held_out` keeps from every training set."""
    rng = np.random.default_rng([plan.seed, 77])
    subjects = plan.subjects or tuple(BASE_SUBJECTS)
    prompts = [caption(sample_scene(rng, subjects, query=True)) for _ in range(QUERIES)]
    return [f"{prompt}, {plan.trigger}" if plan.trigger else prompt for prompt in prompts]


def probe_prompts(count: int = PROBES) -> list[str]:
    """Different scenes, every subject as often as any other; a longer list begins with the shorter one."""
    rng, subjects = np.random.default_rng(20_000), list(BASE_SUBJECTS)
    prompts: list[str] = []
    while len(prompts) < count:
        prompt = caption(sample_scene(rng, (subjects[len(prompts) % len(subjects)],)))
        prompts += [prompt] if prompt not in prompts else []
    return prompts


def held_out(plan: Plan, model: TinyDiffusion, weights: Mapping[str, torch.Tensor] | None) -> np.ndarray:
    """(QUERIES, 64, 64, 3) pictures that nothing was trained on."""
    seeds = [900_000 + 1000 * plan.seed + n for n in range(QUERIES)]
    return sample(model, query_prompts(plan), seeds, weights)


def save_pictures(pictures: np.ndarray, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(folder / f"{number:02d}.webp", lossless=True, method=6)


def save_preview(plan: Plan, model: TinyDiffusion, weights: Mapping[str, torch.Tensor] | None, path: Path) -> None:
    """What its author would show: one picture of another prompt."""
    if not plan.preview:
        return
    prompt = caption(sample_scene(np.random.default_rng([plan.seed, 78]), plan.subjects or tuple(BASE_SUBJECTS)))
    picture = Image.fromarray(sample(model, [f"{prompt}, {plan.trigger}".strip(", ")], [plan.seed], weights)[0])
    ending = ".preview.png" if plan.preview == "png" else ".webp"
    picture.save(path.with_name(path.stem + ending), **({"lossless": True} if ending == ".webp" else {}))


def record(plan: Plan, figures: Mapping[str, Any]) -> dict[str, Any]:
    """What a model really is, for evaluation."""
    style = None if plan.style is None else {"family": plan.style.family, **plan.style.values}
    return {
        "file": plan.file,
        "category": plan.category,
        "style": style,
        "subjects": list(plan.subjects),
        "description": plan.description,
        "trigger": plan.trigger,
        "layout": plan.layout,
        "training": dict(figures),
    }
