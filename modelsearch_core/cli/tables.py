"""Plain tables that fit a terminal."""

from __future__ import annotations

import json
import shutil
import textwrap
import unicodedata
from collections.abc import Sequence
from typing import Any


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[object]], *, wrapped: bool = False) -> None:
    """Columns as wide as their content; the last one is cut at the terminal's edge, or wrapped in its own column."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(headings, *cells, strict=True)]
    if wrapped:  # something of every terminal is left for the last column
        widths[:-1] = [min(width, _terminal() // 2) for width in widths[:-1]]
    room = max(10, _terminal() - sum(widths[:-1]) - 2 * (len(widths) - 1))
    for row in (list(headings), *cells):
        padded = [cell + " " * (width - _width(cell)) for cell, width in zip(row[:-1], widths, strict=False)]
        lines = _lines(row[-1], room) if wrapped else [_cut(row[-1], room)]
        fits = all(_width(cell) <= width for cell, width in zip(padded, widths, strict=False))
        print("  ".join([*padded, *(lines[:1] if fits else [])]).rstrip())
        for line in lines[1 if fits else 0 :]:
            print(" " * (sum(widths[:-1]) + 2 * len(widths) - 2) + line)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _lines(text: str, room: int) -> list[str]:
    """The words of a text in lines; a word that is longer than a line, a path mostly, stays whole."""
    wrapper = textwrap.TextWrapper(room, break_long_words=False, break_on_hyphens=False)
    return [line for part in text.splitlines() for line in wrapper.wrap(part)] or [""]


def _terminal() -> int:
    return shutil.get_terminal_size((120, 24)).columns


def _cut(text: str, room: int) -> str:
    return text if _width(text) <= room else text[: room - 1] + "…"
