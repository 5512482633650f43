"""The section "Model Search" of the WebUI's settings."""

from __future__ import annotations

from typing import Any

import gradio as gr
from modules import shared

from modelsearch_core.encoders import DEFAULT_ENCODER

SECTION = ("modelsearch", "Model Search")
CATEGORY = "sd"  # Stable Diffusion, where Extra Networks are too; without one it is "Uncategorized"
WEBUI, DIFFUSERS = "this WebUI", "diffusers in a process of its own"
NAMES_LABEL = "Names under which a browser reaches this WebUI, besides addresses (comma)"
SERVER_LABEL = "Search server in place of an index of one's own (address of modelsearch serve)"
PICKLED_LABEL = "Ask ADetailer's .pt detectors, too: loading one runs what is in it, as ADetailer does"
NUMBERS = {
    "samples": (0, 1, 128),
    "batch": (4, 1, 16),
    "idle_minutes": (5, 1, 120),
    "size": (0, 0, 1024),
    "steps": (0, 0, 60),
}


def declare() -> None:
    """For `on_ui_settings`."""
    for name, (value, label, component, arguments) in _options().items():
        info = shared.OptionInfo(value, label, component, arguments, section=SECTION)
        info.category_id = CATEGORY
        shared.opts.add_option(f"modelsearch_{name}", info)


def value(name: str) -> Any:
    """A setting as it is now; its default before the settings are declared."""
    return shared.opts.data.get(f"modelsearch_{name}", _options()[name][0])


def text(name: str) -> str:
    return str(value(name) or "").strip()


def number(name: str) -> int:
    """Within what the setting allows, whatever a configuration file says."""
    usual, low, high = NUMBERS[name]
    try:
        return min(high, max(low, int(value(name))))
    except (TypeError, ValueError):
        return usual


def _options() -> dict[str, tuple[Any, str, Any, dict[str, Any]]]:
    return {
        "catalog": ("", "Folder of the index (empty: modelsearch in the data folder; after a restart)", gr.Textbox, {}),
        "encoder": (DEFAULT_ENCODER, "CLIP of a new index (architecture/weights, or a folder)", gr.Textbox, {}),
        "quick_start": (True, "Read names, tags and previews of new models at start", gr.Checkbox, {}),
        "auto_index": (False, "Generate pictures for the index by itself while the WebUI is idle", gr.Checkbox, {}),
        "idle_minutes": (5, "Minutes without work that count as idle", gr.Slider, _slider("idle_minutes")),
        "samples": (0, "Pictures of each model (0: as many as it takes, 32 to 128)", gr.Slider, _slider("samples")),
        "batch": (4, "Pictures at a time; your own pictures wait for no more than these", gr.Slider, _slider("batch")),
        "size": (0, "Width and height of these pictures (0: as fits the base model)", gr.Slider, _slider("size", 64)),
        "steps": (0, "Steps of these pictures (0: as fits the base model)", gr.Slider, _slider("steps")),
        "engine": (WEBUI, "Pictures for the index are made by", gr.Radio, {"choices": [WEBUI, DIFFUSERS]}),
        "bases": ("", "Base models under LoRA, as in: sd15=v1-5-pruned, sdxl=sd_xl_base", gr.Textbox, {}),
        "server": ("", SERVER_LABEL, gr.Textbox, {}),
        "server_token": ("", "Token or password of the search server", gr.Textbox, {}),
        "trust_pickled": (False, PICKLED_LABEL, gr.Checkbox, {}),
        "own_names": ("", NAMES_LABEL, gr.Textbox, {}),
    }


def _slider(name: str, step: int = 1) -> dict[str, Any]:
    _, low, high = NUMBERS[name]
    return {"minimum": low, "maximum": high, "step": step}
