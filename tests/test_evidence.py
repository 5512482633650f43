"""Evidence: what is true of each, and that the panel and the API's description have a word for it."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from modelsearch_core.panel.description import description
from modelsearch_core.specification import EVIDENCE_ORDER, Evidence

WORDS = (Path(__file__).parents[1] / "web" / "strings.mjs").read_text("utf-8")
LANGUAGES = 3
every_one = pytest.mark.parametrize("evidence", EVIDENCE_ORDER)


KNOWN = ["generated", "pictures", "preview", "weights", "metadata"]  # what newer evidence leaves as it was


def test_the_best_comes_first_and_renderings_stand_beside_all():
    assert EVIDENCE_ORDER[0] is Evidence.GENERATED
    assert [each.value for each in EVIDENCE_ORDER if each in KNOWN] == KNOWN
    assert set(Evidence) - set(EVIDENCE_ORDER) == {Evidence.REFERENCE}


def test_what_is_true_of_each():
    def those(name: str) -> set[str]:
        return {each.value for each in Evidence if each.value in {*KNOWN, "reference"} and getattr(each, name)}

    assert those("is_seen") == {"generated", "pictures", "preview", "reference"}
    assert those("is_dense") == {"generated", "pictures"}
    assert those("has_mean") == {"generated", "pictures", "preview", "weights"}
    assert those("is_made") == {"generated", "reference"}


@every_one
def test_it_is_worth_less_than_generated_pictures(evidence: Evidence):
    assert evidence.worth is None or 0 < evidence.worth <= Evidence.GENERATED.worth


@every_one
def test_it_is_known_by_its_name(evidence: Evidence):
    assert Evidence(evidence.value) is evidence == evidence.value
    assert pickle.loads(pickle.dumps(evidence)) is evidence


@every_one
def test_it_is_told_in_the_panel_and_in_the_description(evidence: Evidence):
    assert len(re.findall(rf"^  {evidence.value}: ", WORDS, re.MULTILINE)) == LANGUAGES
    assert re.search(rf"^  {evidence.value}_hint: ", WORDS, re.MULTILINE)
    assert evidence.told in description()["components"]["schemas"]["Evidence"]["description"]
