"""What a node says to a person."""

from __future__ import annotations

from ..modelsearch_core.errors import ModelSearchError
from . import places
from .catalogue import NOTHING, state


def checked(kind: str) -> bool | str:
    """Before anything runs: True, or why a search for this kind cannot find anything."""
    if state().startswith(("nothing", "0 ")):
        return NOTHING
    if not places.listed(kind):
        return f"ComfyUI lists no model in {places.FOLDERS[kind]}."
    return True


def tell(node: str | None, text: str) -> None:
    """Shows a line on the node while it is on screen."""
    from server import PromptServer

    if node is not None and hasattr(PromptServer.instance, "send_progress_text"):
        PromptServer.instance.send_progress_text(text, node)


__all__ = ["ModelSearchError", "checked", "tell"]
