"""The map of the collection: what a user sees of it, by mouse, finger and keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import NAMES
from tests.indexing.folders import make_folder
from tests.making.collections import fill_catalog
from tests.server.running import running
from tests.server.test_server import Client

SCALE = "() => Number(/scale\\(([\\d.e-]+)\\)/.exec(document.querySelector('.ms-map-world').style.transform)[1])"
BOXES = """() => [...document.querySelectorAll(".ms-map-point")].map((point) => {
    const { left, top, width, height } = point.getBoundingClientRect();
    return { left, top, right: left + width, bottom: top + height };
})"""
SIDES = (("left", "right"), ("top", "bottom"))
FOCUSED = "() => document.activeElement.getAttribute('aria-label') ?? ''"


def opened_map(page: Any) -> Any:
    page.click("[data-view=map]")
    page.wait_for_selector(".ms-map-point")
    page.wait_for_function("() => document.querySelector('.ms-map-world').style.getPropertyValue('--ms-scale') !== ''")
    return page


@pytest.fixture
def map_page(page: Any) -> Any:
    return opened_map(page)


def test_every_model_is_a_picture_and_none_covers_another(map_page: Any):
    map_page.wait_for_function("n => document.querySelectorAll('.ms-map-point img').length === n", arg=len(NAMES) - 1)
    map_page.wait_for_function("() => [...document.querySelectorAll('.ms-map img')].every((i) => i.naturalWidth > 0)")
    boxes = map_page.evaluate(BOXES)
    assert len(boxes) == len(NAMES)
    view = map_page.locator(".ms-map").bounding_box()
    for n, one in enumerate(boxes):
        assert one["left"] >= view["x"]
        assert one["bottom"] <= view["y"] + view["height"]
        for other in boxes[:n]:
            apart = max(one["left"] - other["right"], other["left"] - one["right"])
            apart = max(apart, one["top"] - other["bottom"], other["top"] - one["bottom"])
            assert apart > 0
    assert map_page.locator(".ms-map-words").count() == 1  # broken pink, known by its name
    assert "similar pictures" in map_page.inner_text(".ms-map-told")


def test_pointing_tells_the_name_and_pressing_opens_the_model(map_page: Any):
    map_page.hover(".ms-map-point[aria-label^='yellow']")
    assert map_page.inner_text(".ms-map-tip b") == "yellow"
    map_page.click(".ms-map-point[aria-label^='yellow']")
    map_page.wait_for_selector(".ms-detail[open] figcaption")
    assert map_page.inner_text("#ms-detail-name") == "yellow"
    map_page.keyboard.press("ArrowRight")
    map_page.wait_for_function("() => document.querySelector('#ms-detail-name').textContent !== 'yellow'")
    map_page.keyboard.press("Escape")
    map_page.wait_for_selector(".ms-detail:not([open])", state="attached")
    assert map_page.evaluate(FOCUSED).startswith("yellow")


def test_the_wheel_zooms_where_the_mouse_is_and_dragging_moves_without_opening(map_page: Any):
    before = map_page.evaluate(SCALE)
    box = map_page.locator(".ms-map-point[aria-label^='red,']").bounding_box()
    at = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    map_page.mouse.move(*at)
    map_page.mouse.wheel(0, -300)
    map_page.wait_for_function(f"() => ({SCALE})() > {before} * 1.2")
    grown = map_page.locator(".ms-map-point[aria-label^='red,']").bounding_box()
    assert abs(grown["x"] + grown["width"] / 2 - at[0]) < 3
    map_page.mouse.down()
    map_page.mouse.move(at[0] - 60, at[1] - 40, steps=5)
    map_page.mouse.up()
    moved = map_page.locator(".ms-map-point[aria-label^='red,']").bounding_box()
    assert (round(grown["x"] - moved["x"]), round(grown["y"] - moved["y"])) == (60, 40)
    assert map_page.locator(".ms-detail[open]").count() == 0
    map_page.click("button[aria-label='Show all']")
    assert map_page.evaluate(SCALE) == pytest.approx(before)


def test_the_keyboard_reaches_every_model(map_page: Any):
    map_page.focus(".ms-map-point[tabindex='0']")
    assert map_page.locator(".ms-map-point[tabindex='0']").count() == 1
    map_page.keyboard.press("Home")
    reached = [map_page.evaluate(FOCUSED)]
    for _ in NAMES[1:]:
        map_page.keyboard.press("PageDown")
        reached.append(map_page.evaluate(FOCUSED))
    assert len(set(reached)) == len(NAMES)
    map_page.keyboard.press("ArrowLeft")
    middle = (
        "() => { const { left, width } = document.activeElement.getBoundingClientRect(); return left + width / 2; }"
    )
    before = map_page.evaluate(middle)
    map_page.keyboard.press("ArrowLeft")
    assert map_page.evaluate(middle) < before
    before = map_page.evaluate(SCALE)
    map_page.keyboard.press("+")
    assert map_page.evaluate(SCALE) > before
    map_page.keyboard.press("0")
    assert map_page.evaluate(SCALE) == pytest.approx(before)
    map_page.keyboard.press("Enter")
    map_page.wait_for_selector(".ms-detail[open]")


def test_two_fingers_zoom(opened: Any, colours: str):
    page = opened_map(opened(colours, (390, 760), has_touch=True))
    before = page.evaluate(SCALE)
    page.evaluate(
        """() => {
            const view = document.querySelector(".ms-map");
            const { left, top, width, height } = view.getBoundingClientRect();
            const send = (type, pointerId, dx) => view.dispatchEvent(new PointerEvent(type, { pointerId, bubbles: true,
                pointerType: "touch", clientX: left + width / 2 + dx, clientY: top + height / 2 }));
            view.setPointerCapture = view.hasPointerCapture = () => true;
            send("pointerdown", 1, -20);
            send("pointerdown", 2, 20);
            for (let step = 1; step < 8; step++) for (const [id, to] of [[1, -1], [2, 1]])
                send("pointermove", id, to * (20 + 6 * step));
            send("pointerup", 1, -60);
            send("pointerup", 2, 60);
        }"""
    )
    assert page.evaluate(SCALE) > before * 1.5


def test_a_narrow_panel_shows_all_of_it(opened: Any, colours: str):
    page = opened_map(opened(colours, (320, 620)))
    boxes = page.evaluate(BOXES)
    assert min(box["left"] for box in boxes) >= 0
    assert max(box["right"] for box in boxes) <= 320
    spans = [
        max(b[far] for b in boxes) - min(b[near] for b in boxes) for near, far in (("left", "right"), ("top", "bottom"))
    ]
    assert spans[1] >= spans[0] * 0.9  # turned to stand upright
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_german_and_chinese_have_words_for_it(opened: Any, colours: str):
    for language, word in (("de-AT", "Karte"), ("zh-CN", "地图")):
        page = opened(colours, locale=language)
        page.wait_for_selector(f"[data-view=map]:has-text('{word}')")


def test_without_an_index_it_says_how_to_get_one(opened: Any, models: Path):
    with running("tests.server.colour_server", models) as address:
        page = opened(address)
        page.click("[data-view=map]")
        page.wait_for_selector(".ms-map-empty h2:has-text('Nothing is indexed yet')")
        page.click(".ms-map-empty .ms-primary")
        page.wait_for_selector(".ms-index-view:not([hidden])")


def test_one_model_alone_is_said_to_be(opened: Any, tmp_path: Path):
    make_folder(tmp_path / "models", ["base checkpoint"])
    with running("tests.server.colour_server", tmp_path) as address:
        Client(address).indexed()
        page = opened_map(opened(address))
        assert "one model only" in page.inner_text(".ms-map-told")
        assert page.locator(".ms-map-tools:visible").count() == 0


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("thousand")
    (folder / "models").mkdir()
    fill_catalog(folder / "catalog.sqlite", 1000)
    with running("tests.server.colour_server", folder) as address:
        yield address


PICTURES = """() => {
    const images = [...document.querySelectorAll(".ms-map-point img")];
    const view = document.querySelector(".ms-map").getBoundingClientRect();
    const far = ({ left, right }) => right < view.left - view.width / 2 || left > view.right + view.width / 2;
    const boxes = images.map((image) => image.getBoundingClientRect());
    return { count: images.length, awaited: images.filter((image) => !image.complete).length,
             least: Math.min(...boxes.map(({ width }) => width)), far: boxes.filter(far).length };
}"""


def test_a_thousand_models_are_dots_that_become_pictures_where_they_can_be_seen(opened: Any, thousand: str):
    page = opened(thousand)
    page.click("[data-view=map]")
    page.wait_for_selector(".ms-map-point", timeout=60_000)
    assert page.locator(".ms-map-point").count() == 1000
    assert page.evaluate(PICTURES)["count"] == 0  # too small to make anything out
    box = page.locator(".ms-map").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    seen = []
    for _ in range(8):
        page.mouse.wheel(0, -200)
        page.wait_for_timeout(250)
        seen.append(page.evaluate(PICTURES))
    page.wait_for_function("() => [...document.querySelectorAll('.ms-map-point img')].some((i) => i.naturalWidth > 0)")
    assert max(each["awaited"] for each in seen) <= 150
    assert max(each["count"] for each in seen) <= 600
    assert min(each["least"] for each in seen if each["count"]) > 20
    assert 0 < seen[-1]["count"] < 200
    assert seen[-1]["far"] == 0
    page.click("button[aria-label='Show all']")
    page.wait_for_function("() => document.querySelectorAll('.ms-map-point img').length === 0")


IN_SIGHT = """() => {
    const view = document.querySelector(".ms-map").getBoundingClientRect();
    const boxes = [...document.querySelectorAll(".ms-map-point")].map((point) => point.getBoundingClientRect());
    const across = boxes.filter(({ left, right }) => right > view.left && left < view.right);
    return across.filter(({ top, bottom }) => bottom > view.top && top < view.bottom).length;
}"""


def near_enough(page: Any) -> int:
    """Opens the map and zooms until pictures could be made out; how many models are in sight then."""
    page.click("[data-view=map]")
    page.wait_for_selector(".ms-map-point", timeout=60_000)
    page.wait_for_function(f"() => ({SCALE})() > 0")
    page.focus(".ms-map-point[tabindex='0']")
    while page.evaluate(SCALE) < 0.24:
        page.keyboard.press("+")
    return page.evaluate(IN_SIGHT)


AT_LEAST = "n => document.querySelectorAll('.ms-map-point img').length >= n"


def test_all_in_sight_become_pictures_one_lot_after_the_other(opened: Any, thousand: str):
    """Hundreds are in sight, wherever the axes fell; the server is slow, and the map is moved meanwhile."""
    page = opened(thousand, (1600, 1300))
    held: list[Any] = []
    page.route("**/samples/**", lambda route: held.append(route))
    in_sight = near_enough(page)
    assert in_sight > 150
    page.wait_for_timeout(1000)
    assert 0 < page.evaluate(PICTURES)["awaited"] <= 150  # some that were asked for on the way may have been given up
    for key in "+-+-":  # out of sight and in again, before any has come
        page.keyboard.press(key)
        page.wait_for_timeout(300)
        assert 0 < page.evaluate(PICTURES)["awaited"] <= 150
    expected = min(600, page.evaluate(IN_SIGHT))
    page.unroute("**/samples/**")  # what was held goes on
    page.wait_for_function(AT_LEAST, arg=expected, timeout=30_000)
    page.wait_for_timeout(500)
    assert page.evaluate(PICTURES)["count"] <= 600
    assert page.locator(".ms-map-point img + img").count() == 0


def test_no_window_is_so_large_that_all_pictures_are_there_at_a_time(opened: Any, thousand: str):
    page = opened(thousand, (3200, 2600))
    assert near_enough(page) > 600
    page.wait_for_function(AT_LEAST, arg=600, timeout=30_000)
    page.wait_for_timeout(500)
    assert page.evaluate(PICTURES)["count"] == 600
