"""The page of style figures: made from the JSON alone, with the paper's figures and an honest word."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from benchmarks.style import __main__ as command
from benchmarks.style import page as style_page


def figures(**changed: float) -> dict[str, Any]:
    of_one = {"f1": 0.7, "precision": 0.7, "recall": 0.7, "mrr": 0.5, "mrr_among_all": 0.3}
    table = {name: dict(of_one) for name in style_page.PAPER}
    for name in table:
        if name != "fine-tuned":
            table[name] |= changed
    return {
        "loras": 24, "trained_on": [12, 18], "unseen": 6, "queries": 240, "cleansed": 0, "pictures": 2400,
        "training_seconds": 9.0, "table": table, "mrr_spread_over_folds": dict.fromkeys(table, 0.1),
        "follows_drawing": {"base": 0.6, "loras": 0.55},
    }  # fmt: skip


def test_the_words_say_where_the_order_differs():
    worse, better = (" ".join(style_page.compared(figures(f1=f1, mrr=mrr))) for f1, mrr in ((0.6, 0.4), (0.8, 0.6)))
    assert worse.count("the order differs") == 2  # more LoRA ought to be better
    assert better.count("the order differs") == 4  # and the others worse
    assert "dropped 0 of 2400 pictures, so the two rows differ in nothing" in worse


def test_cleansing_is_compared_once_it_drops_something():
    lines = style_page.compared(figures() | {"cleansed": 5})
    assert lines[0].endswith("dropped 5 of 2400 pictures.")
    assert any(line.startswith("No cleansing, against") for line in lines)


@pytest.mark.skipif(not style_page.RESULT.is_file(), reason="benchmarks.style has not been run")
def test_the_page_is_what_the_command_writes():
    results = json.loads(style_page.RESULT.read_text())
    assert command.PAGE.read_text(encoding="utf-8") == style_page.page(copy.deepcopy(results))
    assert all(row["overlap"] >= 0.95 for row in results["fast_form"])
