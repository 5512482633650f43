"""Kernel ridge regression with a free mean, against fitting again without each one."""

from __future__ import annotations

from statistics import mean, stdev

import numpy as np
import pytest

from modelsearch_core.scores import ridge


def made(n: int = 12, d: int = 5, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    X = rng.normal(size=(n, 6))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    return X, X @ rng.normal(size=(6, d)) + 3 + noise * rng.normal(size=(n, d))


def by_definition(X: np.ndarray, D: np.ndarray, x: np.ndarray, penalty: float) -> np.ndarray:
    """Ridge regression in X itself, the mean unpenalised."""
    centre, mean = X.mean(axis=0), D.mean(axis=0)
    weights = np.linalg.solve((X - centre).T @ (X - centre) + penalty * np.eye(X.shape[1]), (X - centre).T @ (D - mean))
    return (x - centre) @ weights + mean


def test_a_prediction_is_that_of_ridge_regression():
    X, D = made()
    fit, x = ridge.fit(X @ X.T, D), np.ones((1, 6)) / 6**0.5
    assert fit.predict(x @ X.T)[0] == pytest.approx(by_definition(X, D, x[0], fit.penalty), abs=2e-3)


def test_what_is_left_out_is_predicted_without_it():
    X, D = made()
    fit = ridge.fit(X @ X.T, D)
    for i in range(len(X)):
        others = np.arange(len(X)) != i
        assert fit.held_out[i] == pytest.approx(by_definition(X[others], D[others], X[i], fit.penalty), abs=5e-3)


def test_where_weights_say_nothing_there_is_no_gain():
    rng = np.random.default_rng(5)
    X, D = np.linalg.qr(rng.normal(size=(40, 40)))[0], rng.normal(size=(40, 8)) + 1
    fit = ridge.fit(X @ X.T, D)
    assert fit.gain < 2


def test_where_they_say_something_it_is_told_in_standard_errors():
    X, D = made(30, noise=0.01)
    fit = ridge.fit(X @ X.T, D - D.mean(axis=0))
    assert fit.cosine > 0.95
    assert fit.gain > 5


def test_one_alone_cannot_be_left_out():
    with pytest.raises(ValueError, match="2 known directions"):
        ridge.fit(np.eye(2), np.eye(2))


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / ((a @ a) ** 0.5 * (b @ b) ** 0.5))


def test_the_gain_is_how_much_nearer_a_guess_is_than_the_others_mean_in_standard_errors():
    X, D = made(9, noise=1.0)
    D = 0.1 * (D - 2.5)
    fit = ridge.fit(X @ X.T, D)
    of_fit = [cosine(fit.held_out[i], D[i]) for i in range(9)]
    of_mean = [cosine(np.delete(D, i, axis=0).mean(axis=0), D[i]) for i in range(9)]
    better = [a - b for a, b in zip(of_fit, of_mean, strict=True)]
    assert fit.cosine == pytest.approx(mean(of_fit))
    assert fit.gain == pytest.approx(mean(better) / (stdev(better) / 3))


def test_three_are_enough_and_one_that_changes_nothing_is_like_none_of_them():
    fit = ridge.fit(np.eye(3), np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0]]))
    assert np.isfinite(fit.cosine) and np.isfinite(fit.gain)
