"""The always-on script "pick LoRA for this prompt"."""

from __future__ import annotations

import base64
import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from modelsearch_core.choosing import MOST, Chosen, choose
from modelsearch_core.errors import EmptyCatalogError, ModelSearchError
from modelsearch_core.panel.pictures import MOST_BYTES, open_picture
from modelsearch_core.prompt_tags import LoraTag, lora_tag, plain_words, with_lora
from modelsearch_core.scores.calibration import WEAK_BELOW
from modelsearch_core.search import Match, Query

from . import elsewhere, hosts, lifecycle, places
from .controls import BY_PICTURE, BY_PROMPT, INFOTEXT, SOURCES, TITLE

NOTHING = "no LoRA is relevant"
log = logging.getLogger(__name__)


def apply(
    p: Any,
    enabled: bool = False,
    source: str = BY_PROMPT,
    picture: Any = None,
    count: float = 1,
    floor: float = WEAK_BELOW,
    words: bool = True,
    *_: Any,
) -> None:
    """Adds LoRA to the prompts of this job and says so in the infotext; says too when it adds none, and why."""
    if not enabled:
        return
    try:
        wanted = _number("LoRA at most", count, 1, MOST), _number("Relevance above", floor, 0, 1)
        told = _apply(p, source, opened(picture), int(wanted[0]), wanted[1], bool(words))
        said = "; ".join(dict.fromkeys(told))
        one_for_each = len(set(told)) > 1 and not hosts.is_sdnext()  # which writes lists as they are
        p.extra_generation_params[INFOTEXT] = told if one_for_each else said
    except EmptyCatalogError:
        said = "nothing is indexed yet; open the Model Search tab"
        p.extra_generation_params.pop(INFOTEXT, None)
    except (ModelSearchError, ValueError) as error:
        said = str(error)
        p.extra_generation_params[INFOTEXT] = f"failed: {error}"
    log.info("%s: %s", TITLE, said)
    p.comment(f"{TITLE}: {said}")


def _apply(p: Any, source: str, picture: Image.Image | None, count: int, floor: float, words: bool) -> list[str]:
    """What was chosen, for each prompt. A WebUI applies the LoRA of a batch's first prompt to all of the batch, so each
    batch gets what fits its prompts together."""
    names = nameable()
    size = getattr(p, "batch_size", None) or len(p.all_prompts)
    batches = [range(start, min(start + size, len(p.all_prompts))) for start in range(0, len(p.all_prompts), size)]
    told: list[str] = []
    known: dict[tuple[str, ...], Chosen] = {}
    base = places.chosen_checkpoint()
    with searched() as (index, architecture):
        for batch in batches:
            prompts = tuple(dict.fromkeys(p.all_prompts[number] for number in batch))
            if prompts not in known:
                query = query_of(source, prompts, picture)
                known[prompts] = choose(
                    index, query, names, architecture=architecture, count=count, floor=floor, base=base
                )
            told += [_said(known[prompts], names, floor)] * len(batch)
    for batch in batches:
        prompts = tuple(dict.fromkeys(p.all_prompts[number] for number in batch))
        _add(p, batch, known[prompts], names, words)
    return told


def query_of(source: str, prompts: Sequence[str], picture: Image.Image | None) -> Query:
    """ModelSearchError where what is to be searched by is missing."""
    if source not in SOURCES:
        raise ModelSearchError(f"LoRA are found by one of {', '.join(SOURCES)}, not {source!r}")
    texts = [text for prompt in prompts if (text := plain_words(prompt))] if source != BY_PICTURE else []
    image = picture if source != BY_PROMPT else None
    if source == BY_PICTURE and image is None:
        raise ModelSearchError("give a picture, or find LoRA by the prompt")
    if not texts and image is None:
        raise ModelSearchError("the prompt is empty; write one, or give a picture")
    return Query(text=texts, images=[image] if image else [])


def opened(picture: Any) -> Image.Image | None:
    """As gradio gives it, or the API: a picture, or one in base64."""
    if picture is None or picture == "":
        return None
    if isinstance(picture, Image.Image):
        return picture.convert("RGB")
    if not isinstance(picture, str) or len(picture) > 2 * MOST_BYTES:
        raise ModelSearchError(f"the picture must be base64 of at most {MOST_BYTES >> 20} MB")
    try:
        content = base64.b64decode(picture.rpartition(",")[2], validate=True)
    except ValueError as error:
        raise ModelSearchError(f"the picture is no base64: {error}") from error
    return open_picture(content)


def nameable() -> dict[Path, str]:
    """The LoRA files that a prompt can name, and how."""
    return {path: name for path in places.lora_paths() if (name := places.lora_name(path)) is not None}


@contextmanager
def searched() -> Generator[tuple[Any, str | None]]:
    """The index, or the search server in its place, and the architecture of the user's checkpoint as that knows it."""
    if server := elsewhere.chosen():
        yield server, server.architecture_of(places.chosen_checkpoint())
        return
    with lifecycle.panel().library.reading() as snapshot:
        yield snapshot.index, architecture_of_choice(snapshot.models)


def architecture_of_choice(models: Sequence[Any]) -> str | None:
    """That of the user's checkpoint; None where the index does not know it."""
    path = places.chosen_checkpoint()
    found = next((model.architecture for model in models if path in (model.path, *model.copies)), "unknown")
    return None if found == "unknown" else found


def named(match: Match, names: Mapping[Path, str], path: Path | None = None) -> str:
    """As a prompt names the match; `path` is the file that is meant, of a model in two."""
    return next(names[each] for each in (path, match.path, *match.copies) if each is not None and each in names)


def files(match: Match, path: Path) -> tuple[Path, ...]:
    """The copies of that file of the match."""
    return (path, *match.copies) if path == match.path else (path,)


def _add(p: Any, batch: Sequence[int], chosen: Chosen, names: Mapping[Path, str], words: bool) -> None:
    written = p.all_prompts[batch[0]]
    tags = [
        lora_tag(named(choice.match, names, choice.path), choice.strength)
        for choice in chosen.choices
        if not places.loras_written(written, *files(choice.match, choice.path))  # by the user
    ]
    new = list(dict.fromkeys(w for c in chosen.choices for w in c.match.trigger_words)) if words else []
    for prompts in (p.all_prompts, getattr(p, "all_hr_prompts", None) or []):
        for number in batch:
            if number < len(prompts):
                prompts[number] = _with(prompts[number], tags, new)


def _with(prompt: str, tags: Sequence[LoraTag], words: Sequence[str]) -> str:
    for tag in tags:
        prompt = with_lora(prompt, tag, words if tag is tags[-1] else ())
    return prompt


def _said(chosen: Chosen, names: Mapping[Path, str], floor: float) -> str:
    """By the names that stand in the prompt."""
    choices = [
        f"{named(c.match, names, c.path)} {c.strength:g} (relevance {c.match.relevance:.2f})" for c in chosen.choices
    ]
    if choices:
        return ", ".join(choices)
    if chosen.best is None:
        return f"{NOTHING}: none for this base model is indexed"
    best = f"{named(chosen.best, names)} {chosen.best.relevance:.2f}"
    if chosen.unsure:
        return f"{NOTHING} (best: {best}, {chosen.best.confidence:.0%} sure, wanted {chosen.wanted:.0%})"
    return f"{NOTHING} (best: {best}, wanted above {floor:.2f})"


def _number(name: str, given: Any, low: float, high: float) -> float:
    """As the API may give it. ModelSearchError for what the slider could not say."""
    try:
        value = float(given)
    except (TypeError, ValueError):
        value = float("nan")
    if not low <= value <= high:
        raise ModelSearchError(f"“{name}” must be a number from {low:g} to {high:g}, not {given!r}")
    return value
