"""Phrases that pictures are put into words with, one a line: subjects, mediums, styles, flavours.

Where clip-interrogator is installed, its lists take the place of the last three.
"""

from __future__ import annotations

from importlib import resources, util
from pathlib import Path

FOREIGN = {"mediums": "mediums", "styles": "movements", "flavours": "flavors"}
MOST = 2_000  # of one list; a hundred thousand flavours would take a CPU a quarter of an hour


def own_list(name: str) -> list[str]:
    """The lines of one of this project's lists."""
    text = (resources.files(__package__) / f"{name}.txt").read_text(encoding="utf-8")
    return _lines(text)


def phrase_list(name: str) -> list[str]:
    """mediums, styles or flavours: clip-interrogator's, thinned out evenly, else this project's."""
    folder = foreign_folder()
    file = folder / f"{FOREIGN[name]}.txt" if folder else None
    if file is None or not file.is_file():
        return own_list(name)
    lines = _lines(file.read_text(encoding="utf-8", errors="replace"))
    return lines[:: -(-len(lines) // MOST) or 1]


def foreign_folder() -> Path | None:
    """Where clip-interrogator keeps its lists, without importing it."""
    found = util.find_spec("clip_interrogator")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(next(iter(found.submodule_search_locations))) / "data"


def _lines(text: str) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
