"""The tab: a place for the shared panel, and the bridge from its buttons to the prompts, which are gradio's."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gradio as gr

from modelsearch_core.errors import ModelSearchError

from . import prompts

TABS = ("txt2img", "img2img")
JS = "js" if int(gr.__version__.split(".")[0]) >= 4 else "_js"
_prompts: dict[str, Any] = {}


def catch_prompts(component: Any, **_: Any) -> None:
    """For `on_after_component`: remembers the prompts of both tabs."""
    name = str(getattr(component, "elem_id", None) or "").removesuffix("_prompt")
    if name in TABS and str(component.elem_id).endswith("_prompt"):
        _prompts[name] = component


def build(change: Callable[[dict[str, Any], str], tuple[str, str]] = prompts.change) -> list[tuple[Any, str, str]]:
    """For `on_ui_tabs`. `change` gets what was asked and a prompt; gives the new one and what to tell the user."""
    with gr.Blocks(analytics_enabled=False) as ui:
        gr.HTML('<div id="modelsearch_panel"></div>')
        with gr.Row(elem_id="modelsearch_bridge"):
            asked, told = gr.Textbox(elem_id="modelsearch_asked"), gr.Textbox(elem_id="modelsearch_told")
            go = gr.Button("Change the prompt", elem_id="modelsearch_go")
    for_tabs = [tab for tab in TABS if tab in _prompts]
    shown = [_prompts[tab] for tab in for_tabs]

    def changed(text: str, *texts: str) -> list[Any]:
        return answered(text, dict(zip(for_tabs, texts, strict=True)), change)

    with ui:
        done = go.click(
            fn=changed,
            inputs=[asked, *shown],
            outputs=[told, *shown],
            queue=False,
            show_progress=False,
            **{JS: "(asked, ...prompts) => [modelSearchAsked(), ...prompts]"},
        )
        done.then(fn=None, inputs=[told], outputs=None, **{JS: "(told) => modelSearchTold(told)"})
    return [(ui, "Model Search", "modelsearch")]


def answered(text: str, texts: dict[str, str], change: Callable[[dict[str, Any], str], tuple[str, str]]) -> list[Any]:
    """The message for the browser, then the prompts as they are now."""
    try:
        asked = json.loads(text)
        tab = asked["tab"]
        if tab not in texts:
            raise ModelSearchError(f"this WebUI shows no prompt of {tab}")
        texts[tab], said = change(asked, texts[tab] or "")
        told = {"id": asked.get("id"), "done": said}
    except (ModelSearchError, ValueError, KeyError, TypeError) as error:
        told = {"error": str(error)}
    return [json.dumps({**told, "at": _serial()}), *texts.values()]


_count = [0]


def _serial() -> int:
    """So that the same answer twice is a change both times."""
    _count[0] += 1
    return _count[0]
