"""The self-check on features whose right answers can be written down."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from modelsearch_core.embedding import unit
from modelsearch_core.errors import ModelSearchError
from modelsearch_core.search import ModelIndex
from modelsearch_core.self_check import SelfCheck, Settings, Verdict, check
from modelsearch_core.self_check.held_out import folds_of, halved, kept_outside
from modelsearch_core.specification import Modality
from modelsearch_core.statistics import Statistics
from tests.making.features import around, features_catalog

D, S = 48, 20


def checked(path: Path, settings: Settings | None = None, failures: dict[str, str] | None = None) -> SelfCheck:
    with ModelIndex.open(path) as index:
        return check(index, settings or Settings(), failures or {})


def directions(count: int, seed: int = 0) -> np.ndarray:
    return unit(np.random.default_rng(seed).standard_normal((count, D)))


def of(result: SelfCheck, name: str):
    (found,) = [model for model in result.models if model.name == name]
    return found


@pytest.fixture(scope="module")
def clear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six models that have nothing in common."""
    path = tmp_path_factory.mktemp("clear") / "c.sqlite"
    return features_catalog(path, {f"m{n}": around(d, S, 0.7, n) for n, d in enumerate(directions(6))})


def test_models_that_differ_are_found_by_every_method(clear: Path):
    result = checked(clear)
    assert result.questions == 6 * S
    assert {figures["method"] for figures in result.figures} >= {"auto", "first_moment", "best_k", "gaussian"}
    assert all(figures["top1"] > 0.9 for figures in result.figures if figures["method"] in ("auto", "gaussian"))
    assert {model.verdict for model in result.models} == {Verdict.FOUND}
    assert all(model.advice == "" for model in result.models)


def test_models_of_chance_are_found_by_chance(tmp_path: Path):
    """Were a sample asked against itself, the nearest sample would be it, and the first place sure."""
    noise = {f"m{n}": directions(S, seed=n + 1) for n in range(10)}
    result = checked(features_catalog(tmp_path / "c.sqlite", noise), Settings(methods=["best_k", "gaussian"]))
    assert all(figures["top1"] < 0.25 for figures in result.figures)


def test_what_is_held_out_is_in_no_statistic(clear: Path):
    with ModelIndex.open(clear) as index:
        folds = folds_of(index.collection, 5)
        held = index.collection.keeping(kept_outside(folds, 2))
        numbers = [number for number in range(S) if number % 5 == 2]
        assert not set(held.samples.numbers.tolist()) & set(numbers)
        assert len(held.samples.Z) == 6 * (S - len(numbers))
        expected = unit(unit(np.asarray(held.specification(0).Z, np.float32)).mean(axis=0))
        means = Statistics(held).means
        assert means[0] == pytest.approx(expected, abs=1e-5)
        assert np.abs(means - index.statistics.means).max() > 0.01
        half = index.collection.keeping(halved(kept_outside(folds, 2)))
        assert len(half.samples.Z) == 6 * 8


def test_a_model_with_one_picture_keeps_it_and_is_not_asked(tmp_path: Path):
    d = directions(3)
    path = features_catalog(
        tmp_path / "c.sqlite", {"a": around(d[0], S, 0.5, 0), "b": around(d[1], S, 0.5, 1), "one": d[2:]}
    )
    one = of(checked(path), "one")
    assert (one.asked, one.top1, one.verdict) == (0, None, Verdict.TOO_FEW)
    assert "--samples 64" in one.advice


def test_twins_are_named_and_nothing_is_to_be_done(tmp_path: Path):
    d = directions(4)
    shared = around(d[0], S, 0.6, 0)
    near = unit(shared + 0.005 * np.random.default_rng(9).standard_normal(shared.shape))
    more = {f"m{n}": around(d[n], S, 0.6, n) for n in (1, 2, 3)}
    result = checked(features_catalog(tmp_path / "c.sqlite", {"left": shared, "right": near, **more}))
    worse, other = sorted((of(result, name) for name in ("left", "right")), key=lambda model: model.top1)
    assert (worse.verdict, worse.mistaken_for[0].name) == (Verdict.TWIN, other.name)
    assert "either will do" in worse.advice
    assert worse.advised_samples is None
    assert of(result, "m1").verdict is Verdict.FOUND
    assert of(result, "left").wrongly_first + of(result, "right").wrongly_first > 0


def test_models_that_are_alike_are_mistaken_and_more_samples_advised(tmp_path: Path):
    d = directions(2)
    alike = {f"same {n}": around(d[0], 12, 1.5, n) for n in range(4)}
    facets = dict.fromkeys(alike, (0.5, 0.02))
    path = features_catalog(tmp_path / "c.sqlite", {**alike, "other": around(d[1], 12, 0.3, 9)}, facets=facets)
    mistaken = [model for model in checked(path).models if model.verdict is Verdict.MISTAKEN]
    assert mistaken
    assert all(model.name.startswith("same") for model in mistaken)
    assert mistaken[0].advised_samples == 216  # what a consistency of .02 takes for a reliability of .9, by eights
    assert "--samples 216" in mistaken[0].advice
    assert mistaken[0].mistaken_for[0].name.startswith("same")


def test_broken_failed_and_unseen_models_come_first(tmp_path: Path):
    d = directions(6)
    path = features_catalog(
        tmp_path / "c.sqlite",
        {
            "stuck": np.repeat(d[:1], S, axis=0),
            "idle": around(d[1], S, 0.6, 1),
            "fine": around(d[2], S, 0.6, 2),
            "failing": around(d[3], S, 0.6, 3),
        },
        words={"talk": d[4:5]},
        facets={"idle": (0.01, 0.5), "fine": (0.6, 0.5)},
    )
    result = checked(path, failures={"fp-failing": "it paints black"})
    verdicts = {model.name: model.verdict for model in result.models}
    assert verdicts == {
        "failing": Verdict.FAILED,
        "idle": Verdict.BROKEN,
        "stuck": Verdict.BROKEN,
        "talk": Verdict.UNSEEN,
        "fine": Verdict.FOUND,
    }
    assert [model.name for model in result.models][:1] == ["failing"]
    assert "it paints black" in of(result, "failing").advice
    assert "whatever it is asked" in of(result, "stuck").advice
    assert "those of its base" in of(result, "idle").advice
    assert "modelsearch index models/talk.safetensors" in of(result, "talk").advice


def test_a_part_of_the_samples_may_be_asked(clear: Path):
    told: list[tuple[int, int]] = []
    with ModelIndex.open(clear) as index:
        result = check(index, Settings(each=3, methods=["first_moment"]), {}, lambda *p: told.append(p))
    assert result.questions == 18
    assert {model.asked for model in result.models} == {3}
    assert told[-1] == (36, 36)


def test_what_cannot_be_checked_is_refused_with_the_way_out(clear: Path, tmp_path: Path):
    with pytest.raises(ModelSearchError, match="no model has two line drawings"):
        checked(clear, Settings(modality=Modality.SKETCH))
    alone = features_catalog(tmp_path / "one.sqlite", {"alone": directions(4)})
    with pytest.raises(ModelSearchError, match="1 model in the index; there must be two"):
        checked(alone)


def test_it_is_json(clear: Path):
    said = json.loads(json.dumps(checked(clear).to_json(), allow_nan=False))
    assert said["chance"]["top1"] == pytest.approx(1 / 6)
    assert said["models"][0]["verdict"] == "found"
