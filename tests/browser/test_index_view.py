"""The index view: folders, a run with its progress, what failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image

from tests.browser.acting import first, type_text
from tests.browser.conftest import NAMES
from tests.indexing.folders import make_folder
from tests.making.fakes import COLOURS
from tests.making.user_pictures import Made, write_a1111
from tests.server.running import running
from tests.server.test_server import Client


def test_from_nothing_to_a_first_answer(opened: Any, models: Path):
    with running("tests.server.colour_server", models, "--no-folder", "--slow", "0.15") as address:
        page = opened(address)
        page.wait_for_selector(".ms-empty:has-text('Nothing is indexed yet')")
        page.click(".ms-empty .ms-primary")
        start = page.locator("[data-key=start]")
        start.wait_for()
        assert start.is_disabled()

        page.fill(".ms-add-folder input", str(models / "nowhere"))
        page.keyboard.press("Enter")
        page.wait_for_selector(".ms-toast-error:has-text('nowhere does not exist')")
        page.fill(".ms-add-folder input", str(models / "models"))
        page.keyboard.press("Enter")
        page.wait_for_selector(f".ms-folders li:has-text('{models / 'models'}')")

        start.click()
        page.wait_for_selector(".ms-progress")
        page.wait_for_selector(f".ms-facts:has-text('of {len(NAMES)}')")
        page.click("[data-key=pause]")
        page.wait_for_selector(".ms-state-paused")
        page.click("[data-key=resume]")
        page.wait_for_selector(".ms-state-running")

        page.click("[data-view=search]")  # searching goes on meanwhile
        page.wait_for_selector(".ms-busy:has-text('%')")
        page.wait_for_selector(".ms-card:not(.ms-loading)")
        type_text(page, "green")
        first(page, "green")

        page.click("[data-view=index]")
        page.click("[data-key=cancel]")
        page.wait_for_selector(".ms-state-cancelled:has-text('What was finished is kept')")


def test_another_machines_index_is_neither_checked_nor_written_from_here(page: Any):
    page.click("[data-view=index]")
    page.wait_for_selector("[data-key=previews]")
    page.wait_for_selector(".ms-check")

    def index(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "search_server": "http://nas:8189"})

    page.route("**/modelsearch/index", index)
    page.reload()
    page.click("[data-view=index]")
    page.wait_for_selector(".ms-elsewhere:has-text('http://nas:8189')")
    page.wait_for_selector("[data-key=previews]", state="detached")
    assert not page.locator(".ms-check").is_visible()


def test_what_failed_is_listed_with_its_reason_and_tried_again(opened: Any, models: Path):
    (models / "models" / "half.safetensors").write_bytes(b"half a file")
    with running("tests.server.colour_server", models, "--broken", "broken pink") as address:
        Client(address).indexed()
        page = opened(address)
        page.click("[data-view=index]")
        page.wait_for_selector(".ms-troubles h3:has-text('1 model failed')")
        assert "broken pink paints black" in page.inner_text(".ms-failures")
        page.click(".ms-troubles summary")
        assert "half.safetensors" in page.inner_text(".ms-skipped")
        assert "words only" in page.inner_text(".ms-legend")
        assert page.inner_text(".ms-costs").endswith("SD 1.5: Stable Diffusion 1.x 1\u00a0×")
        with page.expect_request(lambda request: "retry" in (request.post_data or "")):
            page.click(".ms-failures button")
        page.wait_for_selector(".ms-state-done")
        page.wait_for_selector(".ms-failures li")


def test_a_server_that_is_gone_is_told_and_found_again(opened: Any, models: Path):
    with running("tests.server.colour_server", models) as address:
        Client(address).indexed()
        page = opened(address)
        page.wait_for_selector(".ms-card:not(.ms-loading)")
        page.context.set_offline(True)
        type_text(page, "red")
        page.wait_for_selector(".ms-notice:has-text('server cannot be reached')")
        page.wait_for_selector(".ms-toast-lasting", timeout=15_000)
        page.context.set_offline(False)
        page.click(".ms-notice button")
        first(page, "red")
        page.wait_for_selector(".ms-toast-lasting", state="detached", timeout=15_000)


def test_dark_and_light_can_be_chosen_and_stay(opened: Any, colours: str):
    page = opened(colours, color_scheme="dark")
    back = "() => getComputedStyle(document.querySelector('.modelsearch')).backgroundColor"
    dark = page.evaluate(back)
    page.click("button[aria-label='Dark or light']")
    light = page.evaluate(back)
    assert dark != light
    page.reload()
    page.wait_for_selector(".modelsearch")
    assert page.evaluate(back) == light


def test_what_is_only_guessed_at_is_measured_from_the_list(opened: Any, models: Path):
    with running("tests.server.colour_server", models) as address:
        client = Client(address)
        client.indexed(quick=True)
        page = opened(address)
        type_text(page, "yellow and more")
        first(page, "yellow")
        page.click("[data-key=measure]")
        page.wait_for_selector(".ms-toast:has-text('models are asked now')")
        client.settled()
        assert client("GET", "/modelsearch/status")[1]["evidence"]["generated"] > 0


def test_pictures_that_the_user_has_made_are_looked_at_unless_it_is_switched_off(opened: Any, models: Path):
    outputs = models / "outputs"
    outputs.mkdir()
    picture = Image.new("RGB", (16, 16), COLOURS["red"])
    write_a1111(picture, outputs / "1.png", Made(prompt="a thing", loras={"red": 1.0}))
    with running("tests.server.colour_server", models, "--pictures", str(outputs)) as address:
        page = opened(address)
        page.click("[data-view=index]")
        page.wait_for_selector(".ms-option:has-text('Look at pictures that you have made')")
        page.click("[data-key=quick]")
        page.wait_for_selector(".ms-legend li:has-text('your pictures')")
        page.wait_for_selector(".ms-option:has-text('1 were read: 1 of your models')")
        page.locator("[data-key=pictures]").uncheck()
        page.click("[data-key=quick]")
        page.wait_for_selector(".ms-legend li:has-text('your pictures')", state="detached")


def test_what_so_many_pictures_take_is_said_before_they_are_made(opened: Any, models: Path):
    with running("tests.server.colour_server", models, "--slow", "0.05") as address:
        client = Client(address)
        client.indexed(quick=True)
        page = opened(address)
        page.click("[data-view=index]")
        chosen = page.locator(".ms-pictures-each select")
        chosen.wait_for()
        assert "known after the first models" in page.inner_text(".ms-pictures-each small")
        of_each = chosen.locator("option").all_inner_texts()
        assert of_each[0] == "as many as it takes"
        assert of_each[1] == "8 · 82 % of the right answers that 64 find"
        assert len(of_each) == 5

        chosen.select_option("8")
        with page.expect_request(lambda request: '"samples":8' in (request.post_data or "")):
            page.click("[data-key=update]")
        client.settled()

        make_folder(models / "models" / "new", ["pink", "yellow pink"])
        client.indexed(quick=True)
        page.reload()
        page.click("[data-view=index]")
        page.wait_for_selector(".ms-pictures-each option:has-text('here')", state="attached")
