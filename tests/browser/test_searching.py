"""Searching in the panel, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.browser.acting import FIELD, chips, drop, encoded, first, names, not_first, paste, picture, shown, type_text
from tests.browser.conftest import NAMES
from tests.server.running import running
from tests.server.test_server import Client

BLACK = """() => document.querySelector(".ms-canvas").getContext("2d").getImageData(0, 0, 384, 384).data
    .filter((value, place) => place % 4 === 0 && value < 128).length"""
UNNAMED = """() => [...document.querySelectorAll("button, input, select, canvas")]
    .filter((e) => e.offsetParent && !e.ariaLabel && !e.innerText?.trim() && !e.labels?.length)
    .map((e) => e.outerHTML)"""
TOO_WIDE = """() => [...document.querySelectorAll(".modelsearch *")]
    .filter((e) => e.offsetParent && !e.closest(".ms-kinds") && e.getBoundingClientRect().right > innerWidth + 1)
    .map((e) => `${e.className} ${e.ariaLabel ?? e.textContent}`)"""


OF_GRAPH = """async (family) => {
    const [{ mountPanel }, { createApi }] =
        await Promise.all(["panel", "api"].map((name) => import(`/modelsearch/panel/${name}.mjs`)));
    document.body.replaceChildren();
    mountPanel(document.body, { api: createApi(), host: { name: family, architectureOfGraph: () => family } });
}"""


def test_all_models_are_shown_with_their_own_pictures(page: Any):
    assert set(names(page)) == set(NAMES)
    page.wait_for_function("() => [...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert page.locator(".ms-card img").count() == 3 * 6
    assert page.inner_text(".ms-summary h2") == f"{len(NAMES)} models"


def test_typing_finds_the_model_that_paints_it(page: Any):
    for colour in ("red", "green", "yellow"):
        type_text(page, colour)
        first(page, colour)
    assert "Relevance" in page.get_attribute(".ms-card[data-index='0']", "aria-label")


def test_a_dropped_picture_finds_its_model(page: Any):
    drop(page, picture("blue"))
    first(page, "blue")
    assert chips(page) == ["picture"]


def test_a_pasted_picture_finds_its_model(page: Any):
    page.focus(FIELD)
    paste(page, picture("green"))
    first(page, "green")


def test_a_chosen_file_finds_its_model(page: Any):
    page.set_input_files("input[type=file]", {"name": "a.png", "mimeType": "image/png", "buffer": picture("yellow")})
    first(page, "yellow")


def test_text_picture_and_not_this_work_together(page: Any):
    type_text(page, "red")
    first(page, "red")
    page.click("text=also")
    page.fill(".ms-chip-input", "blue")
    page.keyboard.press("Enter")
    first(page, "red blue")
    page.click(".ms-chip button[aria-label='Remove blue']")
    first(page, "red")
    page.click("text=not this")
    page.fill(".ms-chip-input", "blue")
    page.keyboard.press("Enter")
    page.wait_for_selector(".ms-chip-not")
    first(page, "red")
    drop(page, picture("red"), unwanted=True)
    page.wait_for_selector(".ms-chip-not:has-text('not picture')")
    not_first(page, "red")
    assert chips(page) == ["not blue", "not picture"]
    page.click("text=Clear")
    shown(page, len(NAMES))
    assert chips(page) == []


def test_a_chip_is_turned_into_its_opposite(page: Any):
    drop(page, picture("green"))
    first(page, "green")
    type_text(page, "blue")
    page.click(".ms-chip button[aria-label='Ask for less of it']")
    first(page, "blue")
    assert chips(page) == ["not picture"]


def test_what_asks_for_nothing_is_refused_with_a_sentence(page: Any):
    drop(page, picture("green"), unwanted=True)
    page.wait_for_selector("text=add a text, an image, a sketch or a model that is wanted")
    assert page.locator(".ms-card").count() == 0 and page.locator("text=Try again").count() == 0
    type_text(page, "blue")
    first(page, "blue")


def test_the_first_says_how_sure_it_is(page: Any):
    type_text(page, "green")
    first(page, "green")
    assert page.inner_text(".ms-card[data-index='0'] .ms-sure").endswith("% sure")
    assert page.locator(".ms-sure").count() == 1
    page.click(".ms-card[data-index='0']")
    page.wait_for_selector(".ms-side-relevance .ms-sure")


def test_what_is_weak_is_not_sure(page: Any):
    type_text(page, "nothing that any of them is about")
    page.wait_for_selector(".ms-card.ms-weak[data-index='0']")
    said = (
        page.inner_text(".ms-card[data-index='0'] .ms-sure"),
        page.inner_text(".ms-card[data-index='0'] .ms-relevance"),
    )
    sure, relevant = (int(re.findall(r"\d+", text)[0]) for text in said)
    assert sure <= relevant <= 50


def test_a_varied_list_of_all_that_fits_says_so(page: Any):
    type_text(page, "green")
    first(page, "green")
    page.click("text=Varied")
    page.wait_for_selector("text=Nothing to vary")
    page.click("text=Varied")
    page.wait_for_selector("text=Nothing to vary", state="hidden")


def test_a_sketch_is_drawn_undone_and_searched(page: Any):
    page.click("button[aria-label='Draw a sketch']")
    canvas = page.locator(".ms-canvas")
    box = canvas.bounding_box()
    search = page.locator(".ms-sketch .ms-primary")
    assert search.is_disabled()
    for offset in (40, 90):
        page.mouse.move(box["x"] + 40, box["y"] + offset)
        page.mouse.down()
        page.mouse.move(box["x"] + 200, box["y"] + offset + 30, steps=6)
        page.mouse.up()
    two = page.evaluate(BLACK)
    page.click("button[aria-label='Undo']")
    one = page.evaluate(BLACK)
    assert 0 < one < two
    page.click("button[aria-label='Eraser']")
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 55, steps=6)
    page.mouse.up()
    assert page.evaluate(BLACK) < one
    with page.expect_response("**/search") as answered:
        search.click()
    assert answered.value.status == 200
    page.wait_for_selector(".ms-chip img")
    assert chips(page) == ["sketch"]
    assert page.evaluate("() => document.querySelector('.ms-chip img').naturalWidth") == 384


def test_filters_narrow_the_answer(page: Any):
    type_text(page, "red")
    first(page, "red")
    page.click(".ms-kind:has-text('Checkpoints')")
    first(page, "base checkpoint")
    assert names(page) == ["base checkpoint"]
    page.click(".ms-kind:has-text('All kinds')")
    first(page, "red")
    with page.expect_request(lambda request: b'"diverse":true' in (request.post_data_buffer or b"")):
        page.check(".ms-filters .ms-switch")


def test_a_text_that_fits_nothing_is_called_weak(page: Any):
    type_text(page, "something else altogether")
    page.wait_for_selector(".ms-notice:has-text('Nothing fits well')")
    assert page.locator(".ms-card.ms-weak").count() > 0


def test_everything_can_be_done_with_the_keyboard(page: Any):
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.matches('.ms-input')")
    page.keyboard.type("red")
    first(page, "red")
    page.keyboard.press("ArrowDown")
    focused = "document.activeElement.dataset.index"
    assert page.evaluate(focused) == "0"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "1"
    page.keyboard.press("End")
    assert page.evaluate(focused) == str(len(NAMES) - 1)
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    page.wait_for_selector(".ms-detail[open] .ms-sample")
    assert page.inner_text("#ms-detail-name") == "red"
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('#ms-detail-name').textContent !== 'red'")
    page.keyboard.press("Escape")
    page.wait_for_function("() => !document.querySelector('.ms-detail').open")
    assert page.evaluate(focused) == "0"
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.matches('.ms-input')")
    page.keyboard.press("Escape")
    shown(page, len(NAMES))


def test_the_best_match_is_told_to_screen_readers(page: Any):
    type_text(page, "red")
    page.wait_for_function("() => document.querySelector('[role=status]').textContent.includes('the best is red')")
    assert page.evaluate(UNNAMED) == []


def test_too_large_and_unreadable_pictures_are_refused_in_words(page: Any):
    drop(page, encoded(Image.new("1", (9000, 9000))))
    page.wait_for_selector(".ms-notice:has-text('64 million at most')")
    page.click("text=Clear") if page.locator("text=Clear").count() else page.click(
        ".ms-chip button[aria-label^='Remove']"
    )
    drop(page, b"this is no picture")
    page.wait_for_selector(".ms-notice:has-text('cannot be read as a picture')")
    page.click(".ms-chip button[aria-label^='Remove']")
    drop(page, b"text", kind="text/plain", name="notes.txt")
    page.wait_for_selector(".ms-toast:has-text('notes.txt is no picture')")
    drop(page, picture("red") + bytes(21 << 20), name="huge.png")
    page.wait_for_selector(".ms-toast:has-text('huge.png has 22 MB; 20 MB at most')")
    type_text(page, "red")
    first(page, "red")


@pytest.mark.parametrize("size", [(224, 700), (312, 700), (1600, 900)])
def test_it_fits_every_width(opened: Any, colours: str, size: tuple[int, int]):
    page = opened(colours, size)
    page.wait_for_selector(".ms-card:not(.ms-loading)")
    type_text(page, "red")
    first(page, "red")
    assert page.evaluate(TOO_WIDE) == []


def test_names_are_text_whatever_they_hold(opened: Any, tmp_path_factory: pytest.TempPathFactory):
    from tests.indexing.folders import make_folder
    from tests.server.running import running
    from tests.server.test_server import Client

    folder = tmp_path_factory.mktemp("odd")
    odd = "<img src=x onerror=alert(1)> & ü 模型"
    make_folder(folder / "models", ["base checkpoint", odd])
    with running("tests.server.colour_server", folder) as address:
        Client(address).indexed()
        page = opened(address)
        page.wait_for_selector(f".ms-card:has-text('{odd}')")
        page.click(f".ms-card:has-text('{odd}')")
        assert page.inner_text("#ms-detail-name") == odd
        assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize(("family", "chosen"), [("sd15", "sd15"), ("flux", "")])
def test_the_family_of_a_hosts_graph_is_chosen_where_there_are_such_models(page: Any, family: str, chosen: str):
    with page.expect_request(re.compile(r"/models\?")) as asked:
        page.evaluate(OF_GRAPH, family)
    page.wait_for_selector(".ms-card:not(.ms-loading)")
    assert page.input_value("select[data-name=architecture]") == chosen
    assert ("architecture=sd15" in asked.value.url) is bool(chosen)


def test_each_filter_that_the_status_offers_is_a_list(opened: Any, models: Path):
    for name in ("red", "green"):
        (models / "models" / "ink").mkdir(exist_ok=True)
        (models / "models" / f"{name}.safetensors").rename(models / "models" / "ink" / f"{name}.safetensors")
    with running("tests.server.colour_server", models, "--broken", "broken pink") as address:
        Client(address).indexed()
        offered = Client(address)("GET", "/modelsearch/status")[1]["filters"]
        page = opened(address)
        page.wait_for_selector(".ms-card:not(.ms-loading)")
        for name, filter in offered.items():
            if name != "kind":
                labels = [f"{choice['label']} ({choice['models']})" for choice in filter["choices"]]
                assert page.locator(f"select[data-name={name}] option").all_inner_texts()[1:] == labels
                assert page.locator(f"select[data-name={name}]").is_visible() is (len(labels) > 1)
        page.select_option("select[data-name=folder]", label="models/ink (2)")
        page.locator(".ms-summary h2").filter(has_text="2 models").wait_for()
        assert set(names(page)) == {"red", "green"}
        page.select_option("select[data-name=folder]", "")
        page.locator(".ms-summary h2").filter(has_text=f"{len(NAMES)} models").wait_for()
        page.click(".ms-kind:has-text('Checkpoints')")
        page.locator(".ms-summary h2").filter(has_text="1 model").wait_for()


def test_what_a_search_server_of_an_earlier_version_does_not_tell_is_done_without(page: Any):
    def status(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={name: of for name, of in answer.json().items() if name != "filters"})

    def search(route: Any) -> None:
        answer = route.fetch()
        told = answer.json()
        for match in told["matches"]:
            del match["samples"], match["users_pictures"]
        route.fulfill(response=answer, json=told)

    page.route("**/modelsearch/status*", status)
    page.route("**/modelsearch/search", search)
    page.reload()
    page.wait_for_selector(".ms-card:not(.ms-loading)")
    assert page.locator("select[data-name=sort] option").count() == 3
    page.click(".ms-kind:has-text('Checkpoints')")
    page.locator(".ms-summary h2").filter(has_text="1 model").wait_for()
    page.click(".ms-kind:has-text('All')")
    type_text(page, "red")
    first(page, "red")
    assert page.get_attribute(".ms-card[data-index='0'] .ms-evidence", "title") == "own pictures"
