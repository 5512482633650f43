"""What a user says of a model in place of its file: its architecture, the base under it, its trigger words.

It is kept by the weights' fingerprint, so scanning again, renaming and moving change nothing of it; the model is asked
again as it then is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from .catalog import Catalog
from .errors import ModelSearchError, UnknownModelError
from .families import ARCHITECTURES, UNKNOWN
from .model_files import Kind, ModelFile
from .model_files.annotations import clean_words
from .model_files.by_hand import ByHand

FIELDS = ("architecture", "base", "trigger_words")


def correct(catalog: Catalog, fingerprint: str, changes: Mapping[str, Any]) -> ModelFile:
    """Sets what `changes` names, by `FIELDS`; None makes a field what the file says again. The model as it is then.

    `base` is the path of a model of the index, `trigger_words` a list or a text with commas. Raises ModelSearchError
    for a value that cannot be, and nothing is changed.
    """
    models = catalog.models()
    model = next((each for each in models if each.fingerprint == fingerprint), None)
    if model is None:
        raise UnknownModelError(f"no model of {catalog.path} has the fingerprint {fingerprint}; search again")
    if foreign := changes.keys() - set(FIELDS):
        raise ModelSearchError(f"{', '.join(sorted(foreign))} cannot be set by hand; {', '.join(FIELDS)} can")
    values = catalog.by_hand.get(fingerprint).to_json() | dict(changes)
    words = _trigger_words(values.get("trigger_words"))
    by_hand = ByHand(
        architecture=_architecture(values.get("architecture")),
        base=_base(model, values.get("base"), models),
        trigger_words=words,
    )
    catalog.by_hand.put(fingerprint, by_hand)
    return next(each for each in catalog.models() if each.fingerprint == fingerprint)


def bases_for(model: ModelFile, models: Sequence[ModelFile]) -> list[ModelFile]:
    """What can be set as the base under a LoRA: models that stand alone, those of its architecture first."""
    alone = [each for each in models if each.kind in (Kind.CHECKPOINT, Kind.DIFFUSION_MODEL)]
    return sorted(alone, key=lambda each: (each.architecture != model.architecture, each.path.name.casefold()))


def _architecture(value: object) -> str | None:
    if value is not None and value not in ARCHITECTURES:
        known = ", ".join(name for name in ARCHITECTURES if name != UNKNOWN)
        raise ModelSearchError(f"{str(value)[:100]!r} is no architecture that is known here; these are: {known}")
    return None if value is None else str(value)


def _trigger_words(value: object) -> tuple[str, ...] | None:
    if value is None or isinstance(value, str):
        return None if value is None else clean_words(value)
    if isinstance(value, (list, tuple)) and all(isinstance(word, str) for word in cast("list[object]", value)):
        return clean_words(list(cast("list[str]", value)))
    raise ModelSearchError(f"trigger words are a text with commas, or a list of texts, not {value!r:.100}")


def _base(model: ModelFile, value: object, models: Sequence[ModelFile]) -> Path | None:
    if value is None:
        return None
    if model.kind is not Kind.LORA:
        raise ModelSearchError(f"{model.path.name} is a {model.kind.value}, which has no base; only a LoRA has one")
    path = Path(str(value))
    if not any(each.path == path for each in bases_for(model, models)):
        raise ModelSearchError(f"{path} is no checkpoint of the index; index its folder first, or give another one")
    return path
