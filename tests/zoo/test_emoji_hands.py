"""The protocol of hands, on hands that differ by a colour; `index --picture-sets` and search are the real ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.emoji_zoo import asking, hands
from modelsearch_core.mini_zoo import FOLDER
from modelsearch_core.search import ModelIndex
from modelsearch_core.specification import Evidence

HANDS = {"red": (220, 60, 50), "blue": (60, 110, 230), "green": (70, 180, 80)}
COUNTS = {"sets": 6, "queries": 3}


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    for part, count in COUNTS.items():
        for name, colour in HANDS.items():
            (folder / part / name).mkdir(parents=True)
            for number in range(count):
                picture = Image.new("RGB", (96, 96), colour)
                side = 12 + 9 * number + (part == "queries")
                picture.paste((250, 250, 248), (side // 3, 10, side // 3 + side, 10 + side))
                picture.save(folder / part / name / f"{number:02d}.webp", lossless=True)
    models = {name: {"words": [f"on a {name} background"]} for name in HANDS}
    (folder / "sets.json").write_text(json.dumps({"models": models}))
    return folder


@pytest.mark.slow
def test_hands_that_differ_are_all_found_by_their_pictures(sets: Path, tmp_path: Path):
    catalog = hands.indexed(sets, str(FOLDER / "clip"), tmp_path / "hands.sqlite")
    with ModelIndex.open(catalog, device="cpu") as index:
        assert {entry.path for entry in index.collection.entries} == {sets / "sets" / name for name in HANDS}
        assert {of.evidence for of in index.collection.specifications(index.collection.all)} == {Evidence.PICTURES}
        found = hands.measured(sets, index)
    everything = {"value": 1.0, "low": 1.0, "high": 1.0}
    assert found["hands"] == 3
    assert found["pictures"]["auto"]["top1"] == found["pictures, for their style"]["auto"]["top1"] == everything
    assert found["texts"]["first_moment"]["top1"] == everything


def test_the_interval_is_over_models_not_over_their_pictures():
    owner = np.repeat([0, 1], 100)
    half = asking.interval((owner == 0).astype(float), owner)
    assert (half["value"], half["low"], half["high"]) == (0.5, 0.0, 1.0)
