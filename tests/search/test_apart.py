"""What models are measured by, worked out by blocks of models: each query against samples of other prompts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.catalogues import ENCODER, Chance, fill
from modelsearch_core.catalog import Catalog
from modelsearch_core.collection import Collection
from modelsearch_core.search import measuring, yardstick
from modelsearch_core.search.apart import Apart
from modelsearch_core.search.banks import fold_of
from modelsearch_core.search.measuring import Measuring
from modelsearch_core.search.methods import METHODS, Judges, Wants
from modelsearch_core.specification import Modality
from modelsearch_core.statistics import Statistics

M = 24
READING = [name for name, method in METHODS.items() if method.reads_rows and method.wants is not Wants.LEARNING]
AUTO = [("gaussian", Modality.IMAGE), ("best_k", Modality.IMAGE), ("drawn_gaussian", Modality.SKETCH)]
AUTO += [("first_moment", Modality.TEXT), ("drawn_first_moment", Modality.SKETCH)]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("apart") / "catalogue.sqlite"
    fill(path, M, measured=0.8)
    return path


@pytest.fixture
def statistics(path: Path) -> Statistics:
    return Statistics(Collection(Catalog(path, read_only=True), ENCODER, Chance.dimension))


@pytest.mark.parametrize("method", READING)
def test_a_query_meets_samples_of_other_prompts_than_its_own(statistics: Statistics, method: str):
    collection = statistics.collection
    modality = Modality.SKETCH if method.startswith("drawn") else Modality.IMAGE
    queries = Measuring(statistics).bank(modality.value, modality).some(np.arange(12))
    assert queries.folds is not None and len(set(queries.folds.tolist())) > 1
    apart = Apart(collection, Judges(statistics, collection.all), keeps=False)
    found = apart.scores([("first_moment", queries), (method, queries)])[1]
    for t, fold in enumerate(queries.folds):
        foreign = []
        for m, of in enumerate(collection.specifications(collection.all)):
            kept = np.array([fold_of(collection.plain_prompt(m, int(n))) != fold for n in of.numbers])
            foreign.append(kept if kept.any() and fold >= 0 else np.ones(len(kept), bool))
        alone = Judges(Statistics(collection.keeping(foreign)), collection.all)
        np.testing.assert_allclose(found[t], alone(method, queries.some(np.array([t])))[0], rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("keeps", [False, True])
def test_what_is_left_is_kept_where_it_is_little(statistics: Statistics, monkeypatch: pytest.MonkeyPatch, keeps: bool):
    queries = Measuring(statistics).bank("image", Modality.IMAGE)
    judges, cut = Judges(statistics, statistics.collection.all), list[int]()
    keeping = judges.keeping
    monkeypatch.setattr(judges, "keeping", lambda kept: cut.append(1) or keeping(kept))
    apart = Apart(statistics.collection, judges, keeps=keeps)
    first, second = (apart.scores([("best_k", queries)])[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert queries.folds is not None
    assert len(cut) == len(set(queries.folds.tolist()) - {-1}) * (1 if keeps else 2)


def test_all_methods_read_a_block_of_models_once(statistics: Statistics, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(yardstick, "EACH", 6)
    at_once = Measuring(statistics)
    one_by_one = [at_once.measures(*each) for each in AUTO]
    monkeypatch.setattr(measuring, "BLOCK", 5)
    monkeypatch.setattr(measuring, "FEW", 0)
    read: Counter[tuple[int, bool]] = Counter()
    for drawn, name in ((False, "rows"), (True, "drawn_rows")):
        of = getattr(statistics.collection, name)
        monkeypatch.setattr(
            statistics.collection,
            name,
            lambda models, of=of, drawn=drawn, **how: read.update((int(m), drawn) for m in models) or of(models, **how),
        )
    blockwise = Measuring(statistics)
    assert len(blockwise.sampled) < M
    measures = blockwise._all_measures(AUTO)
    blockwise._all_biases(measures)
    assert set(read.values()) == {1}
    assert {m for m, drawn in read if not drawn} == set(range(M))
    assert {m for m, drawn in read if drawn} >= set(blockwise.sampled.tolist())
    for each, known in zip(AUTO[:2], one_by_one, strict=False):
        assert measures[each].rule is known.rule
        np.testing.assert_allclose(measures[each].z, known.z, rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(measures[each].bias, known.bias, rtol=1e-3)
