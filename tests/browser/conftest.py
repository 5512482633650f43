"""A real browser, and the real server behind it. Skipped where there is no Chromium or no playwright."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.indexing.folders import make_folder
from tests.server.running import running
from tests.server.test_server import Client

NAMES = ["base checkpoint", "red", "green", "blue", "yellow", "red blue", "broken pink"]


@pytest.fixture(scope="session")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an indexed colour world."""
    folder = tmp_path_factory.mktemp("browser")
    make_folder(folder / "models", NAMES)
    with running("tests.server.colour_server", folder, "--broken", "broken pink") as address:
        Client(address).indexed()
        yield address


class Opened:
    """A page with what went wrong on it."""

    def __init__(self, browser: Any, size: tuple[int, int], **options: Any) -> None:
        viewport = {"width": size[0], "height": size[1]}
        self.context = browser.new_context(**{"viewport": viewport, "locale": "en-GB", **options})
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._heard)
        self.page.on("response", self._answered)

    def _answered(self, response: Any) -> None:
        """What the panel asks for by itself is there; only what a user sends may be refused."""
        if response.status >= 400 and response.request.method == "GET":
            self.errors.append(f"{response.status} {response.url}")

    def _heard(self, message: Any) -> None:
        asked_for = "status of 4" in message.text or "ERR_INTERNET_DISCONNECTED" in message.text
        if message.type == "error" and not asked_for:
            self.errors.append(message.text)


@pytest.fixture
def opened(browser: Any) -> Iterator[Any]:
    """Opens addresses in pages of their own; afterwards no script may have failed."""
    pages: list[Opened] = []

    def open_page(address: str, size: tuple[int, int] = (1100, 800), **options: Any) -> Any:
        made = Opened(browser, size, **options)
        pages.append(made)
        made.page.set_default_timeout(20_000)
        made.page.goto(address)
        made.page.wait_for_selector(".modelsearch")
        return made.page

    yield open_page
    errors = [error for made in pages for error in made.errors]
    for made in pages:
        made.context.close()
    assert errors == []


@pytest.fixture
def page(opened: Any, colours: str) -> Any:
    """The panel on the indexed colour world, ready."""
    page = opened(colours)
    page.wait_for_selector(".ms-card:not(.ms-loading)")
    return page


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder with models that nothing was done with yet."""
    make_folder(tmp_path / "models", NAMES)
    return tmp_path
