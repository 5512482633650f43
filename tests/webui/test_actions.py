"""The tab's own scripts in Chromium, without a WebUI: what a card offers, and whether the panel is dark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.webui.host import ROOT

HERE = {"listed": {"name": "a name", "tag": "a name"}}
PAGE = """
<div id='hires_prompt'><textarea></textarea></div>
<div id='script_img2img_adetailer_ad_model'></div>
"""


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    page = browser.new_page()
    page.set_content(PAGE)
    page.evaluate("() => { window.gradioApp = () => document; window.onUiLoaded = () => undefined; }")
    page.add_script_tag(path=ROOT / "javascript" / "modelsearch.js")
    yield page
    page.close()


def offered(page: Any, match: dict[str, Any], away: bool) -> list[str]:
    script = "([match, away]) => modelSearchActions(away).filter((each) => each.can(match)).map((each) => each.id)"
    return page.evaluate(script, [match, away])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("lora", ["txt2img", "img2img", "hires"]),
        ("checkpoint", ["checkpoint"]),
        ("diffusion_model", ["checkpoint"]),
        ("pictures", []),
        ("detector", []),
    ],
)
def test_each_kind_has_its_buttons(page: Any, kind: str, expected: list[str]):
    assert offered(page, {"kind": kind, **HERE}, away=False) == expected
    assert offered(page, {"kind": kind, **HERE}, away=True) == expected


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ({"kind": "detector", "listed": {"name": "v3_best.pt"}}, ["adetailer_img2img"]),
        ({"kind": "detector", "listed": {}}, []),
        ({"kind": "classifier", "listed": {"name": "v3_best.pt"}}, []),
    ],
)
def test_a_detector_goes_to_those_of_adetailers_lists_that_the_page_has(page: Any, match: Any, expected: list[str]):
    script = "(match) => modelSearchDetectorActions().filter((each) => each.can(match)).map((each) => each.id)"
    assert page.evaluate(script, match) == expected


def test_only_a_search_servers_model_that_is_not_here_has_none(page: Any):
    assert offered(page, {"kind": "lora", "listed": {}}, away=False) == ["txt2img", "img2img", "hires"]
    assert offered(page, {"kind": "lora", "listed": {}}, away=True) == []
    assert offered(page, {"kind": "checkpoint", "listed": {}}, away=True) == []


@pytest.mark.parametrize(
    ("styles", "is_dark"),
    [
        ("body { background: rgb(11, 15, 25) }", True),  # SD.Next's, whose body has no class for it
        ("body { background: rgba(0, 0, 0, 0.2) } html { background: white }", False),
        ("body { background: black } #hires_prompt { background: #eee }", False),
        ("#hires_prompt { color: red }", False),
    ],
)
def test_the_panel_is_as_dark_as_what_it_lies_on(page: Any, styles: str, is_dark: bool):
    page.add_style_tag(content=styles)
    script = "() => modelSearchIsDark(document.querySelector('#hires_prompt textarea').parentElement)"
    assert page.evaluate(script) is is_dark


def test_where_nothing_has_a_colour_gradio_says_whether_it_is_dark(page: Any):
    page.evaluate("() => document.body.classList.add('dark')")
    assert page.evaluate("() => modelSearchIsDark(document.body)") is True
