"""Pictures that a user has made of a model count beside those that were generated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.catalog.user_pictures import ChosenRow
from modelsearch_core.collection import Collection
from modelsearch_core.model_files import Kind
from modelsearch_core.probes import ProbeSet, default_probes
from modelsearch_core.scores import evidence
from modelsearch_core.search import ModelIndex
from modelsearch_core.search.banks import Queries
from modelsearch_core.search.methods import Judges
from modelsearch_core.search.preparing import prepare
from modelsearch_core.specification import Evidence, Modality, Specification
from modelsearch_core.statistics import Statistics
from tests.making.fakes import ColourEncoder, model_file

MODELS, D = 12, ColourEncoder.dimension
PROBES = ProbeSet(probes=default_probes(64), width=8, height=8, steps=1, guidance=1.0, sampler="none", generator="none")


class Shelf:
    """Checkpoints that were generated from by the first of 64 pictures, and are used by users of their own taste."""

    def __init__(self, path: Path) -> None:
        rng = np.random.default_rng(0)
        self.catalog, self.encoder = Catalog(path), ColourEncoder()
        self.catalog.put_encoder(self.encoder.name, "colours", D)
        self.catalog.put_probe_set(PROBES)
        self.catalog.put_files(
            [model_file(f"m{m:02}", kind=Kind.CHECKPOINT, fingerprint=f"m{m:02}") for m in range(MODELS)]
        )
        looks = rng.normal(size=(MODELS, 1, D))
        self.generated = unit(looks + rng.normal(size=(1, 64, D)) + rng.normal(size=(MODELS, 64, D)))
        taste = 0.3 * rng.normal(size=(MODELS, 1, D))
        self.users = unit(looks + taste + 1.4 * rng.normal(size=(MODELS, 40, D)))

    def generate(self, S: int) -> None:
        for m in range(MODELS):
            self._put(m, PROBES.digest, Evidence.GENERATED, self.generated[m, :S])

    def use(self, n: int, models: int = MODELS) -> None:
        for m in range(models):
            self._put(m, f"pictures:{m}", Evidence.PICTURES, self.users[m, :n])
            rows = [ChosenRow(i, f"/{m}/{i}.png", "", f"asked {i}", 1.0) for i in range(n)]
            self.catalog.pictures.put_chosen(f"m{m:02}", f"pictures:{m}", rows)

    def forget(self) -> None:
        for m in range(MODELS):
            self.catalog.remove_specification(f"m{m:02}", f"pictures:{m}")

    def collection(self) -> Collection:
        return Collection(self.catalog, self.encoder.name, D)

    def statistics(self) -> Statistics:
        return Statistics(self.collection())

    def _put(self, m: int, digest: str, of: Evidence, Z: np.ndarray) -> None:
        self.catalog.put_specification(
            Specification(
                fingerprint=f"m{m:02}",
                digest=digest,
                encoder=self.encoder.name,
                evidence=of,
                Z=Z.astype(np.float32),
                numbers=np.arange(len(Z), dtype=np.int32),
            )
        )


def unit(Z: np.ndarray) -> np.ndarray:
    return Z / np.linalg.norm(Z, axis=-1, keepdims=True)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    yield Shelf(tmp_path / "catalog.sqlite")


def test_a_mean_is_that_of_both_weighed_by_how_exact_each_is(shelf: Shelf):
    shelf.generate(8)
    shelf.use(16, models=2)  # too few models to tell their users' taste by
    means = [shelf.generated[m, :8].mean(axis=0) for m in range(2)]
    apart = [shelf.users[m, :16].mean(axis=0) - means[m] for m in range(2)]
    variance = sum(8 / 7 * (1 - mean @ mean) for mean in means) / 2
    off = (apart[0] - apart[1]) / 2
    measured = 2 * off @ off / variance - 1 / 16 - evidence.SHARED / 8
    taste = (2 * max(measured, evidence.TASTE) + 8 * evidence.TASTE) / 10
    count = evidence.SHARED / (1 / 16 + taste)
    usual = (apart[0] + apart[1]) / 2 * 2 / 10
    statistics = shelf.statistics()
    for m in range(2):
        wanted = (8 * means[m] + count * (means[m] + apart[m] - usual)) / (8 + count)
        assert statistics.raw_means[m] == pytest.approx(wanted, abs=2e-3)
        assert statistics.own_means[m] == pytest.approx(means[m], abs=2e-3)
    np.testing.assert_array_equal(statistics.raw_means[2:], statistics.own_means[2:])


def test_each_eight_more_generated_pictures_bring_means_nearer_to_what_all_of_them_say(shelf: Shelf):
    """Not every single one, but on average over the models; both together always beat the few alone."""
    truth = shelf.generated.mean(axis=1)
    shelf.use(40)
    off, alone = [], []
    for S in (8, 32, 64):
        shelf.generate(S)
        statistics = shelf.statistics()
        off.append(_apart(statistics.raw_means, truth))
        alone.append(_apart(statistics.own_means, truth))
    shelf.forget()
    assert off[0] > off[1] > off[2]
    assert off[0] < alone[0]
    assert off[2] < 0.2 * _apart(shelf.users.mean(axis=1), truth)


def _apart(means: np.ndarray, truth: np.ndarray) -> float:
    """Less what all are off alike, which tells no model from another."""
    off = means - truth
    return float(((off - off.mean(axis=0)) ** 2).sum(axis=1).mean())


def test_a_picture_like_one_of_the_users_finds_a_model_that_was_generated_from(shelf: Shelf):
    shelf.generate(8)
    collection = shelf.collection()
    asked = Queries(modality=Modality.IMAGE, h=shelf.users[5, 3:4].astype(np.float32))
    before = Judges(Statistics(collection), collection.all)("best_k", asked)[0]
    shelf.use(16)
    collection = shelf.collection()
    judges = Judges(Statistics(collection), collection.all)
    assert judges("best_k", asked)[0].argmax() == 5
    assert judges("best_k", asked)[0][5] > before[5]
    pictures = np.concatenate([shelf.generated[5, :8], shelf.users[5, :16]])
    X = (pictures - pictures.mean(axis=0)) / 23**0.5
    covariance = X.T @ X + 1e-3 * np.eye(D)
    d = asked.h[0] - pictures.mean(axis=0)
    density = -(d @ np.linalg.solve(covariance, d) + np.linalg.slogdet(covariance)[1] + D * np.log(2 * np.pi)) / 2
    some = Judges(Statistics(collection), np.array([2, 5]))
    for _ in range(2):  # worked out, and kept
        assert some("gaussian", asked)[0][1] == pytest.approx(density, rel=2e-2)
        some = Judges(Statistics(collection), np.array([5, 5]))


def test_samples_are_numbered_by_whose_they_are(shelf: Shelf):
    shelf.generate(8)
    shelf.use(3, models=1)
    collection = shelf.collection()
    rows = collection.pooled_rows([1, 0, 2])
    assert rows.counts.tolist() == [8, 11, 8]
    assert rows.numbers[rows.offsets[1] : rows.offsets[2]].tolist() == [*range(8), -1, -2, -3]
    np.testing.assert_allclose(rows.of(1), [*shelf.generated[0, :8], *shelf.users[0, :3]], atol=0.01)
    assert collection.prompt(0, -2) == "asked 1"
    assert collection.prompt(0, 1) == PROBES.prompt(1)
    assert collection.rows([0]).counts.tolist() == [8]


def test_a_part_of_what_was_generated_keeps_the_pictures(shelf: Shelf):
    shelf.generate(8)
    shelf.use(4)
    whole = shelf.collection()
    half = whole.keeping([np.arange(8) < 4] * MODELS)
    assert half.pooled.counts.tolist() == [8] * MODELS
    moved = Statistics(half).raw_means - Statistics(half).own_means
    assert (np.linalg.norm(moved, axis=1) > 0.01).all()


def test_what_a_running_search_has_read_follows_the_users_pictures(shelf: Shelf):
    shelf.generate(8)
    prepare(shelf.catalog)
    with ModelIndex(Catalog(shelf.catalog.path, read_only=True), ColourEncoder()) as index:
        before = index.statistics.raw_means.copy()
        shelf.use(16)
        assert index.reload()
        assert np.abs(index.statistics.raw_means - before).max() > 0.01
        assert index.statistics.coarse is None  # all of it is of other pictures
        assert prepare(shelf.catalog)
        assert not prepare(shelf.catalog)
        assert shelf.statistics().coarse is not None
        shelf.forget()
        assert index.reload()
        np.testing.assert_array_equal(index.statistics.raw_means, before)
