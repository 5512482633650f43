"""What scores are compared with."""

from __future__ import annotations

import pytest

from modelsearch_core import background
from modelsearch_core.background import TEMPLATE, Form, background_texts, compared_texts, form_of


def test_there_are_as_many_as_asked_for_and_hardly_one_twice():
    texts = background_texts()
    assert len(texts) == 512
    assert len(set(texts)) > 500
    assert len(background_texts(100)) == 100


def test_they_are_the_same_every_time_and_other_ones_for_another_seed():
    first = background_texts(64, 3)
    background_texts.cache_clear()
    assert background_texts(64, 3) == first
    assert background_texts(64, 4) != first


def test_without_timm_the_projects_own_names_are_enough(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(background, "imagenet_names", lambda: [])
    background_texts.cache_clear()
    texts = background_texts()
    background_texts.cache_clear()
    assert len(set(texts)) == 512
    assert all(text.startswith(TEMPLATE.format("")) for text in texts)


def test_texts_are_compared_with_names_as_people_write_them_and_with_prompts():
    texts = compared_texts()
    prompts = [text for text in texts if form_of(text) is Form.PROMPT]
    framed = [text for text in texts if text.startswith(TEMPLATE.format(""))]
    assert len(prompts) >= 120 and len(framed) >= 120 and len(texts) - len(prompts) - len(framed) >= 110
    assert all(len(text.split(", ")) >= 3 for text in prompts)
    assert set(framed) <= set(background_texts())  # what an older index knows, too


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("teapot", Form.NAME),
        ("red sports car", Form.NAME),
        ("A teapot", Form.SENTENCE),
        ("an orange", Form.SENTENCE),
        ("rain on a window", Form.SENTENCE),
        ("teapot, oil painting", Form.PROMPT),
        ("茶壶，油画", Form.PROMPT),
    ],
)
def test_how_a_text_is_written(text: str, form: Form):
    assert form_of(text) is form
