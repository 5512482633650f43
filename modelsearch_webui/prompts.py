"""What the panel's buttons do to a prompt."""

from __future__ import annotations

from typing import Any

from modelsearch_core.errors import ModelSearchError
from modelsearch_core.prompt_tags import lora_tag, loras_in, with_lora, without_lora

from . import lifecycle, places

USUAL_STRENGTH = 0.8


def change(asked: dict[str, Any], prompt: str) -> tuple[str, str]:
    """(the prompt with the LoRA, or without it where it was in it; what was done). ModelSearchError for a model that
    the WebUI cannot apply."""
    model = lifecycle.panel().library.newest().model(str(asked["model"]))
    if model.kind != "lora":
        raise ModelSearchError(f"{model.name} is a {model.kind}, not a LoRA")
    paths = (model.path, *model.copies)
    name = next((name for path in paths if (name := places.lora_name(path)) is not None), None)
    if name is None:
        raise ModelSearchError(
            f"the WebUI does not know a LoRA {model.name!r}: press Refresh in its Lora tab; if it still does not, the "
            "file lies outside its LoRA folders, or another file has the same name"
        )
    if name in loras_in(prompt):
        return without_lora(prompt, name, model.trigger_words), f"<lora:{name}> taken out of {asked['tab']}"
    tag = lora_tag(name, USUAL_STRENGTH if model.strength is None else model.strength)
    return with_lora(prompt, tag, model.trigger_words), f"{tag} added to {asked['tab']}"
