"""The self-check in the panel: begun by a button, watched, read as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.browser.conftest import NAMES
from tests.server.running import running
from tests.server.test_server import Client


def test_the_index_is_checked_and_every_model_judged(page: Any):
    page.click("[data-view=index]")
    page.click("[data-key=check]")
    page.wait_for_selector(".ms-check-sum", timeout=60_000)
    assert "% of searches" in page.inner_text(".ms-check-sum")
    if page.locator(".ms-check-more").count():
        page.click(".ms-check-more")
        page.wait_for_selector(".ms-check-more", state="detached")
    rows = page.locator(".ms-check-table tbody tr")
    assert sorted(rows.locator(".ms-link").all_inner_texts()) == sorted(NAMES)
    assert rows.first.locator(".ms-link").inner_text() == "broken pink"
    assert rows.first.locator(".ms-verdict-failed").get_attribute("title").startswith("broken pink paints black")
    page.click(".ms-link:text-is('green')")
    page.wait_for_selector(".ms-detail[open]")
    assert page.inner_text("#ms-detail-name") == "green"
    page.keyboard.press("Escape")
    page.click("[data-view=search]")
    page.click("[data-view=index]")
    page.wait_for_selector(".ms-check-sum")  # kept until it is asked for again
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    table = page.locator(".ms-check-table").bounding_box()
    assert table["x"] + table["width"] <= 320


def test_more_pictures_are_made_at_the_press_of_a_button(opened: Any, models: Path):
    with running("tests.server.colour_server", models) as address:
        Client(address).indexed(samples=4)
        page = opened(address)
        page.click("[data-view=index]")
        page.click("[data-key=check]")
        page.wait_for_selector(".ms-check-table", timeout=60_000)
        with page.expect_request("**/modelsearch/index") as sent:
            page.locator(".ms-check-table button:has-text('Index with')").first.click()
        body = sent.value.post_data_json
        assert (body["action"], len(body["only"]), body["samples"]) == ("retry", 1, 64)
