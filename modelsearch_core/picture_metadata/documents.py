"""JSON in pictures: ComfyUI's graphs, and what Fooocus, SwarmUI and InvokeAI write of their settings.

Where a document is of a known form it is read as that; else model files are found by the keys that they stand under.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from ..model_files import Kind
from . import graphs, infotext
from .mention import Mention, strength_of

Fields = Mapping[str, Any]

DEEPEST = 40
LONGEST_KEY = 300  # characters: what a document calls its fields is joined for each value below them
MODEL_FILE = re.compile(r".+\.(safetensors|sft|ckpt|pt|pth|bin|gguf)$", re.IGNORECASE)
KEYS = (  # what a key or a node's class is called, and what stands there; the first that fits
    ("lora", Kind.LORA),
    ("lyco", Kind.LORA),
    ("unet", Kind.DIFFUSION_MODEL),
    ("diffusion_model", Kind.DIFFUSION_MODEL),
    ("ckpt", Kind.CHECKPOINT),
    ("checkpoint", Kind.CHECKPOINT),
)
OTHER_FILES = ("vae", "clip", "text_encoder", "control", "upscale", "embedding", "style_model", "sam", "detector")
STRENGTHS = ("strength_model", "model_strength", "strength", "lora_strength", "lora_weight", "weight")
NUMBERED = re.compile(r"lora(?:_name)?_(\d+)$")
NUMBERED_STRENGTHS = ("model_str_{}", "lora_wt_{}", "strength_{}", "lora_strength_{}", "model_weight_{}")
SWITCHES = ("on", "active", "enabled")
MUTED = (2, 4)  # a node's mode in a workflow


def mentions_in(document: Any) -> Iterator[Mention]:
    """The models that a document names."""
    fields = cast("Fields", document) if isinstance(document, dict) else {}
    if isinstance(fields.get("sui_image_params"), dict):
        yield from _swarm(fields)
    elif isinstance(fields.get("base_model"), str) and isinstance(fields.get("loras", []), list):
        yield from _fooocus(fields)
    elif "positive_prompt" in fields and isinstance(fields.get("model"), dict):
        yield from _invoke(fields)
    elif graphs.is_graph(document):
        yield from _of_json(graphs.used(document), "", 0)
    else:
        yield from _of_json(document, "", 0)


def prompt_in(document: Any) -> str:
    """What was asked for, without tags' own syntax being touched; empty where it is not told."""
    if graphs.is_graph(document):
        return graphs.prompt_of(document)
    fields = cast("Fields", document) if isinstance(document, dict) else {}
    swarm = fields.get("sui_image_params")
    fields = cast("Fields", swarm) if isinstance(swarm, dict) else fields
    for key in ("positive_prompt", "full_prompt", "prompt", "Prompt"):
        said = fields.get(key)
        if isinstance(said, list):
            said = ", ".join(str(part) for part in cast("list[Any]", said) if isinstance(part, str))
        if isinstance(said, str) and said.strip():
            return said.strip()
    return ""


def seed_in(document: Any) -> str:
    if graphs.is_graph(document):
        return graphs.seed_of(document)
    fields = cast("Fields", document) if isinstance(document, dict) else {}
    swarm = fields.get("sui_image_params")
    seed = (cast("Fields", swarm) if isinstance(swarm, dict) else fields).get("seed", "")
    return str(seed) if isinstance(seed, (int, str)) else ""


def _swarm(fields: Fields) -> Iterator[Mention]:
    """`loras` and `loraweights` are lists, or texts with commas; `sui_models` has the hashes."""
    said = cast("Fields", fields["sui_image_params"])
    entries = fields.get("sui_models")
    models = [cast("Fields", each) for each in _list(entries) if isinstance(each, dict)]
    hashes = {bare(str(each.get("name"))): str(each.get("hash") or "") for each in models}
    names, weights = [str(name) for name in _list(said.get("loras"))], _list(said.get("loraweights"))
    for number, name in enumerate(names):
        weight = strength_of(weights[number]) if number < len(weights) else 1.0
        yield Mention(name, Kind.LORA, weight, hashes.get(bare(name), ""))
    yield from infotext.tagged(str(said.get("prompt", "")))
    if isinstance(said.get("model"), str):
        yield Mention(said["model"], Kind.CHECKPOINT, hash=hashes.get(bare(said["model"]), ""))


def _fooocus(fields: Fields) -> Iterator[Mention]:
    for entry in cast("list[Any]", fields.get("loras") or []):
        if isinstance(entry, list) and len(cast("list[Any]", entry)) >= 2:
            name, weight, *rest = cast("list[Any]", entry)
            yield Mention(str(name), Kind.LORA, strength_of(weight), str(rest[0]) if rest else "")
    for key, value in fields.items():
        if key.startswith("lora_combined_") and " : " in str(value):
            name, weight = str(value).rsplit(" : ", 1)
            yield Mention(name, Kind.LORA, strength_of(weight))
    yield from infotext.tagged(prompt_in(fields))
    yield Mention(fields["base_model"], Kind.CHECKPOINT, hash=str(fields.get("base_model_hash") or ""))


def _invoke(fields: Fields) -> Iterator[Mention]:
    for entry in _list(fields.get("loras")):
        each = cast("Fields", entry) if isinstance(entry, dict) else {}
        model: Any = each.get("model") or each.get("lora") or {}
        if name := _invoke_name(model):
            yield Mention(name, Kind.LORA, strength_of(each.get("weight")), str(model.get("hash") or ""))
    if name := _invoke_name(fields["model"]):
        yield Mention(name, Kind.CHECKPOINT, hash=str(fields["model"].get("hash") or ""))


def _invoke_name(model: Any) -> str:
    fields = cast("Fields", model) if isinstance(model, dict) else {}
    return str(fields.get("name") or fields.get("model_name") or "")


def _list(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return cast("list[Any]", value) if isinstance(value, list) else []


def bare(name: str) -> str:
    return re.sub(r"\.\w+$", "", name.replace("\\", "/").rsplit("/", 1)[-1]).casefold()


def _of_json(value: Any, key: str, depth: int, around: Fields | None = None) -> Iterator[Mention]:
    """`key` is what the value stands under, its node's class included; `around` the object that it is a field of."""
    if depth > DEEPEST:
        return
    if isinstance(value, str):
        yield from _of_string(value, key.casefold(), around or {})
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _of_json(item, key, depth + 1)
    elif isinstance(value, dict):
        yield from _of_object(cast("Fields", value), key, depth)


def _of_object(fields: Fields, key: str, depth: int) -> Iterator[Mention]:
    if any(fields.get(switch) is False for switch in SWITCHES) or fields.get("mode") in MUTED:
        return
    node = fields.get("class_type") or fields.get("type")
    node = node[:LONGEST_KEY] if isinstance(node, str) else ""
    for name, value in fields.items():
        own = name[-LONGEST_KEY:]
        under = f"{key} {node} {own}" if name in ("inputs", "widgets_values") else f"{key} {own}"
        yield from _of_json(value, under[-LONGEST_KEY:], depth + 1, fields)


def _of_string(text: str, key: str, around: Fields) -> Iterator[Mention]:
    yield from infotext.tagged(text)
    last = key.rsplit(" ", 1)[-1]
    if MODEL_FILE.match(text) and not any(word in last for word in OTHER_FILES):
        kind = next((kind for where in (last, key) for word, kind in KEYS if word in where), None)
        if kind is not None or not any(word in key for word in OTHER_FILES):
            yield Mention(text, kind, _weight(last, around) if kind is Kind.LORA else 1.0)


def _weight(key: str, around: Fields) -> float:
    """The strength beside a LoRA's name."""
    found = NUMBERED.search(key)
    names = [pattern.format(found[1]) for pattern in NUMBERED_STRENGTHS] if found else []
    return next((strength_of(around[name]) for name in (*names, *STRENGTHS) if name in around), 1.0)
