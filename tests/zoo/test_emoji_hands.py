"""The protocol of hands, on hands that differ by a colour; the tool itself indexes and answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.emoji_zoo import asking, hands
from tests.making.fakes import COLOURS, ColourEncoder

HANDS = ("noto", "red", "blue", "green")
COUNTS = {"sets": 8, "queries": 3}


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    for part, count in COUNTS.items():
        for name in HANDS:
            (folder / part / name).mkdir(parents=True)
            for number in range(count):
                picture = Image.new("RGB", (32, 32), (128, 128, 128))
                if name in COLOURS:
                    picture.paste(COLOURS[name], (0, 0, 12 + number, 20))
                picture.save(folder / part / name / f"{number:02d}.webp", lossless=True)
    models = {name: {"words": [name, f"all {name}"]} for name in HANDS}
    scenes = {part: [{"caption": f"scene {n}"} for n in range(count)] for part, count in COUNTS.items()}
    (folder / "sets.json").write_text(json.dumps({"models": models, "scenes": scenes}))
    return folder


def test_hands_that_differ_are_all_found_by_their_pictures(sets: Path, tmp_path: Path):
    of = hands.indexed(sets, ColourEncoder(), "colours", tmp_path / "hands.sqlite")
    kept = of.collection.specifications(of.collection.all)
    assert [len(each.Z) for each in kept] == [COUNTS["sets"]] * len(HANDS)
    assert [of.questions.prompts[n] for n in range(3)] == ["scene 0", "scene 1", "scene 2"]
    found = hands.measured(of)
    assert found["pictures"]["auto"]["top1"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    coloured = [m for m, record in enumerate(of.records) if record["description"] in COLOURS]
    asker = hands.Asker(of)
    by_text = asker.texts("first_moment", [of.records[m]["description"] for m in coloured])
    assert by_text.argmax(axis=1).tolist() == coloured


def test_the_interval_is_over_hands_not_over_their_pictures():
    owner = np.repeat([0, 1], 100)
    half = asking.interval((owner == 0).astype(float), owner)
    assert (half["value"], half["low"], half["high"]) == (0.5, 0.0, 1.0)
