"""The map of a collection: where models lie, that no tile covers another, what the picture shows."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from modelsearch_core.cli import main
from modelsearch_core.embedding import unit
from modelsearch_core.errors import ModelSearchError
from modelsearch_core.search import ModelIndex
from modelsearch_core.similarity_map import SimilarityMap, map_picture, similarity_map
from modelsearch_core.similarity_map.projection import principal_axes
from modelsearch_core.similarity_map.spacing import spaced
from tests.making.features import around, features_catalog

D = 24


def overlaps(places: np.ndarray) -> int:
    apart = np.abs(places[:, None] - places[None]).max(axis=-1)
    return int((apart < 0.99).sum() - len(places)) // 2


def test_principal_axes_are_those_of_the_covariance():
    x = np.random.default_rng(0).normal(size=(50, 8)) * np.arange(8, 0, -1)
    x -= x.mean(axis=0)
    points, share = principal_axes(x)
    values = np.linalg.eigvalsh(x.T @ x)[::-1]
    assert (points**2).sum(axis=0) == pytest.approx(values[:2])
    assert share == pytest.approx(values[:2].sum() / values.sum())
    assert abs(points[:, 0] @ points[:, 1]) < 1e-6 * values[0]


@pytest.mark.parametrize("shape", [(5, 40), (40, 5), (2, 3), (1, 3), (4, 1)])
def test_axes_do_not_depend_on_the_order_of_models(shape: tuple[int, int]):
    x = np.random.default_rng(1).normal(size=shape)
    x -= x.mean(axis=0)
    assert principal_axes(x[::-1]).points[::-1] == pytest.approx(principal_axes(x).points, abs=1e-6)


def test_many_models_of_few_sorts_have_axes():
    x = np.repeat(np.eye(6)[:3], 500, axis=0)
    points, share = principal_axes(x - x.mean(axis=0))
    assert share == pytest.approx(1)
    assert len(np.unique(points.round(6), axis=0)) == 3


def test_models_that_are_all_the_same_lie_nowhere():
    points, share = principal_axes(np.zeros((3, 4)))
    assert (points.tolist(), share) == ([[0.0, 0.0]] * 3, None)


@pytest.mark.parametrize("count", [2, 3, 30, 300])
@pytest.mark.parametrize("spread", ["even", "clumps", "same", "line", "far one"])
def test_no_tile_lies_over_another(count: int, spread: str):
    rng = np.random.default_rng(count)
    points = rng.normal(size=(count, 2))
    if spread == "clumps":
        points = rng.integers(0, 3, (count, 2)) + 0.01 * points
    elif spread == "same":
        points[:] = 1.0
    elif spread == "line":
        points[:, 1] = 0.0
    elif spread == "far one":
        points[0] = 1e6
    places = spaced(points)
    assert np.isfinite(places).all()
    assert overlaps(places) == 0
    assert (places == spaced(points)).all()
    assert np.ptp(places, axis=0).max() < 12 * np.sqrt(count) + 12


def test_neighbours_stay_neighbours():
    rng = np.random.default_rng(0)
    clump = np.repeat([[0, 0], [8, 1], [3, 7]], 20, axis=0)
    places = spaced(clump + rng.normal(size=clump.shape))
    centres = places.reshape(3, 20, 2).mean(axis=1)
    nearest = ((places[:, None] - centres) ** 2).sum(axis=-1).argmin(axis=1)
    assert (nearest == np.repeat([0, 1, 2], 20)).mean() > 0.95


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """Two sorts of models, and one that is known by words only."""
    centres = unit(np.random.default_rng(3).standard_normal((2, D)))
    samples = {f"{sort} {n}": around(centres[number], 6, 0.4, n) for number, sort in enumerate("ab") for n in range(5)}
    pictures = {name: Image.new("RGB", (16, 16), "red" if name[0] == "a" else "blue") for name in samples}
    return features_catalog(tmp_path / "c.sqlite", samples, words={"told": centres[:1]}, pictures=pictures)


def made(path: Path, method: str = "pca", kind: str | None = None) -> SimilarityMap:
    with ModelIndex.open(path) as index:
        return similarity_map(index.statistics, method, kind=kind)


def test_models_of_a_sort_lie_together(catalog: Path):
    found = made(catalog)
    place = {p.name: np.array([p.x, p.y]) for p in found.places}
    within = np.mean([np.linalg.norm(place[f"a {n}"] - place["a 0"]) for n in range(1, 5)])
    between = np.mean([np.linalg.norm(place[f"b {n}"] - place["a 0"]) for n in range(5)])
    assert within < between / 1.5
    assert found.share is not None
    assert 0.3 < found.share <= 1


def test_each_model_shows_the_most_usual_of_its_pictures(catalog: Path):
    by_name = {p.name: p for p in made(catalog).places}
    assert by_name["told"].picture is None
    with ModelIndex.open(catalog) as index:
        m = index.row("a 0")
        cosine = index.collection.specification(m).Z.astype(np.float32) @ index.statistics.means[m]
    assert by_name["a 0"].picture == int(cosine.argmax())


def test_one_model_alone_lies_in_the_middle(tmp_path: Path):
    (alone,) = made(features_catalog(tmp_path / "c.sqlite", {"alone": np.eye(D)[:4]})).places
    assert (alone.x, alone.y) == (0, 0)


def test_what_cannot_be_mapped_is_refused(catalog: Path):
    with pytest.raises(ModelSearchError, match="no model of kind checkpoint"):
        made(catalog, kind="checkpoint")
    with pytest.raises(ValueError, match="choose one of pca, umap"):
        made(catalog, "tsne")


def test_umap_is_used_where_it_is_and_named_where_it_is_not(catalog: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ModelSearchError, match=r"pip install \"model-search\[map\]\""):
        made(catalog, "umap")

    class Reducer:
        def __init__(self, **settings: object) -> None:
            assert settings["random_state"] == 0

        def fit_transform(self, x: np.ndarray) -> np.ndarray:
            return x[:, :2]

    stub = ModuleType("umap")
    stub.__dict__.update(vars(SimpleNamespace(UMAP=Reducer)))
    monkeypatch.setitem(sys.modules, "umap", stub)
    found = made(catalog, "umap")
    assert (found.method, found.share, len(found.places)) == ("umap", None, 11)


def test_the_picture_shows_every_thumbnail(catalog: Path):
    found = made(catalog)
    colours = {place.id: (40 + 15 * n, 200, 10) for n, place in enumerate(found.places)}
    sheet = map_picture(found, lambda place: Image.new("RGB", (32, 32), colours[place.id]), 900)
    assert sheet.width <= 900
    assert set(colours.values()) <= {colour for _, colour in sheet.getcolors(10**6)}


def test_the_command_writes_a_picture_and_tells_places(
    catalog: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    words = ["map", "--catalog", str(catalog), "--output", str(tmp_path / "map.png")]
    assert main(words) == 0
    assert "11 models; the two axes hold" in capsys.readouterr().out
    assert Image.open(tmp_path / "map.png").width >= 640
    assert main([*words[:-1], str(tmp_path / "nowhere" / "map.png")]) == 2
    assert "is no folder; make it first" in capsys.readouterr().err
    assert main([*words, "--width", "7"]) == 2
    assert "--width 7 must be from 200" in capsys.readouterr().err
