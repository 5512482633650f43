"""What is registered with the WebUI."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from modules import script_callbacks

from . import axis, settings, start, tab


def register() -> None:
    """From the extension's script; with a stack of its own. For each callback a WebUI looks up the module of every
    frame (`inspect.stack`), and those of a script's and of what loads it among all modules, in vain: .1 s each."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(_register).result()


def _register() -> None:
    script_callbacks.on_ui_settings(settings.declare)
    script_callbacks.on_before_ui(axis.add)
    script_callbacks.on_after_component(tab.catch_prompts)
    script_callbacks.on_ui_tabs(tab.build)
    script_callbacks.on_app_started(start.started)
    script_callbacks.on_script_unloaded(start.unloaded)
    if hasattr(script_callbacks, "on_before_process"):  # SD.Next
        script_callbacks.on_before_process(start.before_process)
