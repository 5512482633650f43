"""docs/results.md, from what the protocols have written: tables with the papers' figures beside them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.procedural_zoo_results import page as procedural_zoo_page

from .sections.agreement import agreement_section
from .sections.content import content_section, curve_section
from .sections.learned import learned_section
from .sections.one_image import one_image_section
from .sections.sweeps import sweeps_section

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "results.md"


def page(results: Path) -> str:
    """Of as many protocols as have been run."""
    sections = [HEAD]
    for name, section in SECTIONS.items():
        file = results / f"{name}.json"
        if file.is_file():
            sections.append(section(json.loads(file.read_text(encoding="utf-8"))))
    return "\n\n".join(section.strip() for section in sections) + "\n"


HEAD = """# Results

Made by `python -m benchmarks.protocols page` from `benchmarks/results/*.json`; no figure here is typed by hand, but for those in
*italics*, which are the papers'. They had other models, other pictures and CLIP ViT-B/32; what can be compared is the order.
Search by style has a page of its own, [results_style.md](results_style.md), so has [layout](results_spatial.md).
"""


SECTIONS: dict[str, Callable[[dict[str, Any]], str]] = {
    "zoo_content": content_section,
    "zoo_curve": curve_section,
    "zoo_one_image": one_image_section,
    "zoo_learned": learned_section,
    "zoo_sweeps": sweeps_section,
    "zoo_agreement": agreement_section,
    "procedural_zoo": procedural_zoo_page,
}
