"""What a card offers in the tab, by the WebUI's own scripts in Chromium without a WebUI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.webui.host import ROOT

HERE = {"listed": {"name": "a name", "tag": "a name"}}
PAGE = "<div id='hires_prompt'><textarea></textarea></div>"


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


def test_only_a_search_servers_model_that_is_not_here_has_none(page: Any):
    assert offered(page, {"kind": "lora", "listed": {}}, away=False) == ["txt2img", "img2img", "hires"]
    assert offered(page, {"kind": "lora", "listed": {}}, away=True) == []
    assert offered(page, {"kind": "checkpoint", "listed": {}}, away=True) == []
