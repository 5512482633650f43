"""Which checkpoints the user wants under LoRA, one for each architecture, as the settings hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modelsearch_core.errors import ModelSearchError
from modelsearch_core.model_files import Kind, ModelFile


def read_bases(text: str) -> dict[str, str]:
    """`sd15=name, sdxl=name`. ModelSearchError for what is not of that form."""
    pairs = [part.partition("=") for part in text.replace("\n", ",").split(",") if part.strip()]
    if wrong := [name for name, sign, value in pairs if not (sign and name.strip() and value.strip())]:
        raise ModelSearchError(f"write the bases as sd15=name of a checkpoint, not {wrong[0].strip()!r}")
    return {name.strip(): value.strip() for name, _, value in pairs}


def with_chosen_bases(models: Sequence[ModelFile], bases: Mapping[str, str]) -> list[ModelFile]:
    """The models without those checkpoints that could come under a LoRA in the place of a chosen one."""
    chosen = {architecture: _named(models, architecture, name) for architecture, name in bases.items()}
    return [
        model for model in models if model.kind is not Kind.CHECKPOINT or chosen.get(model.architecture, model) is model
    ]


def _named(models: Sequence[ModelFile], architecture: str, name: str) -> ModelFile:
    fitting = [m for m in models if m.kind is Kind.CHECKPOINT and m.architecture == architecture]
    for model in fitting:
        if name.casefold() in str(model.path).casefold():
            return model
    raise ModelSearchError(
        f"no checkpoint for {architecture} has {name!r} in its name (there are {len(fitting)}); "
        "change Settings, Model Search, base models under LoRA"
    )
