"""Writes what ComfyUI shows of the nodes from the nodes: English words, and the tables of their help pages.

python -m benchmarks.node_words
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.comfyui import pack

WORDS = pack.ROOT / "locales" / "en" / "nodeDefs.json"
PAGES = pack.ROOT / "web" / "docs"


def words(registry: Any) -> dict[str, Any]:
    """Of the registry of nodes, as ComfyUI's translations have them."""
    return {
        name: {
            "display_name": registry.NODE_DISPLAY_NAME_MAPPINGS[name],
            "description": node.DESCRIPTION,
            "inputs": {each: _named(each.replace("_", " "), told) for each, _, told in _inputs(node)},
            "outputs": {str(n): _named(each, told) for n, (each, _, told) in enumerate(_outputs(node))},
        }
        for name, node in registry.NODE_CLASS_MAPPINGS.items()
    }


def page(node: Any, written: str) -> str:
    """A help page with the tables as the node has it now; all else is as it was written."""
    for heading, kind, rows in (("Inputs", "input", _inputs(node)), ("Outputs", "output", _outputs(node))):
        table = "\n".join(
            [f"| {kind} | type | |", "|---|---|---|", *(f"| `{n}` | {t} | {_plain(w)} |" for n, t, w in rows)]
        )
        written = re.sub(rf"(?<=## {heading}\n\n)(\|.*\n)+", lambda _, table=table: f"{table}\n", written)
    return written


def _named(name: str, told: str) -> dict[str, str]:
    return {"name": name, **({"tooltip": told} if told else {})}


def _plain(told: str) -> str:
    """What is no markup, in Markdown."""
    return re.sub(r"<[^ >]+>", r"`\g<0>`", told)


def _inputs(node: Any) -> Iterator[tuple[str, str, str]]:
    """(name, type, what it is for)"""
    types = node.INPUT_TYPES()
    for part, more in (("required", ""), ("optional", ", optional")):
        for name, (kind, *options) in types.get(part, {}).items():
            told = options[0].get("tooltip", "") if options else ""
            yield name, f"{'choice' if isinstance(kind, list) else kind}{more}", told


def _outputs(node: Any) -> Iterator[tuple[str, str, str]]:
    told = getattr(node, "OUTPUT_TOOLTIPS", ())
    for n, kind in enumerate(node.RETURN_TYPES):
        yield node.RETURN_NAMES[n], str(kind), told[n] if n < len(told) else ""


def main() -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as base:
        registry = pack.load(patch, Path(base))
        told = words(registry)
        WORDS.write_text(f"{json.dumps(told, indent=2, ensure_ascii=False)}\n", encoding="utf-8")
        for name, node in registry.NODE_CLASS_MAPPINGS.items():
            if (path := PAGES / f"{name}.md").is_file():
                path.write_text(page(node, path.read_text("utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
