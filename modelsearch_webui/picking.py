"""The always-on script "pick LoRA for this prompt"."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from PIL import Image

from modelsearch_core.choosing import MOST, Chosen, choose
from modelsearch_core.errors import EmptyCatalogError, ModelSearchError
from modelsearch_core.panel.pictures import MOST_BYTES, open_picture
from modelsearch_core.prompt_tags import lora_tag, loras_in, plain_words, with_lora
from modelsearch_core.scores.calibration import WEAK_BELOW
from modelsearch_core.search import Query

from . import lifecycle, places

TITLE = "Model Search"
INFOTEXT = "Model Search"
BY_PROMPT, BY_PICTURE, BY_BOTH = SOURCES = ("prompt", "picture", "prompt and picture")
NOTHING = "no LoRA is relevant"
log = logging.getLogger(__name__)


def controls(elem_id: Callable[[str], str]) -> tuple[list[Any], list[Any]]:
    """(the script's inputs in the order of `apply`, fields that are filled from a pasted infotext)."""
    with gr.Accordion("Model Search: pick LoRA for this prompt", open=False, elem_id=elem_id("modelsearch")):
        enabled = gr.Checkbox(False, label="Pick LoRA by what they make", elem_id=elem_id("modelsearch_enabled"))
        source = gr.Radio(list(SOURCES), value=BY_PROMPT, label="Find them by", elem_id=elem_id("modelsearch_source"))
        picture = _image_input(height=220, label="Picture like the one wanted", elem_id=elem_id("modelsearch_picture"))
        with gr.Row():
            count = gr.Slider(1, MOST, 1, step=1, label="LoRA at most", elem_id=elem_id("modelsearch_count"))
            floor = gr.Slider(
                0.0, 1.0, WEAK_BELOW, step=0.05, label="Relevance above", elem_id=elem_id("modelsearch_floor")
            )
        words = gr.Checkbox(True, label="With their trigger words", elem_id=elem_id("modelsearch_words"))
    return [enabled, source, picture, count, floor, words], [(enabled, _as_pasted)]


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
    """Adds LoRA to all prompts of this job and says so in the infotext; says too when it adds none."""
    if not enabled:
        return
    try:
        said = _apply(p, source, picture, int(count), float(floor), bool(words))
    except EmptyCatalogError:
        said = "nothing is indexed yet; open the Model Search tab"
        p.extra_generation_params.pop(INFOTEXT, None)
    except (ModelSearchError, ValueError) as error:
        said = str(error)
        p.extra_generation_params[INFOTEXT] = "failed"
    log.info("%s: %s", TITLE, said)
    p.comment(f"{TITLE}: {said}")


def _apply(p: Any, source: str, picture: Any, count: int, floor: float, words: bool) -> str:
    query = query_of(source, p.all_prompts[0], picture)
    names = {path: name for path in places.lora_paths() if (name := places.lora_name(path)) is not None}
    with lifecycle.panel().library.reading() as snapshot:
        architecture = _architecture(snapshot.models)
        chosen = choose(snapshot.index, query, names, architecture=architecture, count=count, floor=floor)
    tags, new_words = _tags(chosen, names, loras_in(p.all_prompts[0])), _words(chosen) if words else []
    for tag in tags:
        _add(p, tag, new_words if tag is tags[-1] else ())
    said = ", ".join(f"{c.match.name} {c.strength:g} (relevance {c.match.relevance:.2f})" for c in chosen.choices)
    said = said or _none(chosen, floor)
    p.extra_generation_params[INFOTEXT] = said
    return said


def query_of(source: str, prompt: str, picture: Any) -> Query:
    """ModelSearchError where what is to be searched by is missing."""
    if source not in SOURCES:
        raise ModelSearchError(f"LoRA are found by one of {', '.join(SOURCES)}, not {source!r}")
    text = plain_words(prompt) if source != BY_PICTURE else ""
    image = opened(picture) if source != BY_PROMPT else None
    if source == BY_PICTURE and image is None:
        raise ModelSearchError("give a picture, or find LoRA by the prompt")
    if not text and image is None:
        raise ModelSearchError("the prompt is empty; write one, or give a picture")
    return Query(text=[text] if text else [], images=[image] if image else [])


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


def _architecture(models: Sequence[Any]) -> str | None:
    """That of the user's checkpoint; None where the index does not know it."""
    path = places.chosen_checkpoint()
    found = next((model.architecture for model in models if path in (model.path, *model.copies)), "unknown")
    return None if found == "unknown" else found


def _tags(chosen: Chosen, names: dict[Any, str], there: Sequence[str]) -> list[Any]:
    """Not those that the user has written."""
    found = []
    for choice in chosen.choices:
        name = next(names[path] for path in (choice.match.path, *choice.match.copies) if path in names)
        if name not in there:
            found.append(lora_tag(name, choice.strength))
    return found


def _words(chosen: Chosen) -> list[str]:
    return list(dict.fromkeys(word for choice in chosen.choices for word in choice.match.trigger_words))


def _add(p: Any, tag: Any, words: Sequence[str]) -> None:
    p.all_prompts = [with_lora(prompt, tag, words) for prompt in p.all_prompts]
    if getattr(p, "all_hr_prompts", None):
        p.all_hr_prompts = [with_lora(prompt, tag, words) for prompt in p.all_hr_prompts]


def _none(chosen: Chosen, floor: float) -> str:
    if chosen.best is None:
        return f"{NOTHING}: none for this base model is indexed"
    return f"{NOTHING} (best: {chosen.best.name} {chosen.best.relevance:.2f}, wanted above {floor:.2f})"


def _as_pasted(params: dict[str, Any]) -> Any:
    """Off, where the pasted prompt has the tags already."""
    return False if INFOTEXT in params else None


def _image_input(**given: Any) -> Any:
    if int(gr.__version__.split(".")[0]) >= 4:
        return gr.Image(sources=["upload", "clipboard"], type="pil", **given)
    return gr.Image(source="upload", tool=None, type="pil", **given)
