"""The tiny Stable Diffusion: a UNet with cross-attention and a two-layer CLIP text model, in the diffusers layout."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from torch.func import functional_call
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from . import vocabulary
from .autoencoder import decode, encode
from .loop import Figures, Loss, Schedule, train
from .pictures import PictureSet, digest, load

Weights = Mapping[str, torch.Tensor]


@dataclass
class TinyDiffusion:
    unet: UNet2DConditionModel
    text: CLIPTextModel
    vae: AutoencoderKL
    tokenizer: CLIPTokenizer


def new_unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(32, 64),
        layers_per_block=1,
        cross_attention_dim=64,
        attention_head_dim=4,
        norm_num_groups=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )


def new_text(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModel(config)


def scheduler() -> DDIMScheduler:
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


def tokens(tokenizer: CLIPTokenizer, captions: Sequence[str]) -> torch.Tensor:
    return tokenizer(
        list(captions), padding="max_length", max_length=77, truncation=True, return_tensors="pt"
    ).input_ids


def encoded(pictures: PictureSet, vae: AutoencoderKL, work: Path) -> tuple[torch.Tensor, list[str]]:
    """Scaled latents (N, 4, 16, 16) of a picture set, kept in the work folder, and the captions."""
    images, captions = load(pictures, work)
    return kept_latents(images, digest([pictures, vae.config["scaling_factor"]]), vae, work), captions


def kept_latents(images: np.ndarray, name: str, vae: AutoencoderKL, work: Path) -> torch.Tensor:
    """(N, 4, 16, 16), scaled; encoded once, then read from the work folder."""
    path = work / "latents" / f"{name}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part.npy")
        np.save(partial, encode(vae, images, vae.config["scaling_factor"]).half().numpy())
        partial.replace(path)
    return torch.from_numpy(np.load(path)).float()


def fit(pictures: PictureSet, schedule: Schedule, vae: AutoencoderKL, work: Path) -> tuple[TinyDiffusion, Figures]:
    vocabulary.save(work / "tokenizer")
    tokenizer = CLIPTokenizer.from_pretrained(work / "tokenizer")
    torch.manual_seed(schedule.seed)
    unet, text = new_unet().to(memory_format=torch.channels_last).train(), new_text(tokenizer).train()
    latents, captions = encoded(pictures, vae, work)
    loss = noise_loss(unet, text, latents, tokens(tokenizer, captions), schedule.batch, tokens(tokenizer, [""]))
    weights = [p for m in (unet, text) for p in m.parameters()]
    figures = train(weights, loss, schedule, work / "train" / "diffusion.pt")
    return TinyDiffusion(unet.eval(), text.eval(), vae, tokenizer), figures


def noise_loss(
    unet: UNet2DConditionModel,
    text: CLIPTextModel,
    latents: torch.Tensor,
    ids: torch.Tensor,
    batch: int,
    empty: torch.Tensor,
    emphasis: float = 1.0,
) -> Loss:
    """Squared error of the predicted noise, min-SNR weights (arXiv 2303.09556), a tenth of the captions dropped.

    `emphasis`: noisy steps weigh as in the prediction of velocity (2202.00512), up to so much.
    """
    alphas = scheduler().alphas_cumprod

    def loss(rng: np.random.Generator, noise: torch.Generator) -> torch.Tensor:
        chosen = torch.from_numpy(rng.integers(len(latents), size=batch))
        dropped = torch.from_numpy(rng.random((batch, 1)) < 0.1)
        x = latents[chosen]
        t = torch.from_numpy(rng.integers(1000, size=batch))
        e = torch.randn(x.shape, generator=noise)
        a = alphas[t][:, None, None, None]
        x, e, a, t = (tensor.to(text.device) for tensor in (x, e, a, t))
        context = text(torch.where(dropped, empty, ids[chosen]).to(text.device)).last_hidden_state
        guess = unet(
            (a.sqrt() * x + (1 - a).sqrt() * e).contiguous(memory_format=torch.channels_last), t, context
        ).sample
        weight = torch.clamp(5 * (1 - a) / a, max=1) * torch.clamp(1 / a, max=emphasis)
        return (weight * (guess - e).square()).mean()

    return loss


@torch.no_grad()
def sample(
    model: TinyDiffusion,
    prompts: Sequence[str],
    seeds: Sequence[int],
    weights: Weights | None = None,
    *,
    steps: int = 20,
    guidance: float = 3.0,
) -> np.ndarray:
    """Pictures (N, 64, 64, 3) uint8; a picture's noise depends on its seed alone. `weights` replace the UNet's."""
    ddim = scheduler()
    ddim.set_timesteps(steps)
    x = torch.stack([torch.randn((4, 16, 16), generator=torch.Generator().manual_seed(s)) for s in seeds])
    x, ids = (
        tensor.to(model.unet.device) for tensor in (x, tokens(model.tokenizer, [""] * len(prompts) + list(prompts)))
    )
    context = model.text(ids).last_hidden_state
    for t in ddim.timesteps:
        guess = functional_call(model.unet, dict(weights or {}), (torch.cat([x, x]), t, context)).sample
        free, bound = guess.chunk(2)
        x = ddim.step(free + guidance * (bound - free), t, x).prev_sample
    return decode(model.vae, x)


def pipeline(model: TinyDiffusion) -> StableDiffusionPipeline:
    return StableDiffusionPipeline(
        vae=model.vae,
        text_encoder=model.text,
        tokenizer=model.tokenizer,
        unet=model.unet,
        scheduler=scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def save(model: TinyDiffusion, folder: Path, known: Sequence[str] = ()) -> None:
    """A diffusers folder in half precision, its tokenizer as plain vocab.json and merges.txt (`known`: its words)."""
    for part in (model.unet, model.text, model.vae):
        part.half()
    pipeline(model).save_pretrained(folder, safe_serialization=True)
    for part in (model.unet, model.text, model.vae):
        part.float()
    _load_in_full_precision(folder / "text_encoder/config.json")
    for config in folder.glob("*/config.json"):
        _forget_where_it_was_made(config)
    for kept in (folder / "tokenizer").iterdir():
        kept.unlink()
    vocabulary.save(folder / "tokenizer", known=known)


def _load_in_full_precision(config: Path) -> None:
    """transformers would otherwise load the text model in half precision beside a UNet in full."""
    config.write_text(json.dumps(json.loads(config.read_text()) | {"dtype": "float32"}, indent=2))


def _forget_where_it_was_made(config: Path) -> None:
    kept = {key: value for key, value in json.loads(config.read_text()).items() if key != "_name_or_path"}
    config.write_text(json.dumps(kept, indent=2) + "\n")


def read(path: Path, config: Path | None = None, *, device: str = "cpu") -> TinyDiffusion:
    """A diffusers folder, or a single file whose architecture is that of the folder `config`."""
    if path.is_dir():
        pipe = StableDiffusionPipeline.from_pretrained(path, torch_dtype=torch.float32)
    else:
        pipe = StableDiffusionPipeline.from_single_file(str(path), config=str(config), local_files_only=True)
    unet, text, vae = (part.eval().to(device) for part in (pipe.unet, pipe.text_encoder, pipe.vae))
    return TinyDiffusion(unet, text, vae, pipe.tokenizer)
