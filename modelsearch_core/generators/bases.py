"""Which base model a LoRA is applied to: the user's choice, else the best local match for its architecture."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from ..errors import MissingBaseError
from ..model_files import Kind, ModelFile
from .accelerators import is_distilled

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
_NOT_A_BASE = re.compile(r"inpaint|refiner|pix2pix|(?<![a-z])depth(?![a-z])", re.IGNORECASE)
_DISTILLED = re.compile(r"schnell|distill", re.IGNORECASE)  # beyond what `accelerators` knows
_Order = tuple[bool, bool, str, str]


class _Carrier(NamedTuple):
    """A checkpoint with what its name says and where it stands among its like."""

    model: ModelFile
    words: frozenset[str]
    order: _Order


class Bases:
    """The checkpoints that LoRA can be put on, sorted once; looking one up takes as long among ten as among thousands.

    `chosen` wins where its architecture fits or the LoRA's is unknown. Otherwise, among checkpoints of the LoRA's
    architecture: most words in common with what the author says it was trained on, then not distilled to few steps,
    then an original (sd_xl_base, v1-5-pruned, ...) before a merge, then the first by name. Inpainting models and
    refiners are none.
    """

    def __init__(self, models: Iterable[ModelFile], chosen: ModelFile | None = None) -> None:
        self._chosen = chosen
        self._carriers: dict[str, list[_Carrier]] = defaultdict(list)
        self._found: dict[tuple[str, str], ModelFile] = {}
        for model in models:
            if _can_carry(model):
                self._carriers[model.architecture].append(_Carrier(model, words(_name(model)), _order(model)))

    def of(self, lora: ModelFile) -> ModelFile:
        """The checkpoint to put under `lora`. Raises MissingBaseError, naming what is missing."""
        architecture, hint = lora.architecture, lora.base_hint or ""
        if self._chosen is not None and architecture in (self._chosen.architecture, "unknown"):
            return self._chosen
        if architecture == "unknown" or architecture not in self._carriers:
            raise MissingBaseError(self._what_is_missing(lora))
        if (architecture, hint) not in self._found:
            self._found[architecture, hint] = _nearest(words(hint), self._carriers[architecture])
        return self._found[architecture, hint]

    def _what_is_missing(self, lora: ModelFile) -> str:
        hint = f" (trained on {lora.base_hint})" if lora.base_hint else ""
        return (
            f"{lora.path.name} is a LoRA for {lora.architecture}{hint} and needs a base model of that architecture; "
            f"the checkpoints at hand are for: {', '.join(sorted(self._carriers)) or 'none at all'}. "
            "Index the folder with such a checkpoint too, or choose a base model for it"
        )


def words(text: str) -> frozenset[str]:
    """The telling words of a name, in the spelling of this module: SDXL, sd_xl and Stable Diffusion XL are one."""
    text = _CAMEL.sub(" ", text).lower()
    for pattern, spelling in _SAME:
        text = pattern.sub(spelling, text)
    return frozenset(_WORDS.findall(text)) - _EMPTY


def _nearest(hint: frozenset[str], carriers: Iterable[_Carrier]) -> ModelFile:
    def order(carrier: _Carrier) -> tuple[float, _Order]:
        return -len(hint & carrier.words) / max(len(hint), 1), carrier.order

    return min(carriers, key=order).model


def _can_carry(model: ModelFile) -> bool:
    return model.kind is Kind.CHECKPOINT and not _NOT_A_BASE.search(_name(model))


def _order(model: ModelFile) -> _Order:
    name = _name(model)
    few_steps = is_distilled(model) or _DISTILLED.search(name) is not None
    return few_steps, _PLAIN.search(name.lower()) is None, model.path.name, str(model.path)


def _name(model: ModelFile) -> str:
    return f"{model.path.name} {model.title}"
