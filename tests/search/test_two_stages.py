"""Of many models, the best by their means are judged by their samples: faster, and the same first ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.catalogues import ENCODER, Chance, D, fill, picture, seed_of
from modelsearch_core.catalog import Catalog, columns
from modelsearch_core.collection import Collection, collection
from modelsearch_core.drawing import to_sketch_tone
from modelsearch_core.scores import calibration
from modelsearch_core.search import Filters, ModelIndex, Query, measured, measuring, yardstick
from modelsearch_core.search import candidates as stage
from modelsearch_core.search.measuring import Measuring
from modelsearch_core.search.preparing import prepare
from modelsearch_core.sketch_views import views
from modelsearch_core.specification import Evidence, Modality

M = 150  # of which 80 and some more are judged by their samples


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("many") / "catalogue.sqlite"
    fill(path, M, measured=0.8)
    return path


@pytest.fixture
def index(path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelIndex:
    monkeypatch.setattr(stage, "MOST", 80)
    return ModelIndex.open(path, encoder=Chance())


def ids(index: ModelIndex, query: Query, **how: object) -> list[str]:
    return [match.id for match in index.search(query, k=5, **how)]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("kind", ["images", "sketches"])
def test_the_first_ones_are_those_of_the_full_computation(index: ModelIndex, kind: str):
    queries = [Query(**{kind: [picture(seed)]}) for seed in range(12)]  # pyright: ignore[reportArgumentType]
    assert sum(ids(index, query) == ids(index, query, exact=True) for query in queries) >= 11


def test_the_encoder_knows_a_sketch_in_every_way_of_drawing():
    seeds = [0, 1, 47, 48, 1000, 2303]
    told = [{seed_of(view) for view in views(to_sketch_tone(picture(seed)))} for seed in seeds]
    assert all(len(each) == 1 for each in told) and len(set.union(*told)) == len(seeds)


def test_only_candidates_samples_are_read(index: ModelIndex, monkeypatch: pytest.MonkeyPatch):
    ids(index, Query(images=[picture(0)]))  # has read, for good, the few by which it knows what is usual for a query
    read: list[int] = []
    rows = index.collection.rows
    monkeypatch.setattr(index.collection, "rows", lambda models, **how: read.append(len(models)) or rows(models, **how))
    ids(index, Query(images=[picture(1)]))
    assert len(read) == 1 and 80 <= read[0] <= 110


@pytest.mark.parametrize("kind", ["images", "sketches"])
def test_a_few_bytes_a_model_choose_what_its_samples_would(path: Path, kind: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stage, "MOST", 8)
    with ModelIndex.open(path, encoder=Chance()) as index:
        queries = [Query(**{kind: [picture(seed)]}) for seed in range(12)]  # pyright: ignore[reportArgumentType]
        alike = [len({*ids(index, query)} & {*ids(index, query, exact=True)}) for query in queries]
        assert np.mean(alike) > 4
        index.statistics.coarse = index.statistics.coarse_drawn = None  # means alone choose four times as many
        assert ids(index, queries[0])


def test_what_is_stored_of_all_is_what_is_worked_out(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(path.read_bytes())
    with Catalog(copy) as writer, ModelIndex.open(path, encoder=Chance()) as untouched:
        for m in (3, 9):  # measured again since, by the same samples: worked out by themselves
            entry = untouched.collection.entries[m]
            for key in (entry.key, (entry.fingerprint, "words:1")):
                specification = writer.specification(*key, ENCODER)
                assert specification is not None
                writer.put_specification(specification)
        with ModelIndex.open(copy, encoder=Chance()) as index:
            own = index.collection.row_of[untouched.collection.entries[3].fingerprint]
            assert index.collection.entries[own].measured.stamp != untouched.collection.entries[3].measured.stamp
            for name in ("coarse", "coarse_drawn"):
                rows, before = (getattr(of.statistics, name).rows for of in (index, untouched))
                changed = rows["step"] != before["step"]
                assert changed.sum() <= 2  # bytes of what was read from bytes are these but for their rounding
                np.testing.assert_array_equal(rows[~changed], before[~changed])
                np.testing.assert_allclose(rows["variances"], before["variances"], rtol=2e-3)
                assert np.abs(rows["axes"].astype(int) - before["axes"]).max() <= 3
            words = index.collection.beside(Evidence.METADATA)
            np.testing.assert_array_equal(index.collection.words.offsets, words.offsets)
            np.testing.assert_array_equal(index.collection.words.numbers, words.numbers)
            np.testing.assert_allclose(index.collection.words.Z, words.Z, atol=4e-3)


def test_what_is_kept_of_all_is_cut_where_it_would_be_too_large(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path):
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(path.read_bytes())
    with ModelIndex.open(path, encoder=Chance()) as index:
        whole = index.collection.words, index.statistics.coarse
    monkeypatch.setattr(columns, "PART", 64)
    with Catalog(copy) as writer:
        assert prepare(writer, refresh=True)
    with ModelIndex.open(copy, encoder=Chance()) as index:
        assert len(columns.read(index._catalog.statistics, ENCODER, "words", 1)) == 3
        of_parts = index.collection.words.Z  # bytes, each about its part's middle
        np.testing.assert_allclose(of_parts, whole[0].Z, atol=6e-3)
        np.testing.assert_array_equal(index.statistics.coarse.rows, whole[1].rows)
    monkeypatch.setattr(columns, "PART", 1000)
    with Catalog(copy) as writer:
        assert prepare(writer, refresh=True)
        assert len(columns.read(writer.statistics, ENCODER, "words", 1)) == 1


@pytest.mark.parametrize("query", [Query(text=["a thing"]), Query(like=["0" * 30 + "20"])])
def test_texts_and_models_read_no_samples(index: ModelIndex, query: Query, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(index.collection, "rows", None)
    assert len(ids(index, query)) == 5


def test_a_filter_comes_before_the_candidates(index: ModelIndex):
    last = [entry.path for entry in index.collection.entries[-3:]]
    matches = index.search(Query(images=[picture(3)]), filters=Filters(among=last))
    assert {match.path for match in matches} == set(last)


def test_everything_that_is_asked_for_proposes(index: ModelIndex):
    both = Query(images=[picture(1)], sketches=[picture(2)], weights=[1.0, 0.01])
    assert ids(index, both)[0] == ids(index, both, exact=True)[0]


def test_relevance_is_that_of_all_models(index: ModelIndex, monkeypatch: pytest.MonkeyPatch):
    query = Query(images=[picture(5)])
    few, full = (index.search(query, k=5, exact=exact) for exact in (False, True))
    assert [m.relevance for m in few] == pytest.approx([m.relevance for m in full])


def test_what_is_stored_measures_as_what_is_worked_out(path: Path):
    with ModelIndex.open(path, encoder=Chance()) as index:
        stored = measured.stored(index.collection)
        assert stored is not None and {"image.gaussian", "text.words", "sketch.drawn_gaussian"} <= set(stored.measures)
        told = index.search(Query(text=["b"], images=[picture(4)]))
        index._answering = type(index._answering)(index.statistics)  # without it
        worked_out = index.search(Query(text=["b"], images=[picture(4)]))
    assert [m.id for m in told] == [m.id for m in worked_out]
    assert [m.score for m in told] == pytest.approx([m.score for m in worked_out], abs=0.02)


def test_a_model_far_from_all_leaves_the_others_as_finely_measured(path: Path, tmp_path: Path):
    copy, name = tmp_path / "copy.sqlite", "image.gaussian"
    copy.write_bytes(path.read_bytes())
    with Catalog(copy) as catalog:
        of = Collection(catalog, ENCODER, D)
        known = measured.stored(of)
        assert known is not None
        z = known.measures[name].z.copy()
        z[:, 0] = -1000
        odd = known.measures[name]._replace(z=z)
        measured.Measured.of(of, known.sampled, banks={}, measures={name: odd}, biases={}).store(catalog, ENCODER)
        stored = measured.stored(of)
        assert stored is not None
    np.testing.assert_allclose(stored.measures[name].z, z, atol=0.03)


def test_it_is_worked_out_again_when_much_has_changed(path: Path, tmp_path: Path):
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(path.read_bytes())
    with Catalog(copy) as catalog:
        assert not prepare(catalog)
        for file in catalog.models()[: M // 2]:
            catalog.forget(file.fingerprint)
        assert prepare(catalog)
        assert not prepare(catalog)


def test_a_reload_reads_what_is_new_and_keeps_the_rest(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(path.read_bytes())
    with ModelIndex.open(copy, encoder=Chance()) as index, Catalog(copy) as writer:
        before, parsed = index.statistics.means, index.collection.entries[3].model
        key = index.collection.entries[7].key
        specification = writer.specification(*key, ENCODER)
        assert specification is not None
        rolled = np.roll(np.asarray(specification.Z, np.float32), 1, axis=1)
        writer.put_specification(type(specification)(**{**vars(specification), "Z": rolled}))
        asked: list[int] = []
        of = type(index._catalog.statistics).of
        monkeypatch.setattr(
            type(index._catalog.statistics), "of", lambda self, *a: asked.append(len(a[3])) or of(self, *a)
        )
        renewed = index.renewed()
        after = renewed.statistics.means
        assert [m for m in range(M) if not np.array_equal(before[m], after[m])] == [7]
        assert renewed.collection.entries[3].model is parsed
        renewed.close()


def test_the_first_models_are_read_into_an_index_of_none(tmp_path: Path):
    """As where a host is open before the first scan."""
    path = tmp_path / "catalogue.sqlite"
    with Catalog(path) as writer:
        writer.put_encoder(ENCODER, "chance", Chance.dimension)
    with ModelIndex.open(path, encoder=Chance()) as index:
        index.warm()
        assert index.statistics.drawn_means.shape == (0, Chance.dimension)
        fill(path, 8, measured=0.5)
        with index.renewed() as renewed, ModelIndex.open(path, encoder=Chance()) as opened:
            renewed.warm()
            assert np.array_equal(renewed.statistics.means, opened.statistics.means)
            assert np.array_equal(renewed.statistics.drawn_means, opened.statistics.drawn_means)


def test_a_model_s_means_are_of_its_modality(index: ModelIndex):
    requirement = index._requirements(Query(sketches=[picture(1)]), "auto")[0]
    assert requirement.modality is Modality.SKETCH
    assert not np.allclose(index.statistics.means, index.statistics.drawn_means)


def test_every_evidence_and_kind_proposes_its_best():
    z, groups = np.array([9.0, 8, 7, 1, 0]), np.array([0, 0, 0, 1, 1])
    assert [chosen.tolist() for chosen in stage._of_each_group(z, groups, stage.A_GROUP)] == [[0], [3]]


def test_what_is_taken_off_does_not_depend_on_who_was_sampled(path: Path, monkeypatch: pytest.MonkeyPatch):
    with ModelIndex.open(path, encoder=Chance()) as index:
        whole = Measuring(index.statistics)
        monkeypatch.setattr(yardstick, "EACH", 20)
        some = Measuring(index.statistics)
        others = np.setdiff1d(index.collection.all, some.sampled)[:9]
        assert len(some.sampled) < len(whole.sampled) and len(others)
        bank = whole._queries("monte_carlo", Modality.IMAGE)
        some._banks["image"] = bank
        asked = "monte_carlo", Modality.IMAGE
        worked_out = some._all_biases(some._all_measures([asked]))[asked]
        found, at_once = worked_out[others], some._bias("monte_carlo", Modality.IMAGE, others)
        measures = whole.measures("monte_carlo", Modality.IMAGE)
        assert measures.bias is not None and measures.rule is some.measures("monte_carlo", Modality.IMAGE).rule
        np.testing.assert_allclose(found, measures.bias[np.searchsorted(whole.sampled, others)], rtol=1e-4)
        groups = index.collection.groups[some.sampled]
        known = some.measures("monte_carlo", Modality.IMAGE).bias
        assert known is not None
        usual = [np.median(known[groups == group]) for group in index.collection.groups[others]]
        np.testing.assert_allclose(at_once, usual)  # an answer does not wait for it


@pytest.mark.parametrize("kind", ["images", "sketches"])
def test_without_yardsticks_a_first_question_reads_no_more_than_who_is_sampled_and_the_candidates(
    path: Path, kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """As after an update of the program, which uses those of before no more."""
    caplog.set_level("INFO")
    query = Query(**{kind: [picture(1)]})  # pyright: ignore[reportArgumentType]
    monkeypatch.setattr(measured, "VERSION", measured.VERSION + 1)
    monkeypatch.setattr(collection, "RESIDENT", 0)  # as of thousands of models
    monkeypatch.setattr(calibration, "when_to_correct", lambda _: True)
    for where, name, value in (
        (stage, "MOST", 16),
        (yardstick, "EACH", 12),
        (measuring, "FEW", 4),
        (measuring, "BLOCK", 8),
    ):
        monkeypatch.setattr(where, name, value)
    with ModelIndex.open(path, encoder=Chance()) as index:
        read: list[int] = []
        packed = index.collection._packed
        monkeypatch.setattr(
            index.collection, "_packed", lambda models, **how: read.extend(models) or packed(models, **how)
        )
        found = ids(index, query)
        sampled = index._answering.measuring.sampled
        assert 0 < len({*read} - {*sampled.tolist()}) <= 16 + 4 * len(np.unique(index.collection.groups))
        assert len({*found} & {*ids(index, query, exact=True)}) >= 4
    assert "until `modelsearch index FOLDER` has run" in caplog.text
