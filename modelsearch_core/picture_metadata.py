"""What a picture's file says of the models that made it: what the WebUIs, ComfyUI, Fooocus, SwarmUI and InvokeAI write.

A1111 and its kin write "parameters", a text; the others write JSON, in which model files stand under telling keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from PIL import Image

from .model_files import Kind
from .prompt_tags import loras_in

MOST_TEXT = 4 << 20  # characters; a workflow has some ten thousand
DEEPEST = 40
USER_COMMENT, EXIF_FOLDER = 0x9286, 0x8769
MODEL_FILE = re.compile(r".+\.(safetensors|sft|ckpt|pt|pth|bin|gguf)$", re.IGNORECASE)
CHECKPOINT = re.compile(r"(?:^|,\s*|\n)Model:\s*([^,\n]+)")
LORA_HASHES = re.compile(r'Lora hashes:\s*"([^"]+)"')
KEYS = (  # what a key or a node's class is called, and what stands there; the first that fits
    ("lora", Kind.LORA),
    ("lyco", Kind.LORA),
    ("unet", Kind.DIFFUSION_MODEL),
    ("diffusion_model", Kind.DIFFUSION_MODEL),
    ("ckpt", Kind.CHECKPOINT),
    ("checkpoint", Kind.CHECKPOINT),
)
OTHER_FILES = ("vae", "clip", "text_encoder", "control", "upscale", "embedding", "style_model", "sam", "detector")


@dataclass(frozen=True)
class Mention:
    """A model as a picture names it; `kind` is None where only a name is told."""

    name: str
    kind: Kind | None


def mentions(image: Image.Image) -> list[Mention]:
    """The models that a picture's file names, each once, LoRA first; nothing where it says nothing."""
    found = [mention for text in _texts(image) for mention in _of_text(text)]
    once = dict.fromkeys(found)
    return sorted(once, key=lambda mention: mention.kind is not Kind.LORA)


def _texts(image: Image.Image) -> Iterator[str]:
    for value in image.info.values():
        if isinstance(value, str) and len(value) <= MOST_TEXT:
            yield value
    if comment := _user_comment(image):
        yield comment


def _user_comment(image: Image.Image) -> str:
    """EXIF's, where JPEG and WebP carry what PNG has in texts."""
    try:
        value: Any = image.getexif().get_ifd(EXIF_FOLDER).get(USER_COMMENT, b"")
    except Exception:  # a broken EXIF block can raise anything
        return ""
    if not isinstance(value, bytes):
        return str(value)[:MOST_TEXT]
    code, content = value[:8], value[8 : 8 + 2 * MOST_TEXT]
    return content.decode("utf-16-be" if code.startswith(b"UNICODE") else "utf-8", errors="replace")


def _of_text(text: str) -> Iterator[Mention]:
    text = text.removeprefix("prompt:").removeprefix("workflow:").removeprefix("Workflow:")
    if not text.lstrip().startswith(("{", "[")):
        yield from _of_parameters(text)
        return
    try:
        yield from _of_json(json.loads(text), "", 0)
    except (ValueError, RecursionError):
        return


def _of_parameters(text: str) -> Iterator[Mention]:
    """A WebUI's infotext, or any prompt with tags."""
    yield from (Mention(name, Kind.LORA) for name in loras_in(text))
    if hashes := LORA_HASHES.search(text):
        yield from (Mention(entry.split(":")[0].strip(), Kind.LORA) for entry in hashes[1].split(","))
    yield from (Mention(name.strip(), Kind.CHECKPOINT) for name in CHECKPOINT.findall(text) if "Steps:" in text)


def _of_json(value: Any, key: str, depth: int) -> Iterator[Mention]:
    """`key` is what the value stands under, its node's class included."""
    if depth > DEEPEST:
        return
    if isinstance(value, str):
        yield from _of_string(value, key.casefold())
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _of_json(item, key, depth + 1)
    elif isinstance(value, dict):
        yield from _of_object(cast("dict[str, Any]", value), key, depth)


def _of_object(fields: Mapping[str, Any], key: str, depth: int) -> Iterator[Mention]:
    if fields.get("on") is False or fields.get("mode") in (2, 4):  # switched off: a row of a stack, a muted node
        return
    node = str(fields.get("class_type") or fields.get("type") or "")
    for name, value in fields.items():
        under = f"{key} {node} {name}" if name in ("inputs", "widgets_values") else f"{key} {name}"
        yield from _of_json(value, under, depth + 1)


def _of_string(text: str, key: str) -> Iterator[Mention]:
    yield from (Mention(name, Kind.LORA) for name in loras_in(text))
    last = key.rsplit(" ", 1)[-1]
    if MODEL_FILE.match(text) and not any(word in last for word in OTHER_FILES):
        kind = next((kind for where in (last, key) for word, kind in KEYS if word in where), None)
        if kind is not None or not any(word in key for word in OTHER_FILES):
            yield Mention(text, kind)
