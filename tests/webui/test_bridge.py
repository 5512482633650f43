"""The extension's JavaScript in Chromium, beside a stand-in for gradio that takes its time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.webui.host import ROOT

GRADIO = """
const gradioApp = () => document, onUiLoaded = () => undefined;
const asked = [], wait = (ms) => new Promise((done) => setTimeout(done, ms));
document.querySelector("#modelsearch_go").addEventListener("click", async () => {
  await wait(20);
  const question = JSON.parse(modelSearchAsked());
  asked.push(question);
  if (question.model === "silent") return;
  await wait(question.model === "slow" ? 120 : 10);
  const { id, model } = question, tag = `<${model}>`;
  const added = { id, done: "added", tag, added: { words: [model] } };
  const answer = question.added ? { id, done: "taken out", tag, added: null } : added;
  modelSearchTold(JSON.stringify(model === "unknown" ? { id, error: "not listed" } : answer));
});
"""


@pytest.fixture
def page(browser: Any) -> Any:
    page = browser.new_page()
    page.set_content('<button id="modelsearch_go"></button>')
    page.add_script_tag(content=GRADIO)
    for name in ("modelsearch.js", "modelsearch_places.js"):
        page.add_script_tag(content=(ROOT / "javascript" / name).read_text("utf-8"))
    yield page
    page.close()


PRESSED = """(ids) => Promise.all(ids.map((id) => modelSearchToPrompt("txt2img", { id }).catch((e) => e.message)))"""


def test_buttons_that_are_pressed_at_once_each_get_their_own_answer(page: Any):
    said = page.evaluate(PRESSED, ["slow", "unknown", "quick"])
    assert said == ["<slow> added to txt2img", "not listed", "<quick> added to txt2img"]


def test_pressed_twice_what_went_in_comes_out(page: Any):
    assert page.evaluate(PRESSED, ["slow", "slow"]) == ["<slow> added to txt2img", "<slow> taken out of txt2img"]
    assert page.evaluate("asked.map((question) => question.added)") == [None, {"words": ["slow"]}]


def test_no_answer_is_told_and_one_that_comes_too_late_is_not_taken_for_the_next(page: Any):
    page.clock.install()
    pressed = "(id) => ({ said: modelSearchToPrompt('txt2img', { id }).catch((error) => error.message) })"
    first = page.evaluate_handle(pressed, "silent")
    page.clock.run_for(61_000)
    assert "did not answer" in page.evaluate("(first) => first.said", first)
    second = page.evaluate_handle(pressed, "quick")
    late = {"id": 1, "done": "added", "tag": "<silent>", "added": None}
    page.evaluate("(late) => Promise.resolve().then(() => modelSearchTold(JSON.stringify(late)))", late)
    page.clock.run_for(1000)
    assert page.evaluate("(second) => second.said", second) == "<quick> added to txt2img"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("/file=/models/Lora/my missing.png", ["≈", "🔎"]),
        ("/sd_extra_networks/thumb?filename=%2Fmodels%2Fink.png&mtime=1", ["≈", "🔎"]),
        ("/sd_extra_networks/thumb?filename=ui%2Fassets%2Fmissing.png&mtime=1", ["≈"]),
        ("/sd_extra_networks/thumb?filename=html/card-no-preview.png&mtime=1", ["≈"]),
        ("", ["≈"]),
    ],
)
def test_a_card_is_searched_by_a_picture_that_is_its_own(page: Any, source: str, expected: list[str]):
    picture = f'<img class="preview" src="{source}">' if source else ""
    card = f'<div class="card" data-name="ink">{picture}</div>'
    cards = f'<div id="txt2img_lora_cards" class="extra-network-cards">{card}</div>'
    page.evaluate("(cards) => document.body.insertAdjacentHTML('beforeend', cards)", cards)
    page.evaluate("modelSearchCard({ target: document.querySelector('.card') })")
    assert page.locator(".card .modelsearch-button").all_inner_texts() == expected
