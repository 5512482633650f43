"""Triplets, their loss, and the linear head that is trained with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from modelsearch_core.embedding import unit
from modelsearch_core.encoders.style_head import read_head, read_record
from modelsearch_core.errors import ModelSearchError
from modelsearch_core.training.figures import best_f1, pair_agreement, ranking, same_model_pairs
from modelsearch_core.training.labels import Labels, Split, held_out, triplets
from modelsearch_core.training.linear import Linear, train_head
from modelsearch_core.training.triplet import TripletSettings, fit, triplet_loss


def labels(M: int = 6, S: int = 5) -> Labels:
    return Labels(np.repeat(np.arange(M), S), np.tile(np.arange(S), M))


def pictures(M: int = 6, S: int = 5, D: int = 48, *, seed: int = 0) -> np.ndarray:
    """Features in which the subject weighs more than the style; subjects differ in six ways."""
    rng = np.random.default_rng(seed)
    style, subject = rng.normal(size=(M, 1, D)), rng.normal(size=(1, S, 6)) @ rng.normal(size=(6, D)) / 6**0.5
    Z = 0.6 * style + 1.5 * subject + 0.1 * rng.normal(size=(M, S, D))
    return unit(Z.reshape(M * S, D)).astype(np.float32)


def test_the_loss_is_its_definition():
    random = torch.Generator().manual_seed(0)
    a, p, n = torch.randn(3, 7, 4, generator=random, dtype=torch.float64)
    rows = [max(float((x - y).norm() - (x - z).norm()) + 0.2, 0) for x, y, z in zip(a, p, n, strict=True)]
    assert float(triplet_loss(a, p, n, 0.2)) == pytest.approx(np.mean(rows), abs=1e-6)


def test_the_loss_has_a_slope_where_two_pictures_are_the_same():
    a = torch.zeros(1, 3, requires_grad=True)
    triplet_loss(a, a.detach(), a.detach() + 0.01, 0.2).backward()
    assert a.grad is not None and torch.isfinite(a.grad).all()


def test_a_triplet_is_another_subject_by_the_same_and_anything_by_another():
    of = labels()
    found = triplets(of, np.random.default_rng(0))
    assert sorted(found[:, 0]) == list(range(len(of)))
    anchor, positive, negative = found.T
    assert (of.models[anchor] == of.models[positive]).all()
    assert (of.subjects[anchor] != of.subjects[positive]).all()
    assert (of.models[anchor] != of.models[negative]).all()


def test_a_picture_without_a_partner_is_left_out():
    of = Labels(np.array([0, 0, 1]), np.array([0, 1, 0]))
    assert sorted(triplets(of, np.random.default_rng(0))[:, 0]) == [0, 1]
    assert len(triplets(of.of(np.array([0, 1])), np.random.default_rng(0))) == 0


def test_what_is_held_out_is_not_trained_on():
    of = labels(10, 10)
    split = held_out(of, 0.2, np.random.default_rng(0))
    assert (len(split.models), len(split.subjects)) == (2, 2)
    training, queries, references = split.training(of), split.queries(of), split.references(of)
    assert (training.sum(), queries.sum(), references.sum()) == (64, 4, 80)
    assert not (training & queries).any() and not (references & queries).any()


def test_a_head_begins_as_the_features_own_directions():
    Z = pictures()
    V = Linear(Z)(torch.from_numpy(Z)).detach().numpy()
    centred = unit(Z - Z.mean(axis=0))
    assert pytest.approx(centred @ centred.T, abs=1e-4) == V @ V.T


def test_training_finds_the_style_behind_the_subject():
    Z, of = pictures(10, 16), labels(10, 16)
    split = Split(np.array([3, 7]), np.array([2, 5]))
    seen = split.training(of)
    head = train_head(Z[seen], of.of(seen), "e")
    before, after = ranking(Z, of, split), ranking(head(Z), of, split)
    assert (before.models, before.queries) == (10, 4)
    assert after.mrr > 0.9 and after.mrr >= before.mrr
    trained, plain = (pair_agreement(V[seen], of.of(seen), np.random.default_rng(0)).f1 for V in (head(Z), Z))
    assert trained > 0.9 > plain
    assert head.record["losses"][-1] < head.record["losses"][0] / 2


def test_an_interrupted_training_goes_on_as_it_would_have(tmp_path: Path):
    Z, of, settings = pictures(), labels(), TripletSettings(epochs=6, rate=1e-2, optimiser="adam")

    def stop_after_three(done: int, _: float) -> None:
        if done == 3:
            raise KeyboardInterrupt

    whole = train_head(Z, of, "e", settings)
    with pytest.raises(KeyboardInterrupt):
        train_head(Z, of, "e", settings, kept=tmp_path / "part.pt", on_epoch=stop_after_three)
    done: list[int] = []
    resumed = train_head(Z, of, "e", settings, kept=tmp_path / "part.pt", on_epoch=lambda epoch, _: done.append(epoch))
    assert done == [4, 5, 6]
    assert np.array_equal(whole.weight, resumed.weight) and np.array_equal(whole.bias, resumed.bias)


def test_another_training_does_not_go_on_from_it(tmp_path: Path):
    Z, of, kept = pictures(), labels(), tmp_path / "part.pt"
    train_head(Z, of, "e", TripletSettings(epochs=2), kept=kept)
    done: list[int] = []
    train_head(Z, of, "e", TripletSettings(epochs=2, seed=1), kept=kept, on_epoch=lambda epoch, _: done.append(epoch))
    assert done == [1, 2]
    kept.write_bytes(b"broken")
    with pytest.raises(ModelSearchError, match=r"part\.pt cannot be gone on from .*delete it"):
        train_head(Z, of, "e", TripletSettings(epochs=2), kept=kept)


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="epochs, batch, rate and margin must be above 0"):
        TripletSettings(epochs=0)
    with pytest.raises(ValueError, match="2 pictures make no triplet"):
        fit(torch.nn.Linear(2, 2), torch.ones, labels(1, 2), TripletSettings())


def test_a_head_is_read_as_it_was_written(tmp_path: Path):
    head = train_head(pictures(), labels(), "some encoder", TripletSettings(epochs=1))
    head.save(tmp_path / "a" / "style.safetensors")
    again = read_head(tmp_path / "a" / "style.safetensors")
    assert np.array_equal(again.weight, head.weight) and np.array_equal(again.bias, head.bias)
    assert (again.encoder, again.name, again.record["losses"]) == ("some encoder", head.name, head.record["losses"])


def test_files_that_are_no_head_are_named(tmp_path: Path):
    from safetensors.numpy import save_file

    with pytest.raises(ModelSearchError, match="there is no style encoder"):
        read_head(tmp_path / "gone.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"broken")
    with pytest.raises(ModelSearchError, match="cannot be read as a style encoder"):
        read_head(tmp_path / "broken.safetensors")
    save_file({"weight": np.ones(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelSearchError, match="was not written by `modelsearch train style`"):
        read_record(tmp_path / "other.safetensors")


def test_pairs_are_those_of_the_paper():
    of = labels(4, 4)
    right, wrong = same_model_pairs(of, np.random.default_rng(0), 50)
    assert (len(right), len(wrong)) == (50, 50)
    assert all(of.models[a] == of.models[b] and of.subjects[a] != of.subjects[b] for a, b in right)
    assert all(of.models[a] != of.models[b] and of.subjects[a] == of.subjects[b] for a, b in wrong)


def test_the_threshold_is_the_best_of_all():
    rng = np.random.default_rng(0)
    distances, actual = rng.random(40).round(1), rng.random(40) < 0.5
    found = best_f1(distances, actual)
    every = []
    for threshold in np.unique(distances):
        said = distances <= threshold
        every.append(2 * (said & actual).sum() / (said.sum() + actual.sum()))
    assert found.f1 == pytest.approx(max(every))
