"""Detectors and classifiers in the panel: found by what they tell, shown output by output, asked at a press."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.classifiers import ProbeSettings, index_classifiers
from tests.browser.acting import FIELD, files, picture
from tests.making import classifiers as making
from tests.making.fakes import NAMES, ColourEncoder
from tests.server.running import running

VIEW = ".ms-classifier-view"
CARD = f"{VIEW} .ms-output"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose index holds a detector of all colours, a rater of one, and a new file that it has not seen."""
    folder = tmp_path_factory.mktemp("classifiers")
    making.detector(folder / "models" / "bbox" / "v3_best.onnx", NAMES)
    making.classifier(folder / "models" / "rater" / "model.onnx", ["red"])
    with Catalog(folder / "catalog.sqlite") as catalog:
        probes = making.probe_pictures(folder / "probes")
        index_classifiers(catalog, [folder / "models"], ColourEncoder(), "colours", ProbeSettings(probes=probes))
    making.classifier(folder / "models" / "new" / "second.onnx", NAMES[:3])
    with running("tests.server.colour_server", folder) as address:
        yield address


def shown(opened: Any, address: str, **options: Any) -> Any:
    page = opened(address, **options)
    page.click("[data-view=tells]")
    page.wait_for_selector(f"{VIEW} .ms-file")
    return page


def best(page: Any, label: str) -> Any:
    """The first card, once it is an output of that label."""
    page.wait_for_function(
        "([card, label]) => document.querySelector(`${card} .ms-name`)?.textContent === label", arg=[CARD, label]
    )
    return page.locator(CARD).first


def loaded(images: Any) -> bool:
    return all(images.nth(n).evaluate("image => image.decode().then(() => image.naturalWidth > 0)") for n in range(4))


def test_a_word_finds_the_output_with_its_pictures_and_its_threshold(opened: Any, address: str):
    page = shown(opened, address)
    page.fill(f"{VIEW} {FIELD}", "pink")
    card = best(page, "pink")
    assert card.locator(".ms-output-file").inner_text() == "v3_best.onnx"
    assert card.get_attribute("data-output") == str(NAMES.index("pink"))
    assert loaded(card.locator("img"))
    assert card.locator(".ms-threshold").inner_text().startswith("from 0.9")
    assert "output 4" in card.locator(".ms-meta").inner_text()


def test_kinds_are_chosen_and_a_picture_asks(opened: Any, address: str):
    page = shown(opened, address)
    page.click("[data-kind=classifier]")
    page.dispatch_event(".ms-classifier-view .ms-scroll", "dragenter", {"dataTransfer": files(page, picture("red"))})
    page.dispatch_event(".ms-drop-half[data-not=false]", "drop", {"dataTransfer": files(page, picture("red"))})
    page.wait_for_selector(CARD)
    kinds = page.locator(f"{CARD} .ms-meta").all_inner_texts()
    assert kinds and all(text.startswith("Classifier") for text in kinds)
    page.click(f"{VIEW} .ms-chip button")
    page.wait_for_selector(f"{VIEW} .ms-file")


def test_a_file_is_shown_output_by_output(opened: Any, address: str):
    page = shown(opened, address)
    page.click(".ms-file:has-text('v3_best')")
    rows = page.locator(".ms-each li")
    page.wait_for_selector(".ms-each li")
    assert rows.locator("b").all_inner_texts() == NAMES
    assert "seems to be for" in rows.first.inner_text()
    assert loaded(rows.first.locator("img"))
    assert "borne out to 100 %" in page.inner_text(".ms-classifier .ms-meta")
    rows.nth(1).locator(".ms-link").click()  # asks for what it is called
    best(page, NAMES[1])
    page.locator(CARD).first.press("Enter")
    page.wait_for_selector(".ms-each li[aria-current]")
    page.keyboard.press("Escape")
    page.wait_for_selector(CARD)


def test_it_says_how_far_it_can_be_trusted(opened: Any, address: str):
    page = shown(opened, address)
    page.click(f"{VIEW} [data-key=trust]")
    page.wait_for_selector(f"{VIEW} .ms-trust")
    said = page.inner_text(f"{VIEW} .ms-trust")
    assert said.startswith("Of 5 names asked for among 5 outputs, 100 % found theirs first")


def test_the_name_is_copied_for_a_drop_down(opened: Any, address: str):
    page = shown(opened, address, permissions=["clipboard-read", "clipboard-write"])
    page.locator(".ms-files li", has_text="v3_best").locator("[data-action=copyName]").click()
    page.wait_for_selector(".ms-toast:has-text('Copied v3_best.onnx')")
    assert page.evaluate("() => navigator.clipboard.readText()") == "v3_best.onnx"


def test_it_fits_a_side_bar(opened: Any, address: str):
    page = shown(opened, address, size=(320, 700))
    page.fill(f"{VIEW} {FIELD}", "blue")
    best(page, "blue")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    for inside in (".ms-bar > :last-child", f"{VIEW} [data-kind=classifier]"):
        edge = page.locator(inside).bounding_box()
        assert edge["x"] + edge["width"] <= 320


def test_new_files_are_asked_at_the_press_of_a_button(opened: Any, address: str):
    """The last of this module: afterwards the index holds one more."""
    page = shown(opened, address)
    assert page.locator(".ms-file").count() == 2
    page.click(f"{VIEW} [data-key=ask]")
    page.wait_for_selector(".ms-file:has-text('second')", timeout=60_000)
    assert page.locator(".ms-file").count() == 3
