"""Which line within a family a model is of, as users know it: Pony, Illustrious, NoobAI, ..."""

from __future__ import annotations

from ..families import lineage_in
from .model_file import ModelFile


def lineage_of(model: ModelFile) -> str | None:
    """The fine-tune that became a base of its own and that the model descends from: by what its author or a hub says it
    was trained on, else by its own names, else by its folder's."""
    said = (model.base_hint or "", f"{model.path.stem} {model.title}", model.path.parent.name)
    found = (lineage_in(model.architecture, text) for text in said)
    return next((lineage.name for lineage in found if lineage), None)
