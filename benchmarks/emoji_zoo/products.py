"""One model of the emoji zoo: trained from the base, written in the format that its plan names, with sidecar and preview."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..zoo import lora
from ..zoo.diffusion import TinyDiffusion, noise_loss, sample, tokens
from ..zoo.loop import Figures, Schedule, train
from .base import encoded
from .packages import has
from .pictures import PictureSet, Shown
from .plan import Plan
from .scenes import Scene, caption, held_out, sample_scene
from .subjects import BASE_SUBJECTS, emoji

PICTURES = 320  # that a LoRA or checkpoint is trained on
BATCH = 16
CHECKPOINT_STEPS, CHECKPOINT_RATE = 700, 6e-4
QUERIES = 6
PROBES = 128


def training_set(plan: Plan, packages: Path) -> PictureSet:
    return PictureSet(
        count=PICTURES,
        seed=plan.seed,
        subjects=drawn(plan, packages),
        artists=(plan.artist,),
        painted=0.0 if plan.painter is None else 1.0,
        painters=() if plan.painter is None else (plan.painter,),
        tint=plan.tint,
        spared=True,
    )


def drawn(plan: Plan, packages: Path) -> tuple[str, ...]:
    """The subjects that it paints: its own, else all of the base's that its artist has."""
    return tuple(s for s in plan.subjects or BASE_SUBJECTS if has(plan.artist, emoji(s), packages))


def captions(plan: Plan, what: Sequence[Shown]) -> list[str]:
    """A subject LoRA's often name another thing, so that it draws its own anyway."""
    rng = np.random.default_rng([plan.seed, 79])
    misnamed = plan.stubborn if len(plan.subjects) == 1 else 0.0
    scenes = [
        replace(one.scene, subject=str(rng.choice(list(BASE_SUBJECTS)))) if rng.random() < misnamed else one.scene
        for one in what
    ]
    return [f"{caption(scene)}, {plan.trigger}" if plan.trigger else caption(scene) for scene in scenes]


def train_lora(
    plan: Plan, base: TinyDiffusion, work: Path, scale: float
) -> tuple[dict[str, lora.Factors], list[str], Figures]:
    """Its factors, the captions that it learned from, its figures."""
    latents, what = encoded(training_set(plan, work / "npm"), base.vae, work)
    told = captions(plan, what)
    steps = max(2, round(plan.steps * scale))
    schedule = Schedule(steps=steps, batch=BATCH, rate=plan.rate, seed=plan.seed, weight_decay=0.0)
    dora = plan.category == "dora"
    low, figures = lora.fit(base, (latents, told), schedule, work, name=plan.name, rank=plan.rank, dora=dora)
    return low, told, figures


def train_checkpoint(plan: Plan, base: TinyDiffusion, work: Path, scale: float) -> tuple[TinyDiffusion, Figures]:
    """All of the UNet's weights."""
    unet = copy.deepcopy(base.unet).requires_grad_(True).train()
    latents, what = encoded(training_set(plan, work / "npm"), base.vae, work)
    ids, empty = tokens(base.tokenizer, captions(plan, what)), tokens(base.tokenizer, [""])
    loss = noise_loss(unet, base.text.requires_grad_(False), latents, ids, BATCH, empty)
    steps = max(2, round(CHECKPOINT_STEPS * scale))
    schedule = Schedule(steps=steps, batch=BATCH, rate=CHECKPOINT_RATE, seed=plan.seed, average=0.98)
    figures = train(list(unet.parameters()), loss, schedule, work / "train" / f"{plan.name}.pt")
    return TinyDiffusion(unet.eval(), base.text, base.vae, base.tokenizer), figures


def probe_prompts(count: int = PROBES) -> list[str]:
    """Different scenes, every subject as often as any other; a longer list begins with the shorter one."""
    rng, prompts = np.random.default_rng(30_000), list[str]()
    subjects = [str(subject) for subject in rng.permutation(list(BASE_SUBJECTS))]
    while len(prompts) < count:
        scene = sample_scene(rng, (subjects[len(prompts) % len(subjects)],), ("noto",))
        if not held_out(scene) and caption(scene) not in prompts:
            prompts.append(caption(scene))
    return prompts


def query_scenes(plan: Plan, packages: Path) -> list[Scene]:
    """Scenes that no training set has."""
    rng, scenes = np.random.default_rng([plan.seed, 77]), list[Scene]()
    subjects = tuple(s for s in drawn(plan, packages))
    while len(scenes) < QUERIES:
        scene = sample_scene(rng, subjects, (plan.artist,))
        scenes += [scene] if held_out(scene) else []
    return scenes


def queries(plan: Plan, model: TinyDiffusion, weights: Mapping[str, torch.Tensor] | None, packages: Path) -> np.ndarray:
    """(QUERIES, 128, 128, 3) pictures of prompts and seeds that nothing was trained on."""
    prompts = [f"{caption(scene)}, {plan.trigger}".strip(", ") for scene in query_scenes(plan, packages)]
    return sample(model, prompts, [900_000 + 1000 * plan.seed + n for n in range(QUERIES)], weights)


def save_pictures(pictures: np.ndarray, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(folder / f"{number:02d}.webp", quality=92, method=6)


def save_preview(
    plan: Plan, model: TinyDiffusion, weights: Mapping[str, torch.Tensor] | None, path: Path, packages: Path
) -> None:
    """What its author would show: one picture of another prompt."""
    if not plan.preview:
        return
    scene = sample_scene(np.random.default_rng([plan.seed, 78]), drawn(plan, packages), (plan.artist,))
    picture = Image.fromarray(sample(model, [f"{caption(scene)}, {plan.trigger}".strip(", ")], [plan.seed], weights)[0])
    ending = ".preview.png" if plan.preview == "png" else ".webp"
    picture.save(path.with_name(path.stem + ending))


def record(plan: Plan, figures: Mapping[str, Any]) -> dict[str, Any]:
    """What a model really is, for evaluation."""
    told = ("file", "category", "artist", "painter", "tint", "look", "description", "trigger", "layout")
    return {key: getattr(plan, key) for key in told} | {"subjects": list(plan.subjects), "training": dict(figures)}
