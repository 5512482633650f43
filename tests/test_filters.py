"""Filters: what passes, and that each stands behind every door. ComfyUI's nodes: `comfyui/test_schemas.py`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from modelsearch_core.cli.arguments import parser
from modelsearch_core.collection import FILTERS, Filters
from modelsearch_core.errors import ModelSearchError
from modelsearch_core.panel.description import description

ROOT = Path(__file__).parents[1]
LANGUAGES = 3


@dataclass
class Model:
    kind: str = "lora"
    architecture: str = "sdxl"
    lineage: str | None = "pony"
    paths: tuple[Path, ...] = (Path("/models/lora/ink.safetensors").absolute(),)


PASSING = {
    "kind": ("lora", "checkpoint"),
    "architecture": ("pony", "flux"),
    "folder": (str(Path("/models").absolute()), str(Path("/models/lor").absolute())),
}


def test_every_filter_is_tried_here():
    assert PASSING.keys() == FILTERS.keys()


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_lets_through_what_it_names_and_nothing_else(name: str):
    for wanted, passes in zip(PASSING[name], (True, False), strict=True):
        assert Filters.of({name: wanted}).passes(Model()) is passes
        assert Filters.of({name: wanted}).said == {name: wanted}
    assert Filters.of({name: ""}).is_open


def test_no_model_lies_in_the_home_of_nobody():
    assert not Filters(folder="~nobody-of-that-name/models").passes(Model())


@pytest.mark.parametrize("name", FILTERS)
def test_what_a_list_offers_passes(name: str):
    counts = FILTERS[name].counts([Model(), Model()])
    assert set(counts.values()) == {2}
    assert all(Filters.of({name: value}).passes(Model()) for value in counts)


@pytest.mark.parametrize("name", FILTERS)
def test_what_is_no_text_or_no_choice_is_refused(name: str):
    with pytest.raises(ModelSearchError, match=f"{name} must be a text, not 3"):
        Filters.of({name: 3})
    if FILTERS[name].choices:
        with pytest.raises(ModelSearchError, match=f"{name} must be one of .*, not 'nonsense'"):
            Filters.of({name: "nonsense"})


def test_all_that_is_said_must_pass():
    assert Filters(kind="lora", architecture="sdxl").passes(Model())
    assert not Filters(kind="lora", architecture="flux").passes(Model())
    assert not Filters(kind="lora", among=[]).passes(Model())
    assert Filters(among=Model.paths).passes(Model())


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_stands_behind_every_door(name: str):
    wanted = PASSING[name][0]
    assert getattr(parser().parse_args(["search", f"--{name}", wanted]), name) == wanted
    told = description()
    assert name in {each["name"] for each in told["paths"]["/models"]["get"]["parameters"]}
    assert name in told["components"]["schemas"]["Search"]["properties"]


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_is_told_in_words(name: str):
    words = (ROOT / "web" / "strings.mjs").read_text("utf-8")
    assert len(re.findall(rf"^  (?:any_)?{name}: ", words, re.MULTILINE)) == 2 * LANGUAGES
    assert f"`{name}`" in (ROOT / "docs" / "api.md").read_text("utf-8")
