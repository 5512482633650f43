"""Which line within a family a model is of, as users know it: Pony, Illustrious, NoobAI, ..."""

from __future__ import annotations

from ..families import Lineage, lineage_in
from .model_file import Kind, ModelFile


def lineage_of(model: ModelFile) -> Lineage | None:
    """The fine-tune that became a base of its own and that the model descends from. A LoRA is of what it was trained
    on, by what its author or a hub says, else by its own names; any other model is what it is called, else what it is
    said to come from; else both are what their folder is called."""
    said, called = model.base_hint or "", f"{model.path.stem} {model.title}"
    texts = (said, called) if model.kind is Kind.LORA else (called, said)
    found = (lineage_in(model.architecture, text) for text in (*texts, model.path.parent.name))
    return next((lineage for lineage in found if lineage), None)


def lineage_name(model: ModelFile) -> str | None:
    """Its name; None for a model of no line."""
    lineage = lineage_of(model)
    return lineage.name if lineage else None
