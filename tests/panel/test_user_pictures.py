"""Pictures that the user has made, as the Index view offers to look at them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from modelsearch_core.panel import Panel
from modelsearch_core.panel.refusals import RefusedError
from tests.indexing.folders import make_folder
from tests.making.fakes import COLOURS
from tests.making.user_pictures import Made, write_a1111
from tests.panel.conftest import ColourHost


@pytest.fixture
def panel(tmp_path: Path) -> Panel:
    make_folder(tmp_path / "models", ["red ink", "blue fog", "a checkpoint"])
    (tmp_path / "outputs").mkdir()
    for name, colour in (("red ink", "red"), ("gone", "blue")):
        made = Made(prompt="a thing", loras={name: 1.0})
        write_a1111(Image.new("RGB", (16, 16), COLOURS[colour]), tmp_path / "outputs" / f"{name}.png", made)
    return Panel(tmp_path / "catalog.sqlite", ColourHost(tmp_path))


def run(panel: Panel, **body: object) -> None:
    panel.change_indexing({"action": "start", "quick": True, **body})
    panel._host.indexer.join(60)  # type: ignore[attr-defined]  # an IndexJob's
    panel.library.forget_reading()


def test_they_are_offered_and_nothing_is_looked_at_unasked(panel: Panel):
    run(panel)
    told = panel.indexing()["pictures"]
    assert [Path(folder).name for folder in told["folders"]] == ["outputs"]
    assert (told["on"], told["told"]) == (None, None)
    assert "pictures" not in panel.status()["evidence"]


def test_once_asked_for_they_are_evidence_and_what_is_missing_is_told(panel: Panel):
    run(panel, pictures=True)
    told = panel.indexing()["pictures"]
    assert told["on"] is True
    assert (told["told"]["files"], told["told"]["models"], told["told"]["absent"]) == (2, 1, {"gone": 1})
    assert panel.status()["evidence"] == {"metadata": 2, "pictures": 1}
    model = next(each for each in panel.models({})["models"] if each["name"] == "red ink")
    assert [sample["prompt"] for sample in panel.model(model["id"])["samples_shown"]] == ["a thing"]
    assert panel.sample(model["id"], 0)[:4] == b"RIFF"


def test_a_run_that_says_nothing_of_them_goes_on_with_them(panel: Panel):
    run(panel, pictures=True)
    run(panel)
    assert panel.status()["evidence"]["pictures"] == 1


def test_switched_off_they_are_forgotten(panel: Panel):
    run(panel, pictures=True)
    run(panel, pictures=False)
    told = panel.indexing()["pictures"]
    assert (told["on"], told["told"]) == (False, None)
    assert "pictures" not in panel.status()["evidence"]


def test_what_is_no_yes_and_no_no_is_refused(panel: Panel):
    with pytest.raises(RefusedError, match="pictures must be true or false"):
        panel.change_indexing({"action": "start", "pictures": "yes"})


def test_pictures_of_the_users_that_count_beside_generated_ones_are_told(panel: Panel):
    run(panel, pictures=True)
    panel.change_indexing({"action": "start", "samples": 4, "pictures": True})
    panel._host.indexer.join(60)  # type: ignore[attr-defined]
    match = panel.search({"text": ["red"]}, {})["matches"][0]
    told = match["name"], match["evidence"], match["samples"], match["users_pictures"]
    assert told == ("red ink", "generated", 4, 1)
    listed = {model["name"]: (model["samples"], model["users_pictures"]) for model in panel.models({})["models"]}
    assert listed["red ink"] == (4, 1) and listed["blue fog"] == (4, 0)
