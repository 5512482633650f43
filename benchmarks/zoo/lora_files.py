"""LoRA files as users have them: kohya's or PEFT's keys, with and without headers, sidecars beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch.nn import Parameter

from .lora import Factors, Lora
from .plan import Plan


def save(low: Lora, plan: Plan, path: Path, captions: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    low = {name: replace(f, up=Parameter(f.up.detach() * plan.strength)) for name, f in low.items()}
    tensors = kohya_keys(low) if plan.layout == "kohya" else peft_keys(low)
    half = {k: v.detach().half().contiguous().cpu() for k, v in tensors.items()}
    save_file(half, path, metadata=header(plan, captions) or None)


def kohya_keys(low: Lora) -> dict[str, torch.Tensor]:
    out: dict[str, torch.Tensor] = {}
    for name, f in low.items():
        key = "lora_unet_" + name.replace(".", "_")
        out[f"{key}.lora_down.weight"] = f.down
        out[f"{key}.lora_up.weight"] = _like(f.up, f.down)
        out[f"{key}.alpha"] = torch.tensor(float(f.down.shape[0]))
    return out


def peft_keys(low: Lora) -> dict[str, torch.Tensor]:
    out: dict[str, torch.Tensor] = {}
    for name, f in low.items():
        out[f"unet.{name}.lora_A.weight"] = f.down
        out[f"unet.{name}.lora_B.weight"] = _like(f.up, f.down)
        if f.magnitude is not None:
            out[f"unet.{name}.lora_magnitude_vector"] = f.magnitude
    return out


def _like(up: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    return up[:, :, None, None] if down.ndim == 4 else up


def header(plan: Plan, captions: list[str]) -> dict[str, str]:
    """What training tools write into a safetensors header."""
    out: dict[str, str] = {"format": "pt"} if plan.metadata else {}
    if "kohya" in plan.metadata:
        out |= {
            "ss_sd_model_name": "mini-zoo-base.safetensors",
            "ss_base_model_version": "sd_v1",
            "ss_output_name": Path(plan.file).stem,
            "ss_network_module": "networks.lora",
            "ss_network_dim": str(plan.rank),
            "ss_network_alpha": str(float(plan.rank)),
            "ss_steps": str(plan.steps),
            "ss_resolution": f"({plan.resolution}, {plan.resolution})",
            "ss_tag_frequency": json.dumps({f"10_{plan.trigger or 'set'}": _tags(captions)}),
        }
    if "modelspec" in plan.metadata:
        kind = "/lora" if plan.category != "checkpoint" else ""
        out |= {
            "modelspec.sai_model_spec": "1.0.0",
            "modelspec.architecture": f"stable-diffusion-v1{kind}",
            "modelspec.title": Path(plan.file).stem,
            "modelspec.resolution": f"{plan.resolution}x{plan.resolution}",
        }
        if plan.trigger:
            out["modelspec.trigger_phrase"] = plan.trigger
    return out


def _tags(captions: list[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for tag in (part.strip() for c in captions for part in c.split(",")):
        counts[tag] = counts.get(tag, 0) + 1
    return dict(sorted(counts.items(), key=lambda kv: -kv[1])[:12])


def save_sidecar(plan: Plan, path: Path) -> None:
    """The small files that model managers keep beside a model."""
    words = [plan.trigger] if plan.trigger else []
    title = plan.description.capitalize()
    if plan.sidecar == "civitai":
        about = {
            "name": "v1.0",
            "baseModel": "SD 1.5",
            "trainedWords": words,
            "model": {"name": title, "type": "LORA", "nsfw": False},
        }
        path.with_suffix(".civitai.info").write_text(json.dumps(about, indent=2))
    elif plan.sidecar == "manager":
        about = {
            "file_name": path.stem,
            "model_name": title,
            "base_model": "SD 1.5",
            "tags": ["style"],
            "civitai": {"trainedWords": words},
        }
        path.with_suffix(".metadata.json").write_text(json.dumps(about, indent=2))
    elif plan.sidecar == "a1111":
        about = {
            "description": title,
            "sd version": "SD1",
            "activation text": plan.trigger,
            "preferred weight": 0.9,
            "notes": "",
        }
        path.with_suffix(".json").write_text(json.dumps(about, indent=2))
    elif plan.sidecar == "txt":
        path.with_suffix(".txt").write_text(f"{title}\ntrigger: {plan.trigger}\n")


def read(path: Path, modules: Iterable[str]) -> dict[str, Factors]:
    """A file's factors by module, from either layout; `modules` are the UNet's names, since kohya's keys write `_` for `.`."""
    tensors = {k: v.float() for k, v in load_file(path).items()}
    names = {name.replace(".", "_"): name for name in modules}
    low = {}
    for key in tensors:
        if key.endswith((".lora_down.weight", ".lora_A.weight")):
            stem = key.rsplit(".", 2)[0]
            up = tensors[key.replace("lora_down", "lora_up").replace("lora_A", "lora_B")].flatten(1)
            magnitude = tensors.get(f"{stem}.lora_magnitude_vector")
            name = names[stem.removeprefix("lora_unet_").removeprefix("unet.").replace(".", "_")]
            low[name] = Factors(*(None if t is None else Parameter(t) for t in (tensors[key], up, magnitude)))
    return low
