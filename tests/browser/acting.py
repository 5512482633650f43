"""What a user does, and what they see."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image

from tests.making.fakes import COLOURS

FIELD = ".ms-box .ms-input"


def picture(colour: str, size: int = 64) -> bytes:
    """A PNG that holds a colour."""
    image = Image.new("RGB", (size, size), (128, 128, 128))
    image.paste(COLOURS[colour], (0, 0, size * 5 // 8, size * 5 // 8))
    return encoded(image)


def encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def first(page: Any, name: str) -> None:
    """Waits until that model stands first."""
    page.wait_for_function(
        "name => document.querySelector('.ms-card[data-index=\"0\"] .ms-name')?.textContent === name", arg=name
    )


def shown(page: Any, count: int) -> None:
    """Waits until that many cards are there."""
    page.wait_for_function("n => document.querySelectorAll('.ms-card[data-index]').length === n", arg=count)


def not_first(page: Any, name: str) -> None:
    """Waits until another model stands first."""
    shown = "document.querySelector('.ms-card[data-index=\"0\"] .ms-name')?.textContent"
    page.wait_for_function(f"name => ![undefined, name].includes({shown})", arg=name)


def type_text(page: Any, text: str) -> None:
    page.fill(FIELD, text)


def names(page: Any) -> list[str]:
    """The models in the order in which they are shown."""
    return [name for _, name in sorted(page.evaluate(CARDS))]


PASTE = """(clipboardData) => document.activeElement.dispatchEvent(
    new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))"""
CARDS = """() => [...document.querySelectorAll(".ms-card[data-index]")].map(
    (card) => [Number(card.dataset.index), card.querySelector(".ms-name")?.textContent ?? ""])"""
FILES = """([content, type, name]) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name, { type }));
    return data;
}"""


def files(page: Any, content: bytes, kind: str = "image/png", name: str = "picture.png") -> Any:
    """What a drop or a paste carries."""
    return page.evaluate_handle(FILES, [base64.b64encode(content).decode(), kind, name])


def drop(page: Any, content: bytes, *, unwanted: bool = False, **others: str) -> None:
    """A file dragged in from outside and dropped on one half of the panel."""
    carried = {"dataTransfer": files(page, content, **others)}
    page.dispatch_event(".ms-scroll", "dragenter", carried)
    half = f".ms-drop-half[data-not={str(unwanted).lower()}]"
    page.wait_for_selector(half)
    page.dispatch_event(half, "dragover", carried)
    page.dispatch_event(half, "drop", carried)


def paste(page: Any, content: bytes) -> None:
    page.evaluate(PASTE, files(page, content))


def chips(page: Any) -> list[str]:
    return [text.strip() for text in page.locator(".ms-chip-text").all_inner_texts()]
