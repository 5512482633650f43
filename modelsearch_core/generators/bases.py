"""Which base model a LoRA is applied to: the user's choice, else the best local match for its architecture."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import MissingBaseError
from ..model_files import Kind, ModelFile

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORDS = re.compile(r"[a-z]+|\d+")
_SAME = (
    (re.compile(r"stable[-_ ]?diffusion"), "sd"),
    (re.compile(r"sd[-_ ]?xl"), "sdxl "),
)
_EMPTY = frozenset(("safetensors", "ckpt", "fp", "bf", "pruned", "ema", "emaonly", "only", "model", "v", "base"))
_PLAIN = re.compile(
    r"sd_?xl_base|v1-5-pruned|v1-5|stable-diffusion-v?[12]|stable-diffusion-xl-base|v2-1_768|sd3|flux1?-dev|\bbase\b"
)
_NOT_A_BASE = re.compile(r"inpaint|refiner|instruct-?pix2pix|pix2pix|depth", re.IGNORECASE)
_DISTILLED = re.compile(r"lightning|turbo|lcm|hyper|schnell|distill", re.IGNORECASE)


def base_for(lora: ModelFile, candidates: Sequence[ModelFile], chosen: ModelFile | None = None) -> ModelFile:
    """The checkpoint to put under `lora`. Raises MissingBaseError.

    `chosen` wins where its architecture fits or the LoRA's is unknown. Otherwise, among checkpoints of the LoRA's
    architecture: most words in common with what the author says it was trained on, then not distilled to few steps,
    then an original (sd_xl_base, v1-5-pruned, ...) before a merge, then the first by name. Inpainting models and
    refiners are none.
    """
    if chosen is not None and lora.architecture in (chosen.architecture, "unknown"):
        return chosen
    fitting = [model for model in candidates if _can_carry(model) and model.architecture == lora.architecture]
    if not fitting or lora.architecture == "unknown":
        raise MissingBaseError(_what_is_missing(lora, candidates))
    return min(fitting, key=lambda model: _order(lora, model))


def words(text: str) -> frozenset[str]:
    """The telling words of a name, in the spelling of this module: SDXL, sd_xl and Stable Diffusion XL are one."""
    text = _CAMEL.sub(" ", text).lower()
    for pattern, spelling in _SAME:
        text = pattern.sub(spelling, text)
    return frozenset(_WORDS.findall(text)) - _EMPTY


def _can_carry(model: ModelFile) -> bool:
    return model.kind is Kind.CHECKPOINT and not _NOT_A_BASE.search(f"{model.path.name} {model.title}")


def _order(lora: ModelFile, model: ModelFile) -> tuple[float, bool, bool, str, str]:
    hint = words(lora.base_hint or "")
    name = f"{model.path.name} {model.title}"
    common = len(hint & words(name)) / len(hint) if hint else 0.0
    is_distilled = _DISTILLED.search(name) is not None
    return -common, is_distilled, _PLAIN.search(name.lower()) is None, model.path.name, str(model.path)


def _what_is_missing(lora: ModelFile, candidates: Sequence[ModelFile]) -> str:
    there = sorted({model.architecture for model in candidates if _can_carry(model)})
    hint = f" (trained on {lora.base_hint})" if lora.base_hint else ""
    return (
        f"{lora.path.name} is a LoRA for {lora.architecture}{hint} and needs a base model of that architecture; "
        f"the checkpoints at hand are for: {', '.join(there) or 'none at all'}. "
        "Index the folder with such a checkpoint too, or name one with --base CKPT"
    )
