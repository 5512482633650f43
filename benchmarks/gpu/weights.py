"""Models of full size with random weights, as files: a base, LoRA on it, a few-step LoRA, a small decoder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from safetensors.torch import save_file

from modelsearch_core.generators.layouts import CONFIGS
from modelsearch_core.generators.tokenizer import write_clip_tokenizer
from modelsearch_core.model_files import ModelFile, read_model_file
from tests.making import stable_diffusion as small

RANK = 16
FEW_STEP = {"sd15": "lcm-lora-sdv1-5", "sdxl": "lcm-lora-sdxl", "small": "lcm-lora-sdv1-5"}
DECODERS = {"sd15": "taesd", "sdxl": "taesdxl", "small": "taesd"}


@dataclass(frozen=True, kw_only=True)
class Files:
    """Of one family; `decoders` is the folder to name to a generator."""

    base: ModelFile
    loras: tuple[ModelFile, ...]
    few_step: ModelFile
    decoders: Path


def write(folder: Path, family: str, loras: int) -> Files:
    """`small` has the widths of the tests' models: for a look at whether the script runs through."""
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    pipe = small.pipeline(768, 0, folder / "tokenizer") if family == "small" else _full_size(folder, family)
    pipe.save_pretrained(folder / "base")
    decoders = _write_decoder(folder / "vae_approx", family)
    names = [*(f"lora {number}" for number in range(loras)), FEW_STEP[family]]
    paths = [small.write_full_kohya(folder / f"{name}.safetensors", pipe.unet, rank=RANK) for name in names]
    *plain, few_step = map(read_model_file, paths)
    return Files(base=read_model_file(folder / "base"), loras=tuple(plain), few_step=few_step, decoders=decoders)


def _full_size(folder: Path, family: str) -> Any:
    """Half precision: nine gigabytes less of SDXL than a plain initialisation takes."""
    files = json.loads((CONFIGS / f"{family}.json").read_text("utf-8"))
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float16)
    try:
        parts: dict[str, Any] = {
            "unet": diffusers.UNet2DConditionModel.from_config(files["unet/config.json"]),
            "vae": diffusers.AutoencoderKL.from_config(files["vae/config.json"]),
            "text_encoder": _text_encoder("CLIPTextModel", files["text_encoder/config.json"]),
        }
        if "text_encoder_2/config.json" in files:
            config = files["text_encoder_2/config.json"]
            parts["text_encoder_2"] = _text_encoder("CLIPTextModelWithProjection", config)
    finally:
        torch.set_default_dtype(before)
    scheduler: Any = diffusers.DPMSolverMultistepScheduler.from_config(files["scheduler/scheduler_config.json"])
    tokenizer = _tokenizer(folder / "tokenizer")
    if "text_encoder_2" in parts:
        return diffusers.StableDiffusionXLPipeline(
            **parts, scheduler=scheduler, tokenizer=tokenizer, tokenizer_2=tokenizer
        )
    unsafe: dict[str, Any] = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    return diffusers.StableDiffusionPipeline(**parts, scheduler=scheduler, tokenizer=tokenizer, **unsafe)


def _text_encoder(name: str, config: dict[str, Any]) -> Any:
    return getattr(transformers, name)(transformers.CLIPTextConfig(**config))


def _tokenizer(folder: Path) -> Any:
    write_clip_tokenizer(folder)
    told = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "pad_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(told))
    return transformers.CLIPTokenizer.from_pretrained(str(folder), local_files_only=True)


def _write_decoder(folder: Path, family: str) -> Path:
    folder.mkdir()
    vae = diffusers.AutoencoderTiny()
    state = {name.removeprefix("layers."): tensor for name, tensor in vae.decoder.state_dict().items()}
    shifted = {f"{int(name.split('.', 1)[0]) + 1}.{name.split('.', 1)[1]}": tensor for name, tensor in state.items()}
    save_file(shifted, folder / f"{DECODERS[family]}_decoder.safetensors")
    return folder
