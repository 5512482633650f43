"""From the answer to the first card: `python benchmarks/first_card.py [--models 20000]`.

Opens the panel on its own in Chromium (playwright, Debian's browser) over a catalogue of so many models and tells, of
several openings and of searches, how long after an answer's last byte its first card is there; and how many pictures
are asked for while the whole list flies past. Writes benchmarks/results/first_card.json, which docs/results_speed.md
has a line of.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser.acting import type_text
from tests.making.collections import fill_catalog
from tests.making.fakes import COLOURS
from tests.server.running import running

RESULT = ROOT / "benchmarks" / "results" / "first_card.json"
CHROMIUM = "/usr/bin/chromium"
TURNS = 5
SHOWN = """(asked) => new Promise((done) => {
    const look = () => {
        const answers = performance.getEntriesByType("resource").filter((each) => each.name.includes(asked));
        const card = document.querySelector(".ms-card:not(.ms-loading)");
        if (card && answers.length) done({
            after: performance.now() - answers.at(-1).responseEnd, bytes: answers.at(-1).decodedBodySize
        });
        else requestAnimationFrame(look);
    };
    look();
})"""
CHANGED = """(before) => new Promise((done) => {
    const look = () => {
        const answers = performance.getEntriesByType("resource").filter((each) => each.name.endsWith("/search"));
        const card = document.querySelector(".ms-card[data-index='0']:not(.ms-loading)");
        if (answers.length > before.answers && card && card.innerText.includes(before.text)) done({
            after: performance.now() - answers.at(-1).responseEnd, bytes: answers.at(-1).decodedBodySize
        });
        else requestAnimationFrame(look);
    };
    look();
})"""
FLING = """async () => {
    const scroller = document.querySelector(".ms-scroll");
    const step = scroller.scrollHeight / 120;
    for (let n = 0; n <= 120; n++) {
        scroller.scrollTop += step;
        await new Promise(requestAnimationFrame);
    }
}"""


def opening(page: Page, address: str) -> dict[str, float]:
    page.goto(address, wait_until="commit")
    return page.evaluate(SHOWN, "/models?")


def searching(page: Page, colour: str) -> dict[str, float]:
    answers = page.evaluate(
        "() => performance.getEntriesByType('resource').filter((each) => each.name.endsWith('/search')).length"
    )
    type_text(page, colour)
    return page.evaluate(CHANGED, {"answers": answers, "text": colour})


def flying(page: Page, models: int) -> int:
    """Pictures that were asked for."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(FLING)
    page.wait_for_selector(f".ms-card[data-index='{models - 1}']:not(.ms-loading)", timeout=60_000)
    page.wait_for_load_state("networkidle")
    return sum("/samples/" in url for url in asked)


def measure(address: str, models: int) -> dict[str, Any]:
    opened: list[dict[str, float]] = []
    found: list[dict[str, float]] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for _ in range(TURNS):
            page = _page(browser)
            opened.append(opening(page, address))
            page.wait_for_load_state("networkidle")
            found += [searching(page, colour) for colour in COLOURS]
            page.close()  # one that is not looked at draws no frames
        page = _page(browser)
        opening(page, address)
        page.wait_for_load_state("networkidle")
        pictures = flying(page, models)
        browser.close()
    return {
        "models": models,
        "list": {name: statistics.median(each[name] for each in opened) for name in ("after", "bytes")},
        "search": {name: statistics.median(each[name] for each in found) for name in ("after", "bytes")},
        "pictures": pictures,
    }


def _page(browser: Browser) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(60_000)
    page.add_init_script("performance.setResourceTimingBufferSize(10_000)")  # of 250, a few answers' pictures use all
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=20_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "models").mkdir()
        fill_catalog(folder / "catalog.sqlite", args.models)
        with running("tests.server.colour_server", folder) as address:
            found = measure(address, args.models)
    RESULT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
