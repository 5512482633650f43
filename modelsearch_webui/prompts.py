"""What the panel's buttons do to the prompts: put a LoRA in, and take out again what was put in and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelsearch_core.choosing import USUAL_STRENGTH
from modelsearch_core.errors import ModelSearchError
from modelsearch_core.prompt_tags import lacking, lora_tag, with_lora, with_words, without_lora, without_words

from . import elsewhere, lifecycle, places

STRONGEST = 10.0
ENDS = " \t\n,"  # of a prompt, which a tag is put behind without
FIELDS = {  # by what the browser calls it: elem_ids of prompt and negative prompt
    "txt2img": ("txt2img_prompt", "txt2img_neg_prompt"),
    "img2img": ("img2img_prompt", "img2img_neg_prompt"),
    "hires": ("hires_prompt", "hires_neg_prompt"),
    "control": ("control_prompt", "control_neg_prompt"),  # SD.Next's
}


def change(request: Mapping[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    """Changes `texts`, the prompts by elem_id. Gives what was `done` with which `tag` (added, taken out, there as the
    user wrote it, or repeated: there by the first pass's prompt), and what was `added`, which the browser sends along
    the next time. ModelSearchError for a model that the WebUI cannot apply.

    request: tab, model, strength (the suggested one where there is none), added.
    """
    tab = request["tab"]
    if tab not in FIELDS or FIELDS[tab][0] not in texts:
        raise ModelSearchError(f"this WebUI shows no prompt of {tab}")
    server = elsewhere.chosen()
    model = (server or lifecycle.panel().library.newest()).model(str(request["model"]))
    if model.kind != "lora":
        raise ModelSearchError(f"{model.name} is a {model.kind}, not a LoRA")
    name = places.lora_name(model.path, *model.copies)
    if name is None:
        raise ModelSearchError(
            f"the WebUI does not know a LoRA {model.name!r}: press Refresh in its Lora tab; if it still does not, the "
            "file lies outside its LoRA folders, or another file has the same name"
        )
    if _repeats(tab, texts) and (twice := places.loras_written(_first(texts), model.path, *model.copies)):
        return {"done": "repeated", "tag": f"<lora:{twice[0]}>", "added": None}
    there = places.loras_written(texts[FIELDS[tab][0]], model.path, *model.copies)
    if not there:
        return _added(model, name, _strength(request.get("strength"), model.strength), tab, texts)
    if isinstance(added := request.get("added"), Mapping):
        return _taken_out(there[-1], added, tab, texts)
    return {"done": "there", "tag": f"<lora:{there[0]}>", "added": None}


def _added(model: Any, name: str, strength: float, tab: str, texts: dict[str, str]) -> dict[str, Any]:
    prompt, negative = FIELDS[tab]
    tag = lora_tag(name, strength)
    copied = _first(texts) if _repeats(tab, texts) else None
    if copied is not None:
        texts[prompt] = copied
    added = {"words": lacking(texts[prompt], model.trigger_words), "negative": [], "copied": copied}
    texts[prompt] = with_lora(texts[prompt], tag, model.trigger_words)
    if texts.get(negative) is not None and copied is None:
        against = _negative_words(model.path)
        added["negative"] = lacking(texts[negative], against)
        texts[negative] = with_words(texts[negative], against) if added["negative"] else texts[negative]
    return {"done": "added", "tag": str(tag), "added": added}


def _taken_out(name: str, added: Mapping[str, Any], tab: str, texts: dict[str, str]) -> dict[str, Any]:
    prompt, negative = FIELDS[tab]
    words, against = (list(map(str, added.get(part) or ())) for part in ("words", "negative"))
    texts[prompt] = without_lora(texts[prompt], name, words)
    copied = added.get("copied")
    if isinstance(copied, str) and texts[prompt].strip(ENDS) == copied.strip(ENDS):
        texts[prompt] = ""
    if against and negative in texts:
        texts[negative] = without_words(texts[negative], against)
    return {"done": "taken out", "tag": f"<lora:{name}>", "added": None}


def _repeats(tab: str, texts: Mapping[str, str]) -> bool:
    """Whether the prompt stands for the first pass's, as an empty one of the second does."""
    return tab == "hires" and not texts[FIELDS[tab][0]].strip()


def _first(texts: Mapping[str, str]) -> str:
    return texts.get(FIELDS["txt2img"][0], "")


def _strength(value: Any, suggested: float | None) -> float:
    if value is None:
        return USUAL_STRENGTH if suggested is None else suggested
    if isinstance(value, (int, float)) and abs(value) <= STRONGEST:  # not so for NaN
        return float(value)
    raise ModelSearchError(f"the strength must be a number from -{STRONGEST:g} to {STRONGEST:g}, not {value!r}")


def _negative_words(path: Path) -> list[str]:
    """What the user noted for a LoRA in this WebUI's own metadata editor, to go into the negative prompt."""
    try:
        noted = json.loads(path.with_suffix(".json").read_text("utf-8"))
    except (OSError, ValueError):
        return []
    text = noted.get("negative text") if isinstance(noted, dict) else None
    return [part for word in text.split(",") if (part := word.strip())] if isinstance(text, str) else []
