"""The real thing: `modelsearch serve` on trained models, indexed and searched in a browser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelsearch_core.mini_zoo import FOLDER, zoo_models
from tests.browser.acting import drop, names, type_text
from tests.server.running import ROOT, running
from tests.server.test_server import Client

pytestmark = pytest.mark.skipif(not (FOLDER / "world.json").is_file(), reason="the mini zoo is not in this checkout")

LORAS = ("painters/kirchenfenster", "grade_01", "painters/sternennacht", "things/Rex", "HM_0007")
LATER = "HM_0007"  # indexed in the browser
SAMPLES = 8


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zoo's base and some of its LoRA, indexed but for one."""
    folder = tmp_path_factory.mktemp("zoo")
    shutil.copytree(FOLDER / "models" / "base", folder / "models" / "base")
    for name in LORAS:
        if name != LATER:
            add(folder, name)
    words = [folder / "models", "--catalog", folder / "catalog.sqlite", "--device", "cpu", "--samples", SAMPLES]
    command = [sys.executable, "-m", "modelsearch_core.cli", "index", *words, "--encoder", FOLDER / "clip"]
    subprocess.run([str(word) for word in command], cwd=ROOT, env=os.environ, check=True)
    return folder


def add(folder: Path, name: str) -> None:
    target = folder / "models" / "loras" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    for file in (FOLDER / "models" / "loras" / name).parent.glob(f"{Path(name).name}.*"):
        shutil.copy(file, target.parent)


@pytest.fixture(scope="module")
def served(zoo: Path) -> Iterator[str]:
    words = [zoo / "models", "--catalog", zoo / "catalog.sqlite", "--device", "cpu", "--port", 0, "--json"]
    with running("modelsearch_core.cli", "serve", *words) as address:
        yield address


@pytest.fixture
def page(opened: Any, served: str) -> Any:
    page = opened(served)
    page.set_default_timeout(60_000)
    page.wait_for_selector(".ms-card:not(.ms-loading)")
    return page


def answered(page: Any, act: Any) -> list[str]:
    """The models after what was done, best first."""
    with page.expect_response("**/search") as response:
        act()
    best = json.loads(response.value.text())["matches"][0]["name"]
    page.wait_for_function(
        "name => document.querySelector('.ms-card[data-index=\"0\"] .ms-name')?.textContent === name", arg=best
    )
    return names(page)


def test_descriptions_find_their_models(page: Any):
    asked = {name: zoo_models()[name.replace("/", "__")].description for name in LORAS if name != LATER}
    places = [answered(page, lambda t=text: type_text(page, t)).index(Path(name).name) for name, text in asked.items()]
    assert sum(place == 0 for place in places) >= len(places) / 2, dict(zip(asked, places, strict=True))
    assert max(places) < 5


def test_pictures_that_nobody_trained_on_find_their_models(page: Any):
    first = 0
    for name in LORAS:
        if name == LATER:
            continue
        content = zoo_models()[name.replace("/", "__")].pictures[0].read_bytes()
        first += answered(page, lambda c=content: drop(page, c, kind="image/webp"))[0] == Path(name).name
        page.click("text=Clear")
        page.wait_for_selector(".ms-drop-hint")
    assert first >= (len(LORAS) - 1) / 2


def test_a_new_model_is_indexed_in_the_browser_and_found(zoo: Path, served: str, page: Any):
    before = Client(served)("GET", "/modelsearch/status")[1]["models"]
    add(zoo, LATER)
    page.click("[data-view=index]")
    page.click("[data-key=update]")
    page.wait_for_selector(".ms-progress")
    until = time.monotonic() + 300
    while Client(served)("GET", "/modelsearch/status")[1]["indexing"]["active"]:
        assert time.monotonic() < until
        time.sleep(0.5)
    page.wait_for_selector(".ms-state-done")
    assert Client(served)("GET", "/modelsearch/status")[1]["models"] == before + 1
    page.click("[data-view=search]")
    content = zoo_models()[LATER].pictures[0].read_bytes()
    assert LATER in answered(page, lambda: drop(page, content, kind="image/webp"))[:3]
