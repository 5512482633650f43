"""What all tests share: no network, no files in the user's home, two threads, and `--slow` for the long ones."""

from __future__ import annotations

import atexit
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from modelsearch_core.places import Place
    from tests.making.postgres import PostgresServer

HOME = Path(tempfile.mkdtemp(prefix="modelsearch-tests-"))
ALSO_LOCAL = "--host-resolver-rules=MAP mypc.local 127.0.0.1"  # a name of one's own network
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
# Before anything is imported that reads them, and for the processes that tests start.
os.environ.update(
    HF_HUB_OFFLINE="1",
    TRANSFORMERS_OFFLINE="1",
    HF_HOME=str(HOME / "hub"),
    TORCH_HOME=str(HOME / "torch"),
    MODELSEARCH_HOME=str(HOME),
)
os.environ.setdefault("OMP_NUM_THREADS", "2")
# An example that takes long on a busy machine is no failure; all else as whoever runs the tests has set it.
hypothesis.settings.register_profile("patient", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also the tests with full-size models, and pyright")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow; run with --slow"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Every test, and the fixtures made for it, draw the same random numbers, whichever tests ran before."""
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A real one, for all tests that look into one; skipped where there is none. playwright bears one at a time."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        pytest.skip("no Chromium on this machine; install it, or set CHROMIUM to its path")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu", ALSO_LOCAL])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real server, for all tests that want one; skipped where there is none."""
    from tests.making.postgres import PostgresServer, what_is_missing

    if missing := what_is_missing():
        pytest.skip(missing)
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture(params=["file", "server"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Place]:
    """Makes places for catalogs, in files and on a server."""
    from modelsearch_core.places import DatabaseServer

    if request.param == "file":
        numbers = iter(range(100))
        return lambda: tmp_path / f"catalog {next(numbers)}.sqlite"
    postgres = request.getfixturevalue("postgres")
    return lambda: DatabaseServer(postgres.new_database())
