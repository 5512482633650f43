"""A real WebUI whose settings name a real `modelsearch serve`: its tab, prompts and routes. Skipped without either."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.server.running import running
from tests.webui.collection import make_collection, painted
from tests.webui.host import WebUI, install
from tests.webui.test_page import Opened

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def asking(needs_webui: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A WebUI with two of a search server's LoRA, one under another name, and no index; `end` ends that server."""
    there, here = tmp_path_factory.mktemp("there"), tmp_path_factory.mktemp("here")
    catalog = make_collection(there)
    loras = here / "models" / "Lora"
    loras.mkdir(parents=True)
    shutil.copy(there / "models" / "Lora" / "red.safetensors", loras / "my crimson.safetensors")
    shutil.copy(there / "models" / "Lora" / "green.safetensors", loras)
    shutil.copytree(there / "models" / "Stable-diffusion", here / "models" / "Stable-diffusion")
    serve = running("modelsearch_core.cli", "serve", "--port", 0, "--json", "--catalog", catalog)
    with ExitStack() as ending:
        address = ending.enter_context(serve)
        install(here, modelsearch_server=address)
        server = WebUI(here)
        try:
            yield SimpleNamespace(server=server.wait_until_up(), address=address.rstrip("/"), end=ending.close)
        finally:
            server.stop()


@pytest.fixture
def tab(asking: Any, browser: Any) -> Iterator[Opened]:
    opened = Opened(browser, asking.server)
    yield opened
    assert not opened.errors
    opened.close()


def test_the_tab_searches_there_and_prompts_get_the_names_of_here(tab: Opened, tmp_path: Path):
    assert tab.page.locator(".ms-card").count() == 7
    painted("red").resize((256, 256)).save(tmp_path / "picture.png")
    tab.page.locator(".modelsearch input[type=file]").first.set_input_files(tmp_path / "picture.png")
    tab.page.wait_for_function("document.querySelector('.ms-card .ms-name')?.textContent === 'red'")
    tab.page.wait_for_function(
        "[...document.querySelectorAll('.ms-card img')].every((image) => image.naturalWidth > 0)"
    )
    tab.keep("webui_elsewhere")
    assert "added to txt2img" in tab.press("red", "To txt2img")
    # the trigger words are those of the server's index
    # and the name that of the file here, or the alias in it, as the WebUI prefers
    assert re.fullmatch(r"crimson, rough <lora:(my crimson|red):0\.\d+>", tab.prompt().input_value())


def test_what_is_not_here_has_no_buttons_for_a_prompt(tab: Opened):
    assert "To txt2img" in tab.press_label("green")
    assert not [label for label in tab.press_label("blue") if label.startswith("To ")]


def test_it_is_changed_there_only_and_nothing_is_written_here(asking: Any, tab: Opened):
    status, answer = asking.server.post("/modelsearch/index", {"action": "start"})
    assert status == 403 and answer["error"] == f"this is the index of {asking.address}; it is changed there"
    assert not tab.page.locator(".modelsearch-toolbar button").count()  # previews
    tab.page.locator(".modelsearch .ms-tab", has_text="Index").click()
    tab.page.wait_for_selector(".modelsearch .ms-index-view")
    tab.page.wait_for_selector(".ms-elsewhere")
    assert not tab.page.locator("[data-key=previews], [data-key=style]").count()
    assert not tab.page.locator(".ms-check").is_visible()
    tab.keep("webui_elsewhere_index")
    assert not (asking.server.base / "modelsearch" / "catalog.sqlite").exists()


def test_when_it_is_gone_the_tab_says_so_and_where_to_mend_it(asking: Any, browser: Any):
    asking.end()
    opened = Opened(browser, asking.server, wait_for="#modelsearch_panel")
    opened.page.wait_for_function("document.querySelector('#modelsearch_panel').textContent.includes('answer')")
    text = opened.page.locator("#modelsearch_panel").inner_text()
    assert asking.address in text and "Settings, Model Search, Search server" in text
    opened.keep("webui_elsewhere_gone")
    opened.close()
