"""Names that tell, and names that any model has: `unet`, `checkpoint-500`, `diffusion_pytorch_model.fp16`.

Libraries and trainers name files and folders by what they hold or when they were saved; a name given by a person lies
further up. What was trained on is often noted as a path on the trainer's machine: its last telling part is the name.
"""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path, PurePosixPath

from .annotations import clean_title

MOST_PARENTS = 4  # looked at above a file
_ENDING = re.compile(r"\.(safetensors|sft|ckpt|pth?|bin|gguf)$", re.IGNORECASE)
_VARIANT = re.compile(r"([._-](fp\d+|bf16|fp8\w*|e4m3fn|non_ema|ema))+$|-\d{5}-of-\d{5}$", re.IGNORECASE)
_SAVED = re.compile(r"[-_ ](step|epoch|e|s)?[-_ ]?\d{3,}$", re.IGNORECASE)  # when it was
_ANY_FILE = re.compile(  # what trainers call files, and people titles
    r"""at|epoch|consolidated|(checkpoint|epoch|step)[-_ ]?e?\d+
    |(last|latest|final|best)([-_ ]?(lora|lokr|adapter|model|weights|checkpoint))?
    |(lora|lokr|adapter|model|weights|checkpoint)([-_ ]?(last|latest|final|best))?""",
    re.VERBOSE | re.IGNORECASE,
)
_UNTITLED = re.compile(r"last|(at|last)-step\d+|epoch-\d+", re.IGNORECASE)  # sd-scripts' files of nobody's naming
_ANY_MODELS = re.compile(  # file names, and folders within a model or a training run
    r"""pytorch_lora_weights|pytorch_model|adapter_model|diffusion_pytorch_model|diffusers|model|weights|consolidated
    |unet|transformer(_\d)?|text_encoder(_\d)?|prior|decoder|lora_unet|unet_lora|transformer_lora|snapshots|[0-9a-f]{40}
    |(checkpoint|ckpt|epoch|step|iter|global_?step)s?[-_ ]?\d+|saved?""",
    re.VERBOSE | re.IGNORECASE,
)
_ANY_FOLDER = re.compile(  # where hosts and trainers put models
    r"""(stable[-_ ]?diffusion|loras?|lycoris|checkpoints?|models?|diffusion_models|unet|output|outputs|out|results?|tmp
    |temp|downloads?|workspace|content|home|data|drive|mydrive|mnt|media)?""",
    re.VERBOSE | re.IGNORECASE,
)
_HOSTS_FOLDER = "models"  # what lies above is a program
_HUB_CACHE = re.compile(r"^models--(.+?)--(.+)$")  # models--stabilityai--stable-diffusion-xl-base-1.0
_STAMPED = re.compile(r"^(lora|checkpoint|textualinversion)@[\d.]+$", re.IGNORECASE)  # sd-scripts' untitled ones
_WORD = re.compile(r"[a-z]+")
_BASES = """
    stable diffusion sd xl sdxl flux fluxdev fluxfill dev fill base inpainting depth pixart alpha sigma cascade
    wuerstchen hunyuan hunyuanvideo video image anima chroma hidream hi dream full qwen qwenimage z zimage sana krea ltx
    lens ernie ideogram klein wan lora embedding v m b k
"""
_OF_BASES = frozenset(_BASES.split())  # OneTrainer titles every LoRA with the base's name


def own_name(path: Path) -> str:
    """What a file or a folder with a model is called: its stem, or the first name above it that tells something."""
    folders = path.absolute().parents[:MOST_PARENTS]
    above = takewhile(lambda name: name.casefold() != _HOSTS_FOLDER, (folder.name for folder in folders))
    for name in (path.stem if _ENDING.search(path.name) else path.name, *above):
        if _tells_of_file(name) and not (name != path.stem and _ANY_FOLDER.fullmatch(name)):
            return clean_title(_repository(name) or name)
    return clean_title(path.stem)


def tells(name: str) -> bool:
    """Whether a file's or folder's name is not one that any model has."""
    plain = _VARIANT.sub("", _ENDING.sub("", name.strip()))
    return not any(_ANY_MODELS.fullmatch(each) for each in (plain, _SAVED.sub("", plain)))


def _tells_of_file(name: str) -> bool:
    plain = _VARIANT.sub("", _ENDING.sub("", name.strip()))
    return tells(name) and not any(_ANY_FILE.fullmatch(each) for each in (plain, _SAVED.sub("", plain)))


def telling_title(value: object) -> str:
    """A title as somebody wrote it; empty for what a tool filled in."""
    title = clean_title(value)
    words = _WORD.findall(title.casefold())
    only_the_base = {"lora", "embedding"} & set(words[-1:]) and _OF_BASES.issuperset(words) and len(words) > 1
    return "" if only_the_base or _STAMPED.match(title) or _UNTITLED.fullmatch(title) or not tells(title) else title


def base_name(value: object) -> str | None:
    """What somebody says that a model was trained on: a name, a repository, or the telling part of a path."""
    text = clean_title(value)
    if text.casefold() in ("", "none", "unknown", "other"):
        return None
    parts = [part for part in text.replace("\\", "/").split("/") if part]
    if not _is_path(text, parts):
        return text
    for part in reversed(parts):
        if tells(part) and not _ANY_FOLDER.fullmatch(part):
            found = _HUB_CACHE.match(part)
            return f"{found[1]}/{found[2]}" if found else part
    return PurePosixPath(text).name or None


def _is_path(text: str, parts: list[str]) -> bool:
    """`organisation/model` is none, nor is an architecture with its sort (`stable-diffusion-xl-v1-base/lora`)."""
    if text[0] in "/~." or "\\" in text or re.match(r"[A-Za-z]:[\\/]|\w+://", text):
        return True
    return len(parts) > 2 or (len(parts) == 2 and _ENDING.search(text) is not None)


def _repository(name: str) -> str:
    found = _HUB_CACHE.match(name)
    return found[2] if found else ""
