"""Search by style through the panel: the slider, the order for drawings, and what was made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.indexing import IndexSettings, index
from modelsearch_core.panel import IndexJob, Order, Panel
from tests.indexing.folders import make_folder
from tests.making.references import plain_references
from tests.panel.conftest import ColourHost, colour_engine
from tests.panel.test_panel import ask, id_of, names

NAMES = ["base checkpoint", "red", "blue"]
DRAWINGS = 3


@pytest.fixture(scope="module")
def painted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("painted")
    make_folder(folder / "models", NAMES)
    with Catalog(folder / "catalog.sqlite") as catalog:
        engine = replace(colour_engine(), references=plain_references(DRAWINGS))
        index(catalog, [folder / "models"], engine, IndexSettings(samples=4))
    return folder


@pytest.fixture
def panel(painted: Path):
    panel = Panel(painted / "catalog.sqlite", ColourHost(painted))
    yield panel
    panel.close()


def test_a_model_is_shown_with_the_drawings_it_filled_out(panel: Panel):
    red = panel.model(id_of(panel, "red"))
    assert (red["painted"], red["painted_by_base"]) == ([0, 1, 2], [0, 1, 2])
    base = panel.model(id_of(panel, "base checkpoint"))
    assert (base["painted"], base["painted_by_base"]) == ([0, 1, 2], [])


def part(panel: Panel, id: str, part: str, number: object) -> tuple[int, Any]:
    path = {"id": id, "part": part, "number": str(number)}
    return ask(panel, "GET", "models/{id}/painted/{part}/{number}.webp", path=path)


@pytest.mark.parametrize("name", ["output", "base", "drawing", "subject"])
def test_every_part_of_it_is_a_picture(panel: Panel, name: str):
    pictures = [part(panel, id_of(panel, "red"), name, number) for number in range(DRAWINGS)]
    assert [status for status, _ in pictures] == [200] * DRAWINGS
    assert len({content for _, content in pictures}) == (1 if name == "base" else DRAWINGS)  # the base paints all grey


@pytest.mark.parametrize(
    ("name", "number", "said"),
    [("output", 3, "there is no output 3"), ("drawing", -1, "no drawing -1"), ("secret", 0, "no 'secret'")],
)
def test_what_is_not_there_is_not_served(panel: Panel, name: str, number: int, said: str):
    status, answer = part(panel, id_of(panel, "red"), name, number)
    assert status == 404
    assert said in answer["error"]


def test_a_base_has_none_under_it(panel: Panel):
    assert part(panel, id_of(panel, "base checkpoint"), "base", 0)[0] == 404


@pytest.mark.parametrize("style", [0, 0.3, 1.0])
def test_the_slider_is_part_of_a_search(panel: Panel, png: Callable[[str], bytes], style: float):
    assert names(panel.search({"style": style, "kind": "lora"}, {"image": [png("blue")]}))[0] == "blue"


@pytest.mark.parametrize("style", [1.5, -0.1, "much", True])
def test_a_slider_out_of_its_limits_is_refused(panel: Panel, style: object):
    status, answer = ask(panel, "POST", "search", body={"text": "red", "style": style})
    assert status == 400
    assert "style must be a number from 0 to 1" in answer["error"]


def test_drawings_are_ordered_only_of_a_host_that_paints_them(panel: Panel):
    assert panel.indexing()["paints_drawings"] is False
    status, answer = ask(panel, "POST", "index", body={"action": "start", "style": True})
    assert status == 400
    assert "take prompts only" in answer["error"]


def test_an_order_for_drawings_reaches_the_engine(painted: Path):
    orders: list[Order] = []

    def engine(_: Catalog, order: Order):
        orders.append(order)
        return replace(colour_engine(), references=plain_references(DRAWINGS) if order.style else None)

    job = IndexJob(painted / "catalog.sqlite", engine, lambda: [painted / "models"], paints_drawings=True)
    job.start(Order(style=True, samples=4))
    job.join(60)
    assert job.progress().state.value == "done"
    assert [order.style for order in orders] == [True]
    assert job.progress().stage == "references"
