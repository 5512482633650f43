"""One model at large: its samples, its base's, what can be done with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from modelsearch_core.catalog import Catalog
from modelsearch_core.catalog.weight_sketches import VERSION, Sketch
from tests.browser.acting import chips, first, names, type_text
from tests.server.running import running
from tests.server.test_server import Client


def opened_model(page: Any, name: str) -> None:
    type_text(page, name)
    first(page, name)
    page.click(".ms-card[data-index='0']")
    page.wait_for_selector(".ms-detail[open] figcaption")


def test_all_samples_are_shown_beside_the_bases(page: Any):
    opened_model(page, "red")
    assert page.inner_text(".ms-gallery-bar h3") == "8 samples"
    assert page.locator(".ms-sample .ms-shot").count() == 8
    page.check(".ms-gallery-bar .ms-switch")
    assert page.locator(".ms-sample .ms-shot").count() == 16
    page.wait_for_function("() => [...document.querySelectorAll('.ms-shot img')].every((i) => i.naturalWidth === 64)")
    assert page.evaluate("() => document.activeElement.matches('.ms-switch')")
    sources = page.evaluate("() => [...document.querySelectorAll('.ms-shot img')].map((image) => image.src)")
    assert sum("/base/" in source for source in sources) == 8


def test_the_tag_and_the_trigger_words_are_copied(opened: Any, colours: str):
    page = opened(colours, permissions=["clipboard-read", "clipboard-write"])
    page.wait_for_selector(".ms-card:not(.ms-loading)")
    opened_model(page, "red")
    page.click(".ms-side [data-action=copyTag]")
    page.wait_for_selector(".ms-toast:has-text('Copied <lora:red:')")
    assert page.evaluate("() => navigator.clipboard.readText()").startswith("<lora:red:0.")


def test_similar_models_are_found_without_itself(page: Any):
    opened_model(page, "red")
    page.click(".ms-side [data-action=similar]")
    first(page, "red blue")
    assert "red" not in names(page)
    assert chips(page) == ["like red"]


def test_one_of_its_pictures_becomes_the_query(page: Any):
    opened_model(page, "blue")
    page.hover(".ms-sample")
    page.click(".ms-sample button[aria-label='Search by this picture']")
    page.wait_for_selector(".ms-chip img")
    assert not page.evaluate("() => document.querySelector('.ms-detail').open")
    page.fill(".ms-box .ms-input", "")
    first(page, "blue")


def test_it_says_why_it_stands_there(page: Any):
    type_text(page, "red")
    first(page, "red")
    page.click("text=not this")
    page.fill(".ms-chip-input", "blue")
    with page.expect_response("**/search"):
        page.keyboard.press("Enter")
    page.wait_for_function("() => !document.querySelector('.ms-waiting')")
    page.wait_for_timeout(300)  # the answer is drawn
    first(page, "red")
    page.click(".ms-card[data-index='0']")
    page.wait_for_selector(".ms-why")
    assert [label.split("\n")[0] for label in page.locator(".ms-why").all_inner_texts()] == ["red", "not blue"]
    wanted = page.locator(".ms-why-part").first
    assert wanted.locator(".ms-nearest img").count() == 4
    assert all(0 < float(cosine) <= 1 for cosine in wanted.locator(".ms-nearest small").all_inner_texts())
    page.wait_for_function("() => [...document.querySelectorAll('.ms-nearest img')].every((i) => i.naturalWidth > 0)")
    wanted.locator("summary").click()
    assert "first moment" in wanted.inner_text()
    assert "unrelated searches:" in wanted.inner_text()
    parts = [float(text.replace("−", "-")) for text in page.locator(".ms-why > :last-child").all_inner_texts()]
    total = float(page.inner_text(".ms-whys > .ms-facts").rstrip(".").split()[-1].replace("−", "-"))
    assert abs(sum(parts) - total) < 0.11


def test_near_duplicates_are_listed(page: Any):
    opened_model(page, "green")
    page.click("[data-action=duplicates]")
    page.wait_for_selector(".ms-twins p:has-text('No other model')")


def test_lora_that_are_kin_say_what_they_are_to_it(opened: Any, models: Path):
    with running("tests.server.colour_server", models) as address:
        client = Client(address)
        client.indexed()
        ids = {each["name"]: each["id"] for each in client("GET", "/modelsearch/models?limit=100")[1]["models"]}
        a, b = np.eye(2, 64, dtype=np.float32) * 2
        changes = {"red": a, "blue": b, "red blue": 0.7 * a + 0.5 * b, "green": 0.5 * b}
        with Catalog(models / "catalog.sqlite") as catalog:
            for name, s in changes.items():
                of_dora = ("", 2) if name == "blue" else (None, 0)
                catalog.sketches.put(ids[name], VERSION, Sketch(("layer",), s[None], *of_dora))
        page = opened(address)
        page.wait_for_selector(".ms-card:not(.ms-loading)")
        opened_model(page, "blue")
        page.click("[data-action=duplicates]")
        page.wait_for_selector(".ms-twins .ms-strip-item")
        told = dict(text.rsplit("\n", 1) for text in page.locator(".ms-twins .ms-strip-item").all_inner_texts())
        assert told == {"red blue": "A merge with 0.5 of this", "green": "The same change, 0.5 times as strong"}
        assert "without its magnitudes" in page.inner_text(".ms-twins > p")


def test_a_failed_model_says_why(page: Any):
    page.click(".ms-card:has-text('broken pink')")
    page.wait_for_selector(".ms-failure:has-text('broken pink paints black')")


def test_a_preview_is_saved_after_asking_and_never_written_over_silently(opened: Any, models: Path):
    with running("tests.server.colour_server", models) as address:
        Client(address).indexed()
        page = opened(address)
        page.wait_for_selector(".ms-card:not(.ms-loading)")
        opened_model(page, "red")
        preview = models / "models" / "red.preview.png"

        def ask() -> None:
            page.hover(".ms-sample")
            page.click(".ms-sample [data-action=savePreview]")
            page.wait_for_selector(".ms-confirm[open]")

        ask()
        assert "red.preview.png" in page.inner_text(".ms-confirm")
        page.keyboard.press("Escape")
        page.wait_for_selector(".ms-confirm", state="detached")
        assert not preview.exists()
        ask()
        page.click(".ms-confirm .ms-primary")
        page.wait_for_selector(".ms-toast:has-text('Saved as red.preview.png')")
        assert preview.is_file()
        before = preview.stat().st_mtime_ns
        ask()
        assert "There is a preview already" in page.inner_text(".ms-confirm")
        page.click(".ms-confirm >> text=Cancel")
        page.wait_for_selector(".ms-confirm", state="detached")
        assert preview.stat().st_mtime_ns == before


def test_a_key_pressed_as_the_page_of_a_model_closes_is_not_undone(page: Any):
    """The dialog's `close` event comes after the focus is back, and after a key that was pressed at once."""
    page.focus(".ms-card[data-index='0']")
    page.keyboard.press("Enter")
    page.wait_for_selector(".ms-detail[open] .ms-sample")
    field = page.evaluate(
        """() => new Promise((resolve) => {
            const dialog = document.querySelector(".ms-detail");
            dialog.addEventListener("close", () => setTimeout(() => resolve(document.activeElement.className)));
            dialog.close();
            document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowUp", bubbles: true }));
        })"""
    )
    assert "ms-input" in field.split()
