"""What a node says to a person."""

from __future__ import annotations

from . import places


def listed_in(kind: str, folder: str = "") -> bool | str:
    """Before anything runs: True, or that there is nothing of this kind to be found."""
    if any(places.is_inside(name, folder) for name in places.listed(kind).values()):
        return True
    return no_file(kind, folder)


def no_file(kind: str, folder: str) -> str:
    return f"ComfyUI lists no model in {places.FOLDERS[kind]}{where(folder)}."


def where(folder: str) -> str:
    return f"/{folder.strip()}" if folder.strip() else ""


def tell(node: str | None, text: str) -> None:
    """Shows a line on the node while it is on screen."""
    from server import PromptServer

    if node is not None and hasattr(PromptServer.instance, "send_progress_text"):
        PromptServer.instance.send_progress_text(text, node)
