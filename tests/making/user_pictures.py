"""Picture files as the programs that people use write them, with the models, the strengths and the prompt in each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, PngImagePlugin

EXIF_FOLDER, USER_COMMENT, MAKER, MODEL, SOFTWARE = 0x8769, 0x9286, 0x010F, 0x0110, 0x0131


@dataclass(frozen=True, kw_only=True)
class Made:
    """How a picture was made. `loras` are strengths by name, without an ending; `hashes` by the same names."""

    prompt: str
    checkpoint: str = "base"
    loras: Mapping[str, float] = field(default_factory=dict[str, float])
    hashes: Mapping[str, str] = field(default_factory=dict[str, str])
    seed: int = 1


def write_a1111(image: Image.Image, path: Path, made: Made) -> None:
    """AUTOMATIC1111, Forge, SD.Next: PNG's `parameters`, or EXIF's UserComment."""
    _write(image, path, {"parameters": infotext(made)})


def write_comfyui(image: Image.Image, path: Path, made: Made) -> None:
    graph, workflow = json.dumps(comfyui_graph(made)), json.dumps({"nodes": [], "version": 0.4})
    if path.suffix == ".png":
        _write(image, path, {"prompt": graph, "workflow": workflow})
        return
    exif = Image.Exif()  # as its own WebP and animation savers do
    exif[MODEL], exif[MAKER] = f"prompt:{graph}", f"workflow:{workflow}"
    image.save(path, exif=exif)


def write_fooocus(image: Image.Image, path: Path, made: Made) -> None:
    """Its own scheme; EXIF's fields are in the first folder there."""
    text = json.dumps(
        {
            "base_model": made.checkpoint,
            "base_model_hash": made.hashes.get(made.checkpoint, "0123456789"),
            "full_prompt": [made.prompt, "masterpiece"],
            "loras": [[name, weight, made.hashes.get(name, "")] for name, weight in made.loras.items()],
            "lora_combined_1": "".join(f"{name} : {weight}" for name, weight in list(made.loras.items())[:1]),
            "prompt": made.prompt,
            "seed": str(made.seed),
            "version": "Fooocus v2.5.5",
        }
    )
    if path.suffix == ".png":
        _write(image, path, {"parameters": text, "fooocus_scheme": "fooocus"})
        return
    exif = Image.Exif()
    exif[USER_COMMENT], exif[SOFTWARE] = text, "Fooocus v2.5.5"
    image.save(path, exif=exif)


def write_invokeai(image: Image.Image, path: Path, made: Made) -> None:
    def model(name: str, sort: str) -> dict[str, str]:
        told = made.hashes.get(name, "blake3:00")
        return {"key": "b1946ac9", "hash": told, "name": name, "base": "sd-1", "type": sort}

    loras = [{"model": model(name, "lora"), "weight": weight} for name, weight in made.loras.items()]
    told = {"positive_prompt": made.prompt, "seed": made.seed, "loras": loras, "model": model(made.checkpoint, "main")}
    _write(image, path, {"invokeai_metadata": json.dumps(told)})


def write_swarmui(image: Image.Image, path: Path, made: Made) -> None:
    told = {
        "sui_image_params": {
            "prompt": made.prompt,
            "model": made.checkpoint,
            "seed": made.seed,
            "loras": list(made.loras),
            "loraweights": [str(weight) for weight in made.loras.values()],
            "swarm_version": "0.9.5.0",
        },
        "sui_models": [
            {"name": f"{name}.safetensors", "param": "loras", "hash": f"0x{made.hashes.get(name, 'ff')}"}
            for name in made.loras
        ],
    }
    _write(image, path, {"parameters": json.dumps(told)})


WRITERS: dict[str, Callable[[Image.Image, Path, Made], None]] = {
    "a1111": write_a1111,
    "comfyui": write_comfyui,
    "fooocus": write_fooocus,
    "invokeai": write_invokeai,
    "swarmui": write_swarmui,
}


def infotext(made: Made) -> str:
    tags = "".join(f" <lora:{name}:{weight}>" for name, weight in made.loras.items())
    hashes = ", ".join(f"{name}: {made.hashes[name]}" for name in made.loras if name in made.hashes)
    told = f', Lora hashes: "{hashes}"' if hashes else ""
    return (
        f"{made.prompt}{tags}\nNegative prompt: blurry, ugly\nSteps: 20, Sampler: Euler a, CFG scale: 7, "
        f"Seed: {made.seed}, Size: 512x512, Model hash: {made.hashes.get(made.checkpoint, '6ce0161689')}, "
        f"Model: {made.checkpoint}{told}, Version: v1.10.1"
    )


def comfyui_graph(made: Made) -> dict[str, Any]:
    """Loader, a chain of LoRA, two texts, a sampler; and a LoRA that nothing is connected with."""
    graph: dict[str, Any] = {
        "1": _node("CheckpointLoaderSimple", ckpt_name=f"{made.checkpoint}.safetensors"),
        "2": _node("LoraLoader", lora_name="unused.safetensors", strength_model=1.0, model=["1", 0], clip=["1", 1]),
    }
    last = "1"
    for number, (name, weight) in enumerate(made.loras.items(), 10):
        inputs = {"lora_name": f"{name}.safetensors", "strength_model": weight, "strength_clip": 1.0}
        graph[str(number)] = _node("LoraLoader", **inputs, model=[last, 0], clip=[last, 1])
        last = str(number)
    return graph | {
        "3": _node("CLIPTextEncode", text=made.prompt, clip=[last, 1]),
        "4": _node("CLIPTextEncode", text="blurry, ugly", clip=[last, 1]),
        "5": _node("KSampler", seed=made.seed, model=[last, 0], positive=["3", 0], negative=["4", 0]),
        "6": _node("SaveImage", images=["5", 0]),
    }


def _node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def _write(image: Image.Image, path: Path, texts: Mapping[str, str]) -> None:
    if path.suffix == ".png":
        written = PngImagePlugin.PngInfo()
        for name, text in texts.items():
            written.add_itxt(name, text)
        image.save(path, pnginfo=written)
        return
    exif = Image.Exif()
    text = next(iter(texts.values()))
    exif.get_ifd(EXIF_FOLDER)[USER_COMMENT] = b"UNICODE\0" + text.encode("utf-16-be")
    image.save(path, exif=exif)
