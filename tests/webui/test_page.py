"""The tab in Chromium, on a real WebUI. `MODELSEARCH_SCREENSHOTS` names a folder to keep pictures of it in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.webui.collection import painted
from tests.webui.host import WebUI

pytestmark = pytest.mark.timeout(900)
PATIENCE = 180_000  # milliseconds


class Opened:
    """A page of the WebUI with our tab open."""

    def __init__(self, browser: Any, server: WebUI, dark: bool = False) -> None:
        self.errors: list[str] = []
        self.page = browser.new_page(viewport={"width": 1360, "height": 940}, locale="en-GB")
        self.page.set_default_timeout(PATIENCE)
        self.page.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("response", self._answered)
        self.page.goto(f"{server.address}/?__theme={'dark' if dark else 'light'}", wait_until="domcontentloaded")
        self.page.wait_for_function("typeof opts === 'object' && Object.keys(opts).length > 10")
        self.page.get_by_role("tab", name="Model Search").or_(
            self.page.locator("#tabs > .tab-nav > button", has_text="Model Search")
        ).first.click()
        self.page.wait_for_selector(".modelsearch .ms-card .ms-name")

    def _answered(self, response: Any) -> None:
        if "/modelsearch/" in response.url and response.status >= 400:
            self.errors.append(f"{response.status} {response.url}")

    def prompt(self, tab: str = "txt2img") -> Any:
        return self.page.locator(f"#{tab}_prompt textarea")

    def card(self, name: str) -> Any:
        return self.page.locator(".ms-card").filter(has=self.page.locator(".ms-name", has_text=re.compile(f"^{name}$")))

    def press(self, name: str, action: str) -> str:
        """What the panel says after it."""
        before = self.page.locator(".ms-toast").count()
        self.card(name).hover()
        self.card(name).get_by_role("button", name=action).click()
        self.page.wait_for_function("(n) => document.querySelectorAll('.ms-toast').length > n", arg=before)
        return self.page.locator(".ms-toast").last.inner_text()

    def keep(self, name: str) -> None:
        if folder := os.environ.get("MODELSEARCH_SCREENSHOTS"):
            self.page.wait_for_timeout(800)
            self.page.screenshot(path=str(Path(folder, f"{name}.png")))


@pytest.fixture
def tab(real: WebUI, browser: Any) -> Iterator[Opened]:
    opened = Opened(browser, real)
    yield opened
    assert not opened.errors
    opened.page.close()


def test_all_models_are_shown_with_their_pictures(tab: Opened):
    assert tab.page.locator(".ms-card").count() == 7
    tab.page.wait_for_function(
        "[...document.querySelectorAll('.ms-card img')].every((image) => image.naturalWidth > 0)"
    )
    tab.keep("webui_tab")


def test_a_dropped_pictures_lora_goes_into_the_prompt_behind_what_was_typed(tab: Opened, tmp_path: Path):
    painted("green").resize((256, 256)).save(tmp_path / "picture.png")
    tab.prompt().evaluate("(area) => { area.value = 'a quiet harbour'; updateInput(area); }")
    tab.page.locator(".modelsearch input[type=file]").first.set_input_files(tmp_path / "picture.png")
    tab.page.wait_for_function("document.querySelector('.ms-card .ms-name')?.textContent === 'green'")
    tab.keep("webui_search")
    assert "added to txt2img" in tab.press("green", "To txt2img")
    assert re.fullmatch(r"a quiet harbour <lora:green:0\.\d+>", tab.prompt().input_value())
    tab.keep("webui_added")
    assert "taken out" in tab.press("green", "To txt2img")
    assert tab.prompt().input_value() == "a quiet harbour"


def test_trigger_words_come_along_and_img2img_has_its_own(tab: Opened):
    tab.press("red", "To img2img")
    assert re.fullmatch(r"crimson, rough <lora:red:0\.\d+>", tab.prompt("img2img").input_value())
    assert tab.prompt().input_value() == ""


def test_a_checkpoint_is_chosen_in_the_webuis_own_drop_down(tab: Opened, real: WebUI):
    chosen = tab.page.locator(".model_selection input, #setting_sd_model_checkpoint input").first
    assert not chosen.input_value().startswith("grey")
    assert "grey checkpoint" in tab.press("grey checkpoint", "Use this checkpoint")
    real.until(lambda: chosen.input_value().startswith("grey checkpoint"), 60)
    real.until(lambda: real.get("/sdapi/v1/options")["sd_model_checkpoint"].startswith("grey"), 60)


def test_a_lora_that_the_webui_lost_is_refused(tab: Opened, real: WebUI):
    path = real.base / "models" / "Lora" / "blue.safetensors"
    away = path.rename(path.with_suffix(".away"))
    try:
        real.post("/sdapi/v1/refresh-loras", {})
        assert "does not know a LoRA 'blue'" in tab.press("blue", "To txt2img")
        assert tab.prompt().input_value() == ""
    finally:
        away.rename(path)
        real.post("/sdapi/v1/refresh-loras", {})


def test_dark(real: WebUI, browser: Any):
    opened = Opened(browser, real, dark=True)
    assert opened.page.locator(".modelsearch").get_attribute("data-theme") == "dark"
    opened.card("red").hover()
    opened.keep("webui_dark")
    assert not opened.errors
    opened.page.close()


def test_the_index_view_and_the_settings(tab: Opened):
    tab.page.locator(".modelsearch .ms-tab", has_text="Index").click()
    tab.page.wait_for_selector(".modelsearch .ms-index-view .ms-block")
    tab.keep("webui_index")


def test_reload_ui_loads_it_again(real: WebUI, browser: Any):
    opened = Opened(browser, real)
    opened.page.locator("#settings_restart_gradio").dispatch_event("click")
    real.until(lambda: "Restarting UI" in real.logged(), 60)
    opened.page.close()  # reForge's server fails to come back where a page asks too early
    real.until(lambda: real.logged().count("Startup time") > 1, 240)
    real.wait_until_up()
    again = Opened(browser, real)
    assert "added" in again.press("red", "To txt2img")
    lines = [line for line in real.logged().splitlines() if "modelsearch" in line and "Error" in line]
    assert not lines and not again.errors
    again.page.close()
