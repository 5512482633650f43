"""The base: a tiny Stable Diffusion of Noto's drawings, whose text tower starts from what its words mean."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from ..zoo import vocabulary
from ..zoo.diffusion import TinyDiffusion, kept_latents, noise_loss, tokens
from ..zoo.loop import Figures, Loss, Schedule, train
from . import words
from .pictures import PictureSet, Shown, digest, load
from .scenes import caption
from .subjects import with_article

WIDTH = 80  # of the text tower
PICTURES = PictureSet(count=12_000, seed=102, spared=True)
SCHEDULE = Schedule(steps=7_500, batch=32, rate=1.5e-3, seed=102, average=0.999)
BARE = 0.2  # share of the captions that say nothing of the background


def new_unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(40, 80),
        layers_per_block=1,
        cross_attention_dim=WIDTH,
        attention_head_dim=4,
        norm_num_groups=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )


def new_text(tokenizer: CLIPTokenizer, known: list[str]) -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    text = CLIPTextModel(config)
    table = text.get_input_embeddings().weight
    ids = [tokenizer(word).input_ids[1] for word in known]
    with torch.no_grad():
        table[ids] = torch.from_numpy(words.axes(words.meanings(known), WIDTH)) * table.std()
    return text


def encoded(pictures: PictureSet, vae: AutoencoderKL, work: Path) -> tuple[torch.Tensor, list[Shown]]:
    """Scaled latents (N, 4, 16, 16) of a picture set, kept in the work folder, and what they show."""
    images, what = load(pictures, work)
    name = digest([pictures.name, vae.config["scaling_factor"]])
    return kept_latents(images, name, vae, work), what


def fit(pictures: PictureSet, schedule: Schedule, vae: AutoencoderKL, work: Path) -> tuple[TinyDiffusion, Figures]:
    model, loss = prepared(pictures, schedule, vae, work)
    weights = [p for part in (model.unet, model.text) for p in part.parameters()]
    figures = train(weights, loss, schedule, work / "train" / "base.pt")
    model.unet.eval()
    model.text.eval()
    return model, figures


def so_far(vae: AutoencoderKL, work: Path) -> TinyDiffusion:
    """With the averaged weights that an unfinished training has reached."""
    model, _ = prepared(PICTURES, SCHEDULE, vae, work)
    weights = [p for part in (model.unet, model.text) for p in part.parameters()]
    reached = torch.load(work / "train" / "base.pt", weights_only=True)["average"]
    with torch.no_grad():
        for w, average in zip(weights, reached, strict=True):
            w.copy_(average)
    model.unet.eval()
    model.text.eval()
    return model


def prepared(pictures: PictureSet, schedule: Schedule, vae: AutoencoderKL, work: Path) -> tuple[TinyDiffusion, Loss]:
    """Untrained networks and the loss that trains them."""
    known = words.known(work / "npm")
    vocabulary.save(work / "tokenizer", known=known)
    tokenizer = CLIPTokenizer.from_pretrained(work / "tokenizer")
    torch.manual_seed(schedule.seed)
    unet = new_unet().to(memory_format=torch.channels_last).train()
    text = new_text(tokenizer, known).train()
    latents, what = encoded(pictures, vae, work)
    ids, empty = tokens(tokenizer, captions(what)), tokens(tokenizer, [""])
    return TinyDiffusion(unet, text, vae, tokenizer), noise_loss(unet, text, latents, ids, schedule.batch, empty)


def captions(what: Sequence[Shown]) -> list[str]:
    bare = np.random.default_rng(103).random(len(what)) < BARE
    return [
        with_article(one.scene.subject) if alone else caption(one.scene) for one, alone in zip(what, bare, strict=True)
    ]
