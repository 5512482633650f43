"""The tab in Chromium, on a real WebUI. `MODELSEARCH_SCREENSHOTS` names a folder to keep pictures of it in."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from PIL import Image, PngImagePlugin

from tests.webui.collection import make_collection, painted
from tests.webui.host import WebUI, install, is_sdnext

pytestmark = pytest.mark.timeout(900)
PATIENCE = 180_000  # milliseconds
OF_SDNEXT = {"txt2img": "Text", "PNG Info": "Process"}  # what it calls these tabs
RELOADED = "sessionStorage.setItem('physton_icon_refreshed', '1')"  # else a fork of Neo loads its page again, once
HOSTS_OWN = "reading 'props'"  # gradio 3 raises it after any generation, also where no extension is installed


class Opened:
    """A page of the WebUI with our tab open."""

    def __init__(
        self,
        browser: Any,
        server: WebUI,
        dark: bool = False,
        *,
        address: str = "",
        title: str = "Model Search",
        wait_for: str = ".modelsearch .ms-card .ms-name",
    ) -> None:
        self.errors: list[str] = []
        self.page = browser.new_page(viewport={"width": 1360, "height": 940}, locale="en-GB")
        self.page.set_default_timeout(PATIENCE)
        self.page.route(re.compile(r"^https?://(?!127\.0\.0\.1|localhost|mypc\.local)"), lambda route: route.abort())
        self.page.add_init_script(RELOADED)
        self.page.on("pageerror", self._raised)
        self._sockets: list[Any] = []
        self.page.on("websocket", lambda opened: self._sockets.append(opened))  # it takes no builtin
        self.page.on("response", self._answered)
        address = address or server.address
        self.page.goto(f"{address}/?__theme={'dark' if dark else 'light'}", wait_until="domcontentloaded")
        self.page.wait_for_function("typeof opts === 'object' && Object.keys(opts).length > 10")
        self.tab(title)
        self.page.wait_for_selector(wait_for)

    def rest(self) -> None:
        """Until all that it waits for in gradio 3's queue has been answered: a server that a page has left meanwhile
        never ends, so its "Reload UI" never comes back, whatever is installed."""
        waited = 0
        while any("/queue/" in socket.url and not socket.is_closed() for socket in self._sockets):
            assert waited < PATIENCE, "the WebUI does not answer its own page"
            self.page.wait_for_timeout(100)
            waited += 100

    def close(self) -> None:
        self.rest()
        self.page.close()

    def tab(self, title: str) -> None:
        """Opens one of the WebUI's own."""
        title = OF_SDNEXT.get(title, title) if is_sdnext() else title
        of_old = self.page.locator("#tabs > .tab-nav > button", has_text=re.compile(rf"^\s*{title}\s*$", re.IGNORECASE))
        self.page.get_by_role("tab", name=title, exact=True).or_(of_old).first.click()

    def _raised(self, error: Any) -> None:
        if not (HOSTS_OWN in str(error) and "/assets/Blocks-" in (error.stack or "")):
            self.errors.append(str(error))

    def _answered(self, response: Any) -> None:
        if "/modelsearch/" in response.url and response.status >= 400 and response.status != 403:
            self.errors.append(f"{response.status} {response.url}")

    def prompt(self, tab: str = "txt2img") -> Any:
        return self.page.locator(f"#{tab}_prompt textarea")

    def card(self, name: str) -> Any:
        return self.page.locator(".ms-card").filter(has=self.page.locator(".ms-name", has_text=re.compile(f"^{name}$")))

    def press(self, name: str, action: str) -> str:
        """What the panel says after it."""
        known = "() => document.querySelectorAll('.ms-toast').forEach((toast) => toast.classList.add('known'))"
        self.page.evaluate(known)  # those that are there may go before the new one comes
        self.card(name).hover()
        self.card(name).get_by_role("button", name=action).click()
        self.page.wait_for_selector(".ms-toast:not(.known)")
        return self.page.locator(".ms-toast:not(.known)").last.inner_text()

    def press_label(self, name: str) -> list[str]:
        """What the buttons of a card are called."""
        self.card(name).hover()
        buttons = self.card(name).locator(".ms-quick button").all()
        return [button.get_attribute("aria-label") or button.inner_text() for button in buttons]

    def keep(self, name: str) -> None:
        if folder := os.environ.get("MODELSEARCH_SCREENSHOTS"):
            self.page.wait_for_timeout(800)
            self.page.screenshot(path=str(Path(folder, f"{name}.png")))


def opened(webui: WebUI, browser: Any) -> Iterator[Opened]:
    """The tab, whose page in the end has had no error."""
    tab = Opened(browser, webui)
    yield tab
    assert not tab.errors
    tab.close()


@pytest.fixture
def tab(real: WebUI, browser: Any) -> Iterator[Opened]:
    yield from opened(real, browser)


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

    def kept() -> bool:
        option = real.get("/sdapi/v1/options")["sd_model_checkpoint"] or ""
        return option.startswith("grey") and chosen.input_value().startswith("grey checkpoint")

    # AUTOMATIC1111 loads it at once, and goes back to the one before where that fails, as of these small files.
    tried = "changing setting sd_model_checkpoint to grey checkpoint"
    real.until(lambda: kept() or tried in real.logged(), 60)


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


def test_what_the_user_wrote_stays_as_a_lora_goes_out(tab: Opened):
    tab.prompt().evaluate("(area) => { area.value = 'crimson, a quiet harbour'; updateInput(area); }")
    tab.page.locator(".modelsearch-toolbar input").fill("0.35")
    tab.press("red", "To txt2img")
    assert tab.prompt().input_value() == "crimson, a quiet harbour, rough <lora:red:0.35>"
    tab.press("red", "To txt2img")
    assert tab.prompt().input_value() == "crimson, a quiet harbour"
    tab.page.locator(".modelsearch-toolbar input").fill("")


def test_two_buttons_that_are_pressed_at_once_both_do_their_work(tab: Opened):
    cards = [tab.card(name) for name in ("red", "green")]
    buttons = [card.get_by_role("button", name="To txt2img", include_hidden=True).element_handle() for card in cards]
    tab.page.evaluate("(buttons) => buttons.forEach((button) => button.click())", buttons)
    tab.page.wait_for_function("document.querySelectorAll('.ms-toast').length >= 2")
    assert re.fullmatch(r"crimson, rough <lora:red:0\.\d+> <lora:green:0\.\d+>", tab.prompt().input_value())
    assert "taken out" in tab.press("red", "To txt2img")
    assert re.fullmatch(r"<lora:green:0\.\d+>", tab.prompt().input_value())


def test_a_sketch_is_drawn_and_searched_by(tab: Opened):
    tab.page.click(".modelsearch button[aria-label='Draw a sketch']")
    box = tab.page.locator(".ms-canvas").bounding_box()
    tab.page.mouse.move(box["x"] + 40, box["y"] + 40)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + 200, box["y"] + 90, steps=6)
    tab.page.mouse.up()
    with tab.page.expect_response("**/modelsearch/search") as answered:
        tab.page.locator(".ms-sketch .ms-primary").click()
    assert answered.value.status == 200
    tab.page.wait_for_selector(".ms-chip img")
    tab.keep("webui_sketch")


def test_a_picture_is_searched_by_its_style(tab: Opened, tmp_path: Path):
    painted("blue").resize((256, 256)).save(tmp_path / "picture.png")
    tab.page.locator(".modelsearch input[type=file]").first.set_input_files(tmp_path / "picture.png")
    slider = tab.page.locator(".ms-style input")
    slider.wait_for()
    by_style = lambda reply: re.search(rb'"style": ?1', reply.request.post_data_buffer or b"") is not None  # noqa: E731
    with tab.page.expect_response(by_style) as answered:  # the first search may not be answered yet
        slider.focus()
        tab.page.keyboard.press("End")
    assert answered.value.status == 200
    tab.keep("webui_style")
    above_the_track = Image.open(io.BytesIO(slider.screenshot())).convert("RGB").crop((20, 3, 60, 6))
    assert len(above_the_track.getcolors()) == 1  # as the panel draws it, not as the WebUI's theme does its own


def test_a_question_stays_where_a_card_is_of_no_model_of_the_index(tab: Opened):
    question = tab.page.locator(".modelsearch .ms-input").first
    question.fill("red")
    tab.page.wait_for_function("document.querySelector('.ms-card .ms-relevance') !== null")
    tab.page.evaluate("modelSearchSimilar('lora', 'nobody')")
    tab.page.wait_for_selector(".ms-toast-error")
    tab.page.evaluate("modelSearchBy('/no-picture.png')")
    tab.page.wait_for_function("document.querySelectorAll('.ms-toast-error').length === 2")
    assert question.input_value() == "red"
    tab.errors.clear()  # both were refused


def test_a_card_of_extra_networks_finds_models_like_its_own(tab: Opened):
    tab.tab("txt2img")
    if is_sdnext() and not tab.page.locator("#txt2img_extra_tabs").is_visible():  # a setting
        tab.page.locator("#txt2img_extra_networks_btn").click()
    lora = tab.page.locator("#txt2img_extra_tabs button", has_text=re.compile(r"^\s*Lora\s*$")).first
    lora.click()
    card = tab.page.locator("#txt2img_lora_cards .card[data-name='red']")
    card.hover()
    tab.keep("webui_card")
    assert card.locator(".modelsearch-button").count() == 1  # none for its picture: it has none
    card.locator(".modelsearch-button").first.click()
    tab.page.wait_for_selector(".modelsearch .ms-chip")
    tab.page.wait_for_function("document.querySelector('.ms-card .ms-relevance') !== null")
    assert "red" in tab.page.locator(".modelsearch .ms-chip").first.inner_text()
    tab.keep("webui_similar")


def test_png_info_says_which_model_made_a_picture_and_finds_others(tab: Opened, tmp_path: Path):
    said = PngImagePlugin.PngInfo()
    said.add_text("parameters", "a harbour <lora:green:0.8>\nSteps: 20, Sampler: Euler, Model: elsewhere")
    painted("red").resize((256, 256)).save(tmp_path / "picture.png", pnginfo=said)
    tab.tab("PNG Info")
    place = "#extras_image" if is_sdnext() else "#pnginfo_image"
    tab.page.locator(f"{place} input[type=file]").set_input_files(tmp_path / "picture.png")
    tab.page.wait_for_selector(f"{place} img")
    buttons = tab.page.locator(".modelsearch-row .modelsearch-button")
    buttons.first.click()
    dialog = tab.page.locator(".modelsearch-makers")
    dialog.wait_for()
    assert "green" in dialog.locator("li").first.inner_text()
    assert "named in the file" in dialog.locator("li").first.inner_text()
    assert "elsewhere" in dialog.inner_text()
    tab.keep("webui_makers")
    tab.page.evaluate("document.addEventListener('keydown', () => (window.heard = true))")
    tab.page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert not tab.page.evaluate("window.heard")  # the WebUI would interrupt the picture that it makes
    assert tab.page.locator(place).is_visible()  # where it was asked
    buttons.first.click()
    dialog.locator("li button").first.click()
    tab.page.wait_for_selector(".modelsearch .ms-chip")
    assert "green" in tab.page.locator(".modelsearch .ms-chip").first.inner_text()
    tab.tab("PNG Info")
    with tab.page.expect_response("**/modelsearch/search") as answered:
        buttons.last.click()
    assert answered.value.status == 200
    tab.page.wait_for_function("document.querySelector('.ms-card .ms-name')?.textContent === 'red'")
    assert not tab.page.locator(".modelsearch .ms-chip", has_text="green").count()  # what was asked before


def test_previews_are_asked_for_once_and_written_where_there_is_none(tab: Opened, real: WebUI):
    loras = real.base / "models" / "Lora"
    own = loras / "yellow.png"
    painted("yellow").save(own)
    before = own.read_bytes()
    asked: list[str] = []
    tab.page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept()))
    try:
        tab.page.locator(".modelsearch-toolbar button").click()
        tab.page.wait_for_selector(".ms-toast")
        assert "(4)" in asked[0] and len(asked) == 1
        assert "4" in tab.page.locator(".ms-toast").last.inner_text()
        assert len(list(loras.rglob("*.preview.png"))) == 4 and own.read_bytes() == before
    finally:
        for path in [own, *loras.rglob("*.preview.png")]:
            path.unlink()


def test_a_name_that_is_refused_is_told_in_the_page(real: WebUI, browser: Any):
    """`mypc.local` leads here, as a name of one's own network does."""
    away = Opened(browser, real, address=real.address.replace("127.0.0.1", "mypc.local"), wait_for="#modelsearch_panel")
    away.page.wait_for_function("document.querySelector('#modelsearch_panel').textContent.includes('mypc.local')")
    text = away.page.locator("#modelsearch_panel").inner_text()
    assert "Names under which a browser reaches this WebUI" in text
    away.keep("webui_refused")
    away.close()


def pump(source: socket.socket, to: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while sent := source.recv(1 << 16):
            to.sendall(sent)
        to.shutdown(socket.SHUT_WR)


class Stripping(BaseHTTPRequestHandler):
    """A reverse proxy that serves the WebUI below /sd."""

    upstream = ""
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        path = self.path.removeprefix("/sd") or "/"
        if self.headers.get("Upgrade"):
            self._tunnel(path)
            return
        length = int(self.headers.get("Content-Length") or 0)
        sent = {name: value for name, value in self.headers.items() if name.lower() != "accept-encoding"}
        request = Request(self.upstream + path, self.rfile.read(length) or None, sent, method=self.command)
        try:
            reply = urlopen(request, timeout=120)
        except HTTPError as error:
            reply = error
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        self.end_headers()
        shutil.copyfileobj(reply, self.wfile)

    def _tunnel(self, path: str) -> None:
        """A WebSocket: gradio 3 runs everything through one."""
        upstream = urlsplit(self.upstream)
        with socket.create_connection((upstream.hostname or "", upstream.port or 80)) as line:
            head = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers.items())]
            line.sendall("\r\n".join([*head, "", ""]).encode())
            threading.Thread(target=pump, args=(line, self.connection), daemon=True).start()
            pump(self.connection, line)

    do_POST = do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def proxied(needs_webui: None, tmp_path: Path) -> Iterator[tuple[WebUI, str]]:
    """A WebUI in German below a path of a reverse proxy."""
    if is_sdnext():
        pytest.skip("SD.Next keeps its languages elsewhere")
    install(tmp_path, localization="de_DE")
    make_collection(tmp_path)
    server = WebUI(tmp_path, "--subpath", "sd")
    handler = type("Handler", (Stripping,), {"upstream": server.address})
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        yield server.wait_until_up(), f"http://127.0.0.1:{proxy.server_port}/sd"
    finally:
        proxy.shutdown()
        server.stop()


def test_below_a_path_of_a_proxy_and_in_another_language(proxied: tuple[WebUI, str], browser: Any):
    server, address = proxied
    opened = Opened(browser, server, address=address, title="Modellsuche")
    assert "In txt2img" in opened.press_label("red")
    opened.page.wait_for_function(
        "[...document.querySelectorAll('.ms-card img')].every((image) => image.naturalWidth > 0)"
    )
    said = opened.press("red", "In txt2img")
    assert "in txt2img eingefügt" in said
    assert opened.prompt().input_value().startswith("crimson, rough <lora:red:")
    opened.keep("webui_german")
    assert not opened.page.get_by_text("Connection errored out").count()
    assert not opened.errors
    opened.close()


@pytest.fixture
def below(needs_webui: None, tmp_path: Path) -> Iterator[tuple[WebUI, str]]:
    """SD.Next below a path, which its proxy leaves as it is."""
    if not is_sdnext():
        pytest.skip("it leaves the path to the proxy")
    install(tmp_path)
    make_collection(tmp_path)
    server = WebUI(tmp_path, "--subpath", "sd")
    try:
        yield server.wait_until_up(), f"{server.address}/sd"
    finally:
        server.stop()


def test_below_a_path_that_sdnext_serves_itself(below: tuple[WebUI, str], browser: Any):
    server, address = below
    opened = Opened(browser, server, address=address)
    opened.page.wait_for_function(
        "[...document.querySelectorAll('.ms-card img')].every((image) => image.naturalWidth > 0)"
    )
    assert "added to txt2img" in opened.press("red", "To txt2img")
    assert opened.prompt().input_value().startswith("crimson, rough <lora:red:")
    opened.keep("webui_subpath")
    assert not opened.errors
    opened.close()


def test_dark(real: WebUI, browser: Any):
    opened = Opened(browser, real, dark=True)
    assert opened.page.locator(".modelsearch").get_attribute("data-theme") == "dark"
    opened.card("red").hover()
    opened.keep("webui_dark")
    assert not opened.errors
    opened.close()


def test_a_narrow_window_cuts_nothing_off(tab: Opened):
    tab.page.set_viewport_size({"width": 480, "height": 900})
    right = lambda found: (box := tab.page.locator(found).bounding_box())["x"] + box["width"]  # noqa: E731
    assert right(".modelsearch-toolbar button") <= right("#modelsearch_panel")
    tab.keep("webui_narrow")


def test_the_index_view_and_the_settings(tab: Opened):
    tab.page.locator(".modelsearch .ms-tab", has_text="Index").click()
    tab.page.wait_for_selector(".modelsearch .ms-index-view .ms-block")
    heading = tab.page.locator(".modelsearch .ms-index-view h2").first
    assert heading.evaluate("(heading) => getComputedStyle(heading).marginTop") == "0px"  # SD.Next moves all down
    tab.keep("webui_index")


def test_reload_ui_loads_it_again(real: WebUI, browser: Any):
    if is_sdnext():
        pytest.skip("SD.Next starts anew instead")
    opened = Opened(browser, real)
    opened.rest()
    opened.page.locator("#settings_restart_gradio").dispatch_event("click")
    real.until(lambda: "Restarting UI" in real.logged(), 60)
    opened.page.close()  # reForge's server fails to come back where a page asks too early
    real.until(lambda: real.logged().count("Startup time") > 1, 240)
    real.wait_until_up()
    again = Opened(browser, real)
    assert "added" in again.press("red", "To txt2img")
    lines = [line for line in real.logged().splitlines() if "modelsearch" in line and "Error" in line]
    assert not lines and not again.errors
    again.close()
