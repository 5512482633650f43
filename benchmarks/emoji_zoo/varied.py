"""Pictures of LoRA of one thing, each before another background.

`scenes.held_out` leaves a thing one or two backgrounds, so all held-out pictures of such a LoRA share them: a background
may be what is found. These pictures, of seeds that nothing else has, show the thing before six; training has seen these pairs.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ..zoo import diffusion, lora, lora_files
from . import models
from .plan import Plan
from .products import QUERIES
from .scenes import BACKGROUNDS
from .subjects import with_article

SEED = 1_700_000


def plans() -> dict[str, Plan]:
    """By name."""
    return {plan.name: plan for plan in models.loras() if len(plan.subjects) == 1}


def prompts(plan: Plan) -> list[str]:
    chosen = np.random.default_rng([plan.seed, 80]).choice(list(BACKGROUNDS.values()), QUERIES, replace=False)
    told = (f"{with_article(plan.subjects[0])} {where}" for where in chosen)
    return [f"{caption}, {plan.trigger}".strip(", ") for caption in told]


def pictures(zoo: Path) -> dict[str, list[Image.Image]]:
    """By the stem of the LoRA's file, made from it."""
    model = diffusion.read(zoo / "models" / "base")
    modules = [name for name, _ in model.unet.named_modules()]
    found: dict[str, list[Image.Image]] = {}
    for plan in plans().values():
        weights = lora.merged(model, lora_files.read(zoo / "models" / "loras" / plan.file, modules))
        seeds = [SEED + 1000 * plan.seed + number for number in range(QUERIES)]
        made = diffusion.sample(model, prompts(plan), seeds, weights)
        found[Path(plan.file).stem] = [Image.fromarray(pixels) for pixels in made]
    return found
