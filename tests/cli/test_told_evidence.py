"""What lists and answers say of the pictures that a model was judged by."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from modelsearch_core.cli.reports import _pictures
from modelsearch_core.cli.search import _evidence
from modelsearch_core.specification import Evidence


def told(evidence: Evidence = Evidence.GENERATED, samples: int = 16, users: int = 0, guessed: bool = False) -> Any:
    return SimpleNamespace(evidence=evidence, samples=samples, users_pictures=users, guessed=guessed)


@pytest.mark.parametrize(
    ("match", "words"),
    [
        (told(), "generated 16"),
        (told(users=5), "generated 16 + 5 of yours"),
        (told(Evidence.PICTURES, 12), "pictures 12"),
        (told(Evidence.METADATA, 0, guessed=True), "metadata, guessed"),
    ],
)
def test_an_answer_says_how_many_pictures_it_rests_on(match: Any, words: str):
    assert _evidence(match) == words


def test_a_list_counts_the_users_pictures_beside():
    assert _pictures(told(users=5)) == "16 + 5 of yours"
    assert _pictures(told()) == "16"
