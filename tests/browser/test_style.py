"""Search by style: the switch that has drawings painted, the slider, and before and after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.browser.acting import drop, first, picture, type_text
from tests.server.running import running

SLIDER = ".ms-style input"


def test_drawings_are_ordered_painted_and_shown(opened: Any, models: Path):
    with running("tests.server.colour_server", models) as address:
        page = opened(address)
        page.click("[data-view=index]")
        page.check(".ms-option .ms-switch")
        with page.expect_request(lambda request: request.method == "POST" and "start" in request.post_data) as order:
            page.click("[data-key=start]")
        assert json.loads(order.value.post_data)["style"] is True
        page.wait_for_selector(".ms-state-done", timeout=120_000)
        page.reload()
        page.click("[data-view=index]")
        assert page.is_checked(".ms-option .ms-switch")

        page.click("[data-view=search]")
        type_text(page, "red")
        first(page, "red")
        page.click(".ms-card[data-index='0']")
        page.click(".ms-gallery-bar [data-key=drawings]")
        assert page.inner_text("[data-key=drawings]") == "4 drawings"
        assert page.locator(".ms-sample").count() == 4
        assert page.locator(".ms-sample .ms-shot").count() == 8
        page.check(".ms-gallery-bar .ms-switch")
        assert page.locator(".ms-sample .ms-shot").count() == 12
        loaded = "() => [...document.querySelectorAll('.ms-shot img')].every((each) => each.naturalWidth > 0)"
        page.wait_for_function(loaded)
        page.hover(".ms-sample")
        page.click(".ms-sample button[aria-label='Search by this picture']")
        page.wait_for_selector(".ms-chip img")
        assert page.is_visible(SLIDER)


def test_the_slider_is_there_for_pictures_and_is_asked_with(page: Any):
    page.evaluate(LISTEN)
    assert not page.is_visible(SLIDER)
    drop(page, picture("blue"))
    assert "style" not in asked(page, 1)
    assert page.get_attribute(SLIDER, "aria-valuetext") == "as suits your index"
    slide(page, 1)
    assert asked(page, 2)["style"] == 1
    assert page.get_attribute(SLIDER, "aria-valuetext") == "100 % style"
    page.dblclick(SLIDER)
    page.wait_for_function("() => !('style' in window.asked.at(-1))")
    type_text(page, "red")
    page.click(".ms-chip button[aria-label='Remove picture']")
    assert not page.is_visible(SLIDER)


def test_a_picture_that_is_not_wanted_has_no_style(page: Any):
    drop(page, picture("blue"), unwanted=True)
    page.wait_for_selector(".ms-chip-not")
    assert not page.is_visible(SLIDER)


def slide(page: Any, to: float) -> None:
    page.eval_on_selector(SLIDER, "(range, to) => { range.value = to; range.dispatchEvent(new Event('change')); }", to)


def asked(page: Any, count: int) -> dict[str, Any]:
    """The last of that many searches, once they were sent."""
    page.wait_for_function("count => window.asked.length >= count", arg=count)
    return page.evaluate("() => window.asked.at(-1)")


LISTEN = """() => {
    window.asked = [];
    const send = window.fetch;
    window.fetch = (path, options) => {
        const query = options?.body?.get?.("query");
        if (query) window.asked.push(JSON.parse(query));
        return send(path, options);
    };
}"""
