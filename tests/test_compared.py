"""What scores of texts are compared with is stored in one row, and is what the texts' own features say."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from modelsearch_core.background import background_texts, compared_texts, form_of
from modelsearch_core.catalog import Catalog, arrays, compared
from modelsearch_core.catalog.statistics import Statistics
from modelsearch_core.indexing import store_background
from modelsearch_core.probes import Probe, ProbeSet
from modelsearch_core.prompt_templates import behind_all
from tests.making.fakes import ColourEncoder

PROBES = [Probe(prompt=f"{colour} paper", seed=1) for colour in ("red", "green")]
TEMPLATES = [probe.prompt for probe in PROBES]
ENCODER = ColourEncoder()


class Counting(ColourEncoder):
    """Says how many texts it was asked for."""

    asked = 0

    def encode_texts(self, texts):  # type: ignore[no-untyped-def]
        self.asked += len(texts)
        return super().encode_texts(texts)


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A catalog that keeps every text behind every template, as indexing left it before."""
    with Catalog(tmp_path / "catalog.sqlite") as catalog:
        texts = [*background_texts(), *compared_texts(), *TEMPLATES, *behind_all(compared_texts(), TEMPLATES)]
        catalog.put_text_features(ENCODER.name, texts, ENCODER.encode_texts(texts))
    return tmp_path / "catalog.sqlite"


def asked(probes: Sequence[Probe]) -> ProbeSet:
    return ProbeSet(probes=tuple(probes), width=16, height=16, steps=1, guidance=1.0, sampler="none", generator="none")


def known(catalog: Catalog) -> compared.Compared:
    return compared.compared(catalog, ENCODER.name, ENCODER.dimension, TEMPLATES)


def test_what_is_stored_is_what_the_texts_say(older: Path):
    with Catalog(older) as catalog:
        before = known(catalog)
        assert before.h.shape == before.added.shape == (len(compared_texts()), ENCODER.dimension)
        store_background(catalog, ENCODER, PROBES)
        after = known(catalog)
        np.testing.assert_array_equal(after.h, before.h)
        np.testing.assert_allclose(after.added, before.added, atol=1e-3)
        assert after.forms.tolist() == [form_of(text) for text in compared_texts()]
        assert not catalog.text_features(ENCODER.name, behind_all(compared_texts(), TEMPLATES))
        assert not catalog.text_features(ENCODER.name, sorted({*compared_texts()} - {*background_texts()}))
        assert len(catalog.text_features(ENCODER.name, background_texts())) == len(set(background_texts()))


def test_an_older_catalog_s_texts_are_not_encoded_again_and_stored_ones_are_no_more_asked_for(older: Path):
    encoder = Counting()
    with Catalog(older) as catalog:
        for _ in range(2):
            store_background(catalog, encoder, PROBES)
            assert encoder.asked == 0
            assert compared.is_known(catalog, encoder.name, TEMPLATES)
        assert not compared.is_known(catalog, encoder.name, ["other paper"])
        store_background(catalog, encoder, [Probe(prompt="other paper", seed=1)])
        alone = {*compared_texts()} - {*background_texts()}
        assert encoder.asked == 1 + len(compared_texts()) + len(alone)
        assert compared.is_known(catalog, encoder.name, ["other paper"])
        assert compared.is_known(catalog, encoder.name, TEMPLATES)


def test_what_models_were_asked_before_is_compared_with_as_much_once_others_are_asked_otherwise(older: Path):
    with Catalog(older) as catalog:
        catalog.put_probe_set(asked(PROBES))
        before = known(catalog)
        store_background(catalog, ENCODER, [Probe(prompt="other paper", seed=1)])
        after = known(catalog)
        np.testing.assert_array_equal(after.h, before.h)
        np.testing.assert_allclose(after.added, before.added, atol=1e-3)
        assert compared.is_stored(catalog, ENCODER.name, TEMPLATES)


def test_who_reads_or_indexes_while_another_process_stores_them_misses_none(
    older: Path, monkeypatch: pytest.MonkeyPatch
):
    read = Catalog.text_features
    with Catalog(older) as here, Catalog(older) as there:
        before = known(here)

        def overtaken(catalog: Catalog, encoder: str, texts: list[str]):  # type: ignore[no-untyped-def]
            if catalog is here:
                store_background(there, ENCODER, PROBES)
            return read(catalog, encoder, texts)

        with monkeypatch.context() as patch:
            patch.setattr(Catalog, "text_features", overtaken)
            np.testing.assert_allclose(known(here).added, before.added, atol=1e-3)
        compared.store(here, ENCODER.name, ENCODER.dimension, TEMPLATES)  # of what it had encoded itself
        np.testing.assert_allclose(known(here).added, before.added, atol=1e-3)


def test_who_indexes_while_another_process_stores_what_it_was_asked_misses_none(tmp_path: Path):
    path, others = tmp_path / "catalog.sqlite", [Probe(prompt="other paper", seed=1)]
    last = behind_all(compared_texts(), TEMPLATES)[-1]
    with Catalog(path) as here, Catalog(path) as there:
        here.put_probe_set(asked(PROBES))

        class Beside(ColourEncoder):
            def encode_texts(self, texts):  # type: ignore[no-untyped-def]
                if last in texts:
                    store_background(there, ENCODER, others)
                return super().encode_texts(texts)

        store_background(here, Beside(), PROBES)
        assert compared.is_stored(here, ENCODER.name, TEMPLATES)
        assert len(known(here).h) == len(compared_texts())


def test_whether_they_are_known_is_not_missed_as_they_are_stored(older: Path, monkeypatch: pytest.MonkeyPatch):
    has = Statistics.has_of_collection
    with Catalog(older) as here, Catalog(older) as there:

        def overtaken(statistics: Statistics, *what: object) -> bool:
            found = has(statistics, *what)  # type: ignore[arg-type]
            store_background(there, ENCODER, PROBES)
            return found

        monkeypatch.setattr(Statistics, "has_of_collection", overtaken)
        assert compared.is_known(here, ENCODER.name, TEMPLATES)


def test_other_texts_to_compare_with_are_measured_anew(older: Path, monkeypatch: pytest.MonkeyPatch):
    with Catalog(older) as catalog:
        store_background(catalog, ENCODER, PROBES)
        monkeypatch.setattr(compared, "compared_texts", lambda: compared_texts()[:9])
        assert len(known(catalog).h) == len(compared_texts())  # those that yardsticks were made with
        assert not compared.is_stored(catalog, ENCODER.name, TEMPLATES)


def test_arrays_come_back_as_they_were_and_so_do_those_of_an_older_archive():
    told = {
        "numbers": np.arange(6, dtype=np.int64).reshape(2, 3)[:, ::2],
        "halves": np.array([[0.5], [np.nan]], np.float16),
        "kept": np.array([True, False]),
        "none": np.empty((0, 3), np.float32),
    }
    archive = io.BytesIO()
    np.savez(archive, allow_pickle=False, **told)
    for blob in (arrays.to_blob(told), archive.getvalue()):
        found = arrays.from_blob(blob)
        assert found.keys() == told.keys()
        for name, array in told.items():
            assert found[name].dtype == array.dtype
            np.testing.assert_array_equal(found[name], array)


def test_what_a_model_is_asked_is_kept_though_it_is_compared_with(older: Path):
    alone = sorted({*compared_texts()} - {*background_texts()})
    with Catalog(older) as catalog:
        catalog.put_probe_set(asked([Probe(prompt=alone[0], seed=1)]))
        store_background(catalog, ENCODER, PROBES)
        assert list(catalog.text_features(ENCODER.name, alone)) == alone[:1]
