"""docs/results.md: made from the JSON files alone, and what it says in words follows from them."""

from __future__ import annotations

import json

import pytest

from benchmarks.protocols import page
from benchmarks.protocols.__main__ import RESULTS
from benchmarks.protocols.sections.content import WANTED, content_section, curve_section


def test_the_page_is_what_the_command_writes():
    assert page.PAGE.read_text(encoding="utf-8") == page.page(RESULTS)


@pytest.mark.parametrize(("top1", "said"), [(0.3, "misses that with 30.0%"), (0.6, "lies within that with 60.0%")])
def test_the_zoo_s_difficulty_is_told_as_it_is(top1: float, said: str):
    found = json.loads((RESULTS / "zoo_content.json").read_text(encoding="utf-8"))
    found["image"]["first_moment"]["top1"] = top1
    assert WANTED == (0.5, 0.85) and said in content_section(found)


def test_auto_is_compared_with_the_best_of_the_papers_methods():
    def rows(few: float, many: float) -> dict[str, dict[str, float]]:
        return {"64": {"top1": few}, "512": {"top1": many}}

    methods = {
        f"{kind} {name}": rows(*tops)
        for kind in ("image", "sketch", "text")
        for name, tops in {
            "auto": (0.7, 0.8),
            "first_moment": (0.5, 0.6),
            "monte_carlo": (0.5, 0.65),
            "best_k": (0.6, 0.75),
            "gaussian": (0.65, 0.6),
        }.items()
    }
    told = curve_section({"some": {"models": 11, "methods": methods}})
    assert "| image | best_k, 512 samples: 0.750 | 0.600 | 0.700 | -0.050 |" in told
    assert "gaussian -0.050" in told
