"""The tab's own JavaScript in Chromium, beside a stand-in for gradio that takes its time."""

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
    page.add_script_tag(content=(ROOT / "javascript" / "modelsearch.js").read_text("utf-8"))
    yield page
    page.close()


PRESSED = """(ids) => Promise.all(ids.map((id) => modelSearchToPrompt("txt2img", { id }).catch((e) => e.message)))"""


def test_buttons_that_are_pressed_at_once_each_get_their_own_answer(page: Any):
    said = page.evaluate(PRESSED, ["slow", "unknown", "quick"])
    assert said == ["<slow> added to txt2img", "not listed", "<quick> added to txt2img"]


def test_pressed_twice_what_went_in_comes_out(page: Any):
    assert page.evaluate(PRESSED, ["slow", "slow"]) == ["<slow> added to txt2img", "<slow> taken out of txt2img"]
    assert page.evaluate("asked.map((question) => question.added)") == [None, {"words": ["slow"]}]


def test_no_answer_is_told_and_a_late_one_is_not_taken_for_the_next(page: Any):
    page.clock.install()
    silent = page.evaluate_handle("({ said: modelSearchToPrompt('txt2img', { id: 'slow' }).catch((e) => e.message) })")
    page.evaluate("modelSearch.waiting ?? new Promise((done) => queueMicrotask(done))")
    page.evaluate("modelSearchTold(JSON.stringify({ id: 99, done: 'added', tag: 'another', added: null }))")
    assert page.evaluate("modelSearch.waiting.id") == 1
    page.clock.run_for(50)  # gradio has looked at the question, and does not answer
    page.evaluate("modelSearch.waiting.id = -1")
    page.clock.run_for(61_000)
    assert "did not answer" in page.evaluate("(one) => one.said", silent)
    next_one = page.evaluate_handle("({ said: modelSearchToPrompt('txt2img', { id: 'quick' }) })")
    page.evaluate("new Promise((done) => queueMicrotask(done))")
    page.clock.run_for(1000)
    assert page.evaluate("(one) => one.said", next_one) == "<quick> added to txt2img"
