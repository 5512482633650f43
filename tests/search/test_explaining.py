"""Why a model stands where it does: the parts add up, the nearest samples are its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelsearch_core.search import ModelIndex, Query
from modelsearch_core.search.explaining import contributions
from modelsearch_core.search.yardstick import Yardstick
from tests.making.fakes import COLOURS, ColourEncoder
from tests.panel.conftest import fill


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("explaining")) / "catalog.sqlite"


@pytest.fixture
def colours(catalog: Path) -> ModelIndex:
    return ModelIndex.open(catalog, encoder=ColourEncoder())


def patch(name: str) -> Image.Image:
    picture = Image.new("RGB", (16, 16), (128, 128, 128))
    picture.paste(COLOURS[name], (0, 0, 10, 10))
    return picture


QUERIES = (
    Query(text=["red"]),
    Query(images=[patch("green")]),
    Query(sketches=[patch("blue")]),
    Query(like=["blue"]),
    Query(text=["red"], images=[patch("blue")], without=["green"], weights=[1.0, 2.0, 0.5]),
)


@pytest.mark.parametrize("query", QUERIES)
def test_contributions_add_up_to_the_score(colours: ModelIndex, query: Query):
    for match in colours.search(query):
        assert sum(e.contribution for e in match.explanation) == pytest.approx(match.score)


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("method", ["auto", "gaussian", "first_moment"])
def test_methods_add_up_to_each_input_s_score(colours: ModelIndex, query: Query, method: str):
    for match in colours.search(query, method=method):
        for input in match.explanation:
            assert input.methods
            assert sum(m.weight * m.z for m in input.methods) == pytest.approx(input.score)


def test_a_score_is_read_by_median_spread_and_hub(colours: ModelIndex):
    for match in colours.search(Query(text=["red"], images=[patch("blue")])):
        for input in match.explanation:
            for m in input.methods:
                assert (m.score - m.hub - m.median) / m.spread == pytest.approx(m.z, abs=1e-5)


def test_a_model_that_everybody_is_near_to_has_a_hub_taken_off():
    bank = np.random.default_rng(0).normal(size=(200, 40))
    bank[:, 0] += 3
    yardstick = Yardstick.of(bank, np.zeros(40, np.intp))
    scores = np.zeros(40)
    hub, other = yardstick.reading(scores, 0), yardstick.reading(scores, 7)
    assert hub.hub > 1 > abs(other.hub)
    assert hub.z < other.z
    assert hub.z == pytest.approx(yardstick.z(scores)[0])
    assert (hub.score - hub.hub - hub.median) / hub.spread == pytest.approx(hub.z)


def test_the_nearest_samples_are_the_model_s_own_with_their_cosine(colours: ModelIndex):
    match = colours.search(Query(images=[patch("red")]))[0]
    (input,) = match.explanation
    cosines = [sample.cosine for sample in input.nearest]
    assert cosines == sorted(cosines, reverse=True)
    assert [sample.number for sample in input.nearest] == list(match.thumbnails[: len(cosines)])
    shown = colours.sample(match.id, input.nearest[0].number)
    assert shown is not None
    seen = ColourEncoder().encode_images([shown, patch("red")])
    assert cosines[0] == pytest.approx(float(seen[0] @ seen[1]), abs=2e-3)


def test_a_model_known_by_words_has_no_samples_to_show(colours: ModelIndex):
    match = next(m for m in colours.search(Query(text=["pink"])) if m.name == "broken pink")
    assert match.explanation[0].nearest == ()


def test_what_is_not_wanted_only_counts_against():
    assert contributions([2.0, -3.0], [1.0, -1.0]) == [2.0, 0.0]
    assert contributions([2.0, 3.0], [1.0, -1.0])[1] == -3.0
    assert contributions([float("nan"), 1.0], [1.0, 1.0])[0] == 0.0


@pytest.mark.parametrize("method", ["auto", "style", "paired_difference"])
def test_an_answer_is_json_that_browsers_read(colours: ModelIndex, method: str):
    matches = colours.search(Query(text=["red"], images=[patch("blue")]), method=method)
    for match in matches:
        said = json.loads(json.dumps(match.to_json(), allow_nan=False))
        assert set(said["explanation"][0]) == {
            "label",
            "modality",
            "weight",
            "score",
            "contribution",
            "nearest",
            "methods",
        }
