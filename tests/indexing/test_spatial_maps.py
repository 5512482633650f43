"""Maps of models' pictures: of new ones and of those indexed before, whatever fails."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelsearch_core.catalog import Catalog
from modelsearch_core.catalog.records import from_webp
from modelsearch_core.embedding import Features
from modelsearch_core.indexing import Engine, IndexSettings, Report, index
from tests.indexing.folders import make_folder
from tests.making.fakes import ColourEncoder, ColourGenerator, SidesEncoder

SAMPLES = 4


class Broken(SidesEncoder):
    """Fails at the pictures of the model that paints blue."""

    def encode_images(self, images: Sequence[Image.Image]) -> Features:
        maps = super().encode_images(images)
        if maps[:, 2].any():
            raise MemoryError("no room for blue")
        return maps


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_folder(tmp_path / "models", ["base checkpoint", "red", "blue"])
    return tmp_path


def run(folder: Path, spatial: SidesEncoder | None, **settings: object) -> Report:
    engine = Engine(
        encoder=ColourEncoder(),
        encoder_source="colours",
        generator_for=ColourGenerator,
        draw=lambda image: image,
        spatial=spatial,
        spatial_source="sides",
    )
    with Catalog(folder / "catalog.sqlite") as catalog:
        return index(catalog, [folder / "models"], engine, IndexSettings(**{"samples": SAMPLES, **settings}))


def maps(folder: Path) -> dict[tuple[str, str], int]:
    with Catalog(folder / "catalog.sqlite") as catalog:
        return catalog.spatial.samples(SidesEncoder.name)


def names(paths: Sequence[Path]) -> set[str]:
    return {path.stem for path in paths}


def test_the_map_is_the_mean_of_the_kept_pictures_unit_maps(folder: Path):
    run(folder, SidesEncoder())
    with Catalog(folder / "catalog.sqlite") as catalog:
        (fingerprint, digest), *_ = catalog.spatial.samples(SidesEncoder.name)
        pictures = [from_webp(catalog.sample(fingerprint, digest, n) or b"") for n in range(SAMPLES)]
        found = catalog.spatial.get(fingerprint, digest, SidesEncoder.name)
    of_pictures = SidesEncoder().encode_images(pictures)
    assert found is not None
    assert np.allclose(found.mean, of_pictures.mean(axis=0), atol=1e-3)
    assert np.allclose(np.linalg.norm(found.single.astype(np.float32), axis=1), 1, atol=1e-3)
    assert all(np.abs(of_pictures - row).max(axis=1).min() < 1e-3 for row in found.single)


def test_models_indexed_before_get_maps_without_generating_again(folder: Path):
    run(folder, None)
    assert maps(folder) == {}
    report = run(folder, SidesEncoder())
    assert report.images == 0
    assert names(report.mapped) == {"base checkpoint", "red", "blue"}
    assert set(maps(folder).values()) == {SAMPLES}


def test_quick_maps_what_is_kept_and_generates_nothing(folder: Path):
    run(folder, None)
    assert names(run(folder, SidesEncoder(), quick=True).mapped) == {"base checkpoint", "red", "blue"}


def test_a_second_run_has_nothing_to_do_and_more_samples_make_a_new_map(folder: Path):
    run(folder, SidesEncoder())
    assert run(folder, SidesEncoder()).mapped == []
    assert names(run(folder, SidesEncoder(), samples=6).mapped) == {"base checkpoint", "red", "blue"}
    assert set(maps(folder).values()) == {6}


def test_a_model_that_fails_is_told_and_the_next_run_takes_it_up(folder: Path):
    report = run(folder, Broken())
    assert {path.stem: reason for path, reason in report.failed.items()} == {"blue": "MemoryError: no room for blue"}
    assert names(report.mapped) == {"base checkpoint", "red"}
    assert names(run(folder, SidesEncoder()).mapped) == {"blue"}


def test_models_without_pictures_are_left_out(folder: Path):
    report = run(folder, SidesEncoder(), quick=True)
    assert report.mapped == []
    assert report.failed == {}
