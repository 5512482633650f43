"""The controls of the always-on script "pick LoRA for this prompt"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from modelsearch_core.choosing import MOST
from modelsearch_core.scores.calibration import WEAK_BELOW

TITLE = "Model Search"
INFOTEXT = "Model Search"
BY_PROMPT, BY_PICTURE, BY_BOTH = SOURCES = ("prompt", "picture", "prompt and picture")


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


def _as_pasted(params: dict[str, Any]) -> Any:
    """Off, where the pasted prompt has the tags already."""
    return False if INFOTEXT in params else None


def _image_input(**given: Any) -> Any:
    if int(gr.__version__.split(".")[0]) >= 4:
        return gr.Image(sources=["upload", "clipboard"], type="pil", **given)
    return gr.Image(source="upload", tool=None, type="pil", **given)
