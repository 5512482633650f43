"""Which base model a LoRA is applied to: the user's choice, else the best local match for its architecture."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import MissingBaseError, ModelSearchError, UnreadableModelError
from ..families import Lineage
from ..model_files import Kind, ModelFile, read_model_file
from ..model_files.lineages import lineage_of
from ..places import expanded
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
_NOT_A_BASE = re.compile(r"inpaint|refiner|pix2pix|(?<![a-z])(depth|canny|fill)(?![a-z])", re.IGNORECASE)
_DISTILLED = re.compile(r"schnell|distill", re.IGNORECASE)  # beyond what `accelerators` knows
_Order = tuple[bool, bool, str, str]


class _Carrier(NamedTuple):
    """A checkpoint with what its name says and where it stands among its like."""

    model: ModelFile
    words: frozenset[str]
    lineage: Lineage | None
    order: _Order


class Bases:
    """The checkpoints that LoRA can be put on, sorted once; looking one up takes as long among ten as among thousands.

    The base that was set for a LoRA by hand is taken, else `chosen` where its architecture fits or the LoRA's is
    unknown. Otherwise, among checkpoints of the LoRA's architecture and variant: those of its lineage (Pony, NoobAI,
    ...), then most words in common with what the author says it was trained on, then not distilled to few steps, then
    an original (sd_xl_base, v1-5-pruned, ...) before a merge, then the first by name. Inpainting models and refiners
    are none.
    """

    def __init__(self, models: Iterable[ModelFile], chosen: ModelFile | None = None) -> None:
        self._chosen = chosen
        self._by_path: dict[Path, ModelFile] = {}
        self._carriers: dict[str, list[_Carrier]] = defaultdict(list)
        self._found: dict[tuple[str | None, ...], ModelFile] = {}
        for model in models:
            self._by_path[model.path] = model
            if _can_carry(model):
                self._carriers[model.architecture].append(
                    _Carrier(model, words(_name(model)), lineage_of(model), _order(model))
                )

    def of(self, lora: ModelFile) -> ModelFile:
        """The checkpoint to put under `lora`. Raises MissingBaseError, naming what is missing."""
        if lora.base is not None:
            return self._set_by_hand(lora, lora.base)
        if self._chosen is not None and lora.architecture in (self._chosen.architecture, "unknown"):
            return self._chosen
        lineage = lineage_of(lora)
        key = lora.architecture, lora.variant, lora.base_hint, lineage and lineage.name
        if key not in self._found:
            self._found[key] = _nearest(words(lora.base_hint or ""), lineage, self._fitting(lora))
        return self._found[key]

    def _set_by_hand(self, lora: ModelFile, path: Path) -> ModelFile:
        if path not in self._by_path:
            raise MissingBaseError(
                f"the base that was set for {lora.path.name}, {path}, is not among the models at hand; index its "
                "folder, or set another one"
            )
        return self._by_path[path]

    def _fitting(self, lora: ModelFile) -> list[_Carrier]:
        carriers = [] if lora.architecture == "unknown" else self._carriers.get(lora.architecture, [])
        fitting = [carrier for carrier in carriers if _is_as_wide(lora, carrier.model)]
        if not fitting:
            raise MissingBaseError(self._what_is_missing(lora, carriers))
        return fitting

    def _what_is_missing(self, lora: ModelFile, carriers: Sequence[_Carrier]) -> str:
        hint = f" (trained on {lora.base_hint})" if lora.base_hint else ""
        there = {carrier.model.variant or "unknown" for carrier in carriers} or set(self._carriers)
        what = f"{lora.architecture} {lora.variant}" if carriers else lora.architecture
        return (
            f"{lora.path.name} is a LoRA for {what}{hint} and needs a base model of that "
            f"{'variant' if carriers else 'architecture'}; the checkpoints at hand are for: "
            f"{', '.join(sorted(there)) or 'none at all'}. "
            "Index the folder with such a checkpoint too, or choose a base model for it"
        )


def chosen_base(path: Path) -> ModelFile:
    """The checkpoint at `path` that LoRA are to be applied to. Raises ModelSearchError for anything else."""
    try:
        model = read_model_file(expanded(path))
    except UnreadableModelError as error:
        raise ModelSearchError(f"--base {error}") from error
    if model.kind is not Kind.CHECKPOINT:
        is_what = "a LoRA" if model.kind is Kind.LORA else f"a {model.kind.value.replace('_', ' ')}"
        raise ModelSearchError(f"--base {path} is {is_what}, not a checkpoint that LoRA could be applied to")
    return model


def words(text: str) -> frozenset[str]:
    """The telling words of a name, in the spelling of this module: SDXL, sd_xl and Stable Diffusion XL are one."""
    text = _CAMEL.sub(" ", text).lower()
    for pattern, spelling in _SAME:
        text = pattern.sub(spelling, text)
    return frozenset(_WORDS.findall(text)) - _EMPTY


def _nearest(hint: frozenset[str], lineage: Lineage | None, carriers: Iterable[_Carrier]) -> ModelFile:
    def order(carrier: _Carrier) -> tuple[int, float, _Order]:
        common = len(hint & carrier.words) / max(len(hint), 1)
        return _distance(lineage, carrier.lineage), -common, carrier.order

    return min(carriers, key=order).model


def _distance(wanted: Lineage | None, there: Lineage | None) -> int:
    """0: the same lineage, or none; 1: one that the other was trained from; 2: the family's own models; 3: others."""
    if (wanted and wanted.name) == (there and there.name):
        return 0
    if wanted and there and (wanted.parent == there.name or there.parent == wanted.name):
        return 1
    return 2 if there is None else 3


def _is_as_wide(lora: ModelFile, model: ModelFile) -> bool:
    """Whether the widths fit, as far as they are known."""
    return None in (lora.variant, model.variant) or lora.variant == model.variant


def _can_carry(model: ModelFile) -> bool:
    return model.kind is Kind.CHECKPOINT and not _NOT_A_BASE.search(_name(model))


def _order(model: ModelFile) -> _Order:
    name = _name(model)
    few_steps = is_distilled(model) or _DISTILLED.search(name) is not None
    return few_steps, _PLAIN.search(name.lower()) is None, model.path.name, str(model.path)


def _name(model: ModelFile) -> str:
    return f"{model.path.name} {model.title}"
