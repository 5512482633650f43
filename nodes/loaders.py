"""Load Found LoRA(s), Load Found Checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import folder_paths

from ..modelsearch_core.choosing import strengths
from ..modelsearch_core.errors import ModelSearchError
from .found import Found, at_rank
from .messages import tell
from .places import FOLDERS
from .sockets import CATEGORY, LORA_STACK, MODEL_MATCHES, MODEL_NAME

NONE = "none: nothing is relevant enough"
NOISE = {"tooltip": "Which file of a LoRA of two (Wan 2.2): the one for high noise or for low noise."}
MINIMUM = "Below it, a LoRA is left out. 0 applies the best whatever it is, also where the search is not sure of it."
NO_FIT = "none: nothing fits the model"


class LoadFoundLora:
    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Applies the best LoRA of a search, together as strong as one; none where none is relevant enough, or the "
        "search is not sure of it."
    )
    FUNCTION = "load"
    RETURN_TYPES = ("MODEL", "CLIP", LORA_STACK, "STRING", "STRING")
    RETURN_NAMES = ("MODEL", "CLIP", "lora_stack", "trigger_words", "lora_tags")
    OUTPUT_TOOLTIPS = (
        "With the LoRA applied.",
        "With the LoRA applied.",
        "Names and strengths, for the stackers of other packs.",
        "The trigger words of all of them; for the prompt.",
        "<lora:name:strength> of all of them.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        strength = {"default": 1.0, "min": -4.0, "max": 4.0, "step": 0.05, "tooltip": "Times the suggested strengths."}
        minimum = {"default": 0.5, "min": 0.0, "max": 1.0, "step": 0.05, "tooltip": MINIMUM}
        return {
            "required": {
                "matches": (MODEL_MATCHES,),
                "count": ("INT", {"default": 1, "min": 1, "max": 8, "tooltip": "How many at most."}),
                "strength": ("FLOAT", strength),
                "minimum_relevance": ("FLOAT", minimum),
            },
            "optional": {
                "model": ("MODEL", {"tooltip": "Left out, only the stack and the texts are made."}),
                "clip": ("CLIP", {"tooltip": "May be left out."}),
                "noise": (["high", "low"], NOISE),
            },
            "hidden": {"unique_id": "UNIQUE_ID"},
        }

    def load(
        self,
        matches: Sequence[Found],
        count: int,
        strength: float,
        minimum_relevance: float,
        model: Any = None,
        clip: Any = None,
        noise: str = "high",
        unique_id: str | None = None,
    ) -> tuple[Any, ...]:
        unsure = doubt(matches, minimum_relevance)
        relevant = [found.half(noise) for found in matches if found.match.relevance >= minimum_relevance and not unsure]
        chosen, misfits = fitting(relevant, count, model, clip)
        stack = [
            (_there(found, "lora").name, round(strength * weight, 3), round(strength * weight, 3))
            for found, weight in zip(chosen, strengths([found.match for found in chosen]), strict=True)
        ]
        for name, on_model, on_clip in stack:
            model, clip = applied(model, clip, name, on_model, on_clip)
        lines = [f"{name}  {weight:g}" for name, weight, _ in stack] or [unsure or (NO_FIT if misfits else NONE)]
        tell(unique_id, "\n".join([*lines, *misfits]))
        words = ", ".join(found.trigger_words for found in chosen if found.trigger_words)
        tags = " ".join(f"<lora:{name.rsplit('.', 1)[0]}:{weight:g}>" for name, weight, _ in stack)
        return (model, clip, stack, words, tags)


class LoadFoundCheckpoint:
    CATEGORY = CATEGORY
    DESCRIPTION = "Loads a checkpoint that a search found."
    FUNCTION = "load"
    RETURN_TYPES = ("MODEL", "CLIP", "VAE", MODEL_NAME)
    RETURN_NAMES = ("MODEL", "CLIP", "VAE", "ckpt_name")
    OUTPUT_TOOLTIPS = ("", "", "", "The name of what was loaded.")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        rank = {"default": 1, "min": 1, "max": 100, "tooltip": "1 is the best match."}
        return {
            "required": {"matches": (MODEL_MATCHES,), "rank": ("INT", rank)},
            "hidden": {"unique_id": "UNIQUE_ID"},
        }

    def load(self, matches: Sequence[Found], rank: int, unique_id: str | None = None) -> tuple[Any, ...]:
        from nodes import CheckpointLoaderSimple  # ComfyUI's own

        found = _there(at_rank(matches, rank), "checkpoint")
        tell(unique_id, found.line())
        return (*CheckpointLoaderSimple().load_checkpoint(found.name), found.name)


def doubt(matches: Sequence[Found], minimum: float) -> str:
    """Why none is applied though one is relevant enough; nothing where the search is sure of its best, or a minimum of
    0 takes the best whatever it is."""
    best = max(matches, key=lambda found: found.match.relevance)
    sure = best.match.confidence
    if minimum <= 0 or best.match.relevance < minimum or sure >= best.wanted:
        return ""
    return (
        f"none: {best.name} is the best, but only {sure:.0%} sure to be meant, and {best.wanted:.0%} are asked for; "
        "say more of what it shall make, or apply it all the same with a minimum_relevance of 0"
    )


def fitting(matches: Sequence[Found], count: int, model: Any, clip: Any) -> tuple[list[Found], list[str]]:
    """The first of the matches that fit the model, all where there is none; and why those before them do not."""
    if model is None:
        return list(matches[:count]), []
    from .fitting import patched  # brings ComfyUI's engine along

    chosen: list[Found] = []
    misfits: list[str] = []
    for found in matches:
        if len(chosen) == count:
            break
        fit = patched(model, clip, _path(_there(found, "lora")), 1.0, 1.0).fit
        if fit.fits:
            chosen.append(found)
        else:
            misfits.append(f"left out: {fit.why_not(found.name)}")
    return chosen, misfits


def _path(found: Found) -> Path:
    return Path(folder_paths.get_full_path_or_raise(FOLDERS[found.match.kind], found.name))


def applied(model: Any, clip: Any, name: str, on_model: float, on_clip: float) -> tuple[Any, Any]:
    if model is None:
        return model, clip
    from nodes import LoraLoader  # ComfyUI's own

    return LoraLoader().load_lora(model, clip, name, on_model, on_clip if clip is not None else 0.0)


def _there(found: Found, kind: str) -> Found:
    """The match, if it is of that kind and its file is still there. ModelSearchError that says what to do."""
    if found.match.kind != kind:
        raise ModelSearchError(
            f"{found.name} is a {found.match.kind}, not a {kind}; wire matches of another Find node."
        )
    if folder_paths.get_full_path(FOLDERS[kind], found.name) is None:
        raise ModelSearchError(f"{found.name} is not in {FOLDERS[kind]} any more; index again, then search again.")
    return found
