"""A model gets more pictures between the opening of an index and its next answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.catalogues import Chance, fill, picture
from modelsearch_core.catalog import Catalog
from modelsearch_core.errors import OutdatedError
from modelsearch_core.search import ModelIndex, Query
from modelsearch_core.search.methods import Judges
from modelsearch_core.specification import Specification

FEW = 8


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.sqlite"
    fill(path, 20, measured=1.0)
    return path


def cut(of: Specification, samples: int) -> Specification:
    drawings = None if of.drawings is None else of.drawings[:samples]
    return replace(of, Z=of.Z[:samples], numbers=of.numbers[:samples], drawings=drawings)


def of_first(path: Path) -> Specification:
    with ModelIndex.open(path, encoder=Chance()) as index:
        return index.collection.specification(0)


def test_answers_go_on_by_the_pictures_that_there_were(path: Path):
    whole = of_first(path)
    with Catalog(path) as writing:
        writing.put_specification(cut(whole, FEW))
        with ModelIndex.open(path, encoder=Chance()) as index:
            m = index.collection.row_of[whole.fingerprint]
            assert index.collection.entries[m].samples == FEW
            writing.put_specification(whole)
            np.testing.assert_array_equal(index.collection.specification(m).numbers, whole.numbers[:FEW])
            part = index.collection.keeping([np.arange(entry.samples) % 2 == 0 for entry in index.collection.entries])
            assert len(part.specification(m).Z) == len(part.rows([m]).Z) == FEW // 2
            assert index.collection.rows([m]).counts.tolist() == [FEW]
            assert len(index.search(Query(images=[picture(1)]), k=20)) == 20
            assert len(index.search(Query(sketches=[picture(1)]), k=20)) == 20


@pytest.mark.parametrize("few", [3, FEW])  # half precision, and a byte a number
def test_samples_and_drawings_are_as_many_though_a_model_gets_more_in_between(path: Path, few: int):
    whole = of_first(path)
    with Catalog(path) as writing:
        writing.put_specification(cut(whole, few))
        with ModelIndex.open(path, encoder=Chance()) as index:
            judges = Judges(index.statistics, index.collection.all)
            before = judges.samples
            writing.put_specification(whole)
            m = index.collection.row_of[whole.fingerprint]
            np.testing.assert_array_equal(judges.drawings.counts, before.counts)
            np.testing.assert_allclose(index.collection.drawn_rows([m]).Z, whole.drawings[:few], atol=0.02)
            kept = judges.keeping(before.numbers % 2 == 0)
            np.testing.assert_array_equal(kept.drawings.counts, kept.samples.counts)


def test_a_model_that_lost_pictures_is_said(path: Path):
    whole = of_first(path)
    with Catalog(path) as writing, ModelIndex.open(path, encoder=Chance()) as index:
        writing.put_specification(cut(whole, FEW))
        with pytest.raises(OutdatedError, match="was measured anew meanwhile; search again"):
            index.collection.specification(index.collection.row_of[whole.fingerprint])
        with pytest.raises(OutdatedError, match="was measured anew meanwhile; search again"):
            index.collection.rows([index.collection.row_of[whole.fingerprint]])
