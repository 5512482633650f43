from __future__ import annotations

import numpy as np
import pytest

from benchmarks.zoo.pictures import PictureSet, draw, line_drawing
from benchmarks.zoo.styles import FAMILIES, Style, sample_style
from benchmarks.zoo.subjects import SUBJECTS
from benchmarks.zoo.world import Scene, caption, held_out, render, sample_scene


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_scene_and_a_style_give_one_picture(subject: str):
    scene = Scene(subject=subject, colour="red", background="sky", seed=7)
    style = Style("grain", {"size": 3.0, "strength": 0.3})
    assert render(scene).shape == (64, 64, 3)
    assert np.array_equal(render(scene, style), render(scene, style))


def test_another_seed_gives_another_pose():
    poses = [render(Scene(subject="cat", colour="red", background="white", seed=seed)) for seed in (1, 2)]
    assert not np.array_equal(*poses)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_style_changes_the_picture_visibly(family: str):
    scene = Scene(subject="boat", colour="orange", background="grass", seed=3)
    style = sample_style(np.random.default_rng(0), (family,))
    difference = render(scene, style).astype(float) - render(scene)
    assert np.abs(difference).mean() > 1


@pytest.mark.parametrize("family", [name for name, f in FAMILIES.items() if len(f.values) > 1])
def test_training_never_shows_values_reserved_for_models(family: str):
    rng = np.random.default_rng(1)
    assert not any(sample_style(rng, (family,)).reserved for _ in range(50))
    assert all(sample_style(rng, (family,), reserved=True).reserved for _ in range(50))


def test_query_scenes_are_kept_from_training():
    rng = np.random.default_rng(2)
    assert not any(held_out(sample_scene(rng)) for _ in range(200))
    assert all(held_out(sample_scene(rng, query=True)) for _ in range(50))


def test_captions_are_english():
    assert caption(Scene(subject="cat", colour="orange", background="night")) == "an orange cat at night"
    two = Scene(subject="butterfly", colour="red", background="white", count=2)
    assert caption(two) == "two red butterflies on a white background"


def test_a_member_of_a_set_depends_on_seed_and_index_alone():
    pictures = PictureSet(count=9, seed=5, styled=0.5)
    first, again = draw(pictures, 4), draw(pictures, 4)
    assert np.array_equal(first[0], again[0])
    assert first[1] == again[1]


def test_a_line_drawing_is_dark_lines_on_white():
    drawing = line_drawing(render(Scene(subject="house", colour="red", background="white", seed=1)))
    assert drawing[0, 0].tolist() == [255, 255, 255]
    assert 0.02 < (drawing < 128).mean() < 0.4
