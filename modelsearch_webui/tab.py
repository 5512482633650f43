"""The tab: a place for the shared panel, and the bridge from its buttons to the prompts, which are gradio's."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gradio as gr

from modelsearch_core.errors import ModelSearchError

from . import adetailer

TABS = ("txt2img", "img2img", "hires", "control")
PROMPTS = tuple(f"{tab}_{kind}" for tab in TABS for kind in ("prompt", "neg_prompt"))
JS = "js" if int(gr.__version__.split(".")[0]) >= 4 else "_js"
Change = Callable[[dict[str, Any], dict[str, str]], dict[str, Any]]
_prompts: dict[str, Any] = {}


def catch_prompts(component: Any, **_: Any) -> None:
    """For `on_after_component`: remembers the prompts of both tabs, those of the second pass, and ADetailer's lists."""
    adetailer.catch_drop_downs(component)
    name = str(getattr(component, "elem_id", None)).replace("txt2img_refiner_", "hires_")  # as SD.Next has it
    if name in PROMPTS:
        _prompts[name] = component


def change_prompts(request: dict[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    if request.get("action") == "detector":
        return adetailer.choose(request)
    from .prompts import change  # reads the index

    return change(request, texts)


def build(change: Change = change_prompts) -> list[tuple[Any, str, str]]:
    """For `on_ui_tabs`. `change` gets what was asked and the prompts, changes these and gives what to tell the user."""
    with gr.Blocks(analytics_enabled=False) as ui:
        gr.HTML('<div id="modelsearch_panel"></div>')
        with gr.Row(elem_id="modelsearch_bridge"):
            asked, told = gr.Textbox(elem_id="modelsearch_asked"), gr.Textbox(elem_id="modelsearch_told")
            go = gr.Button("Change the prompt", elem_id="modelsearch_go")
    names = [name for name in PROMPTS if name in _prompts]
    shown = [_prompts[name] for name in names]

    def changed(text: str, *texts: str) -> list[Any]:
        told, *now = answered(text, dict(zip(names, texts, strict=True)), change)
        # Where nothing is changed the user may go on typing meanwhile.
        prompts = (gr.update() if new == (old or "") else new for new, old in zip(now, texts, strict=True))
        return [told, *prompts, *adetailer.updates(json.loads(told))]

    with ui:
        done = go.click(
            fn=changed,
            inputs=[asked, *shown],
            outputs=[told, *shown, *adetailer.drop_downs()],
            queue=False,
            show_progress=False,
            **{JS: "(asked, ...prompts) => [modelSearchAsked(), ...prompts]"},
        )
        done.then(fn=None, inputs=[told], outputs=None, **{JS: "(told) => modelSearchTold(told)"})
    return [(ui, "Model Search", "modelsearch")]


def answered(text: str, texts: dict[str, str], change: Change) -> list[Any]:
    """The message for the browser, then the prompts as they are now."""
    before = {name: value or "" for name, value in texts.items()}
    now, asked = dict(before), {}
    try:
        asked = dict(json.loads(text))
        told = change(asked, now)
    except (ModelSearchError, ValueError, KeyError, TypeError) as error:
        now, told = before, {"error": str(error)}
    return [json.dumps({**told, "id": asked.get("id"), "at": _serial()}), *now.values()]


_count = [0]


def _serial() -> int:
    """So that the same answer twice is a change both times."""
    _count[0] += 1
    return _count[0]
