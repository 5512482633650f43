"""The emoji zoo's pictures and words, on a package of two drawings that is made here; nothing is fetched."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.emoji_zoo import looks, models, notice, packages, painters, picture_sets, pictures, scenes, subjects
from benchmarks.emoji_zoo.pictures import PictureSet
from benchmarks.emoji_zoo.tints import TINTS, tinted

RED, BLUE = '<path fill="#f00" d="M0 0h10v10H0z"/>', '<path fill="#00f" d="M0 0h10v10H0z"/>'
SCENE = scenes.Scene(subject="cat", artist="noto", background="white", size=0.5, x=0.5, y=0.5, seed=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As npm would have packed two sets; the second has no dog."""
    drawn = {"cat": {"body": RED}, "dog": {"body": BLUE}}
    shelf = tmp_path / "npm"
    write(
        shelf,
        packages.SETS["noto"],
        {"icons": drawn, "aliases": {"puss": {"parent": "cat"}}, "width": 10, "height": 10},
    )
    write(shelf, packages.SETS["emojione"], {"icons": {"cat": {"body": BLUE}}, "width": 10, "height": 10})
    return shelf


def write(shelf: Path, package: packages.Package, icons: object) -> None:
    shelf.mkdir(exist_ok=True)
    content = json.dumps(icons).encode()
    with tarfile.open(shelf / package.file, "w:gz") as archive:
        member = tarfile.TarInfo("package/icons.json")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))


def test_a_drawing_lies_where_the_scene_says_on_its_background(folder: Path):
    picture = scenes.render(SCENE, folder)
    assert picture.shape == (128, 128, 3)
    assert tuple(picture[64, 64]) == (255, 0, 0)
    inside = (picture == (255, 0, 0)).all(axis=-1)
    rows, columns = np.nonzero(inside)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (32, 95, 32, 95)
    assert picture[0, 0].min() > 225  # white, by a little


def test_an_alias_is_drawn_as_what_it_stands_for(folder: Path):
    assert packages.svg("noto", "puss", folder) == packages.svg("noto", "cat", folder)
    assert packages.has("noto", "puss", folder) and not packages.has("noto", "bird", folder)


@pytest.mark.parametrize("background", scenes.BACKGROUNDS)
def test_every_background_is_its_own_and_the_same_again(background: str, folder: Path):
    there = replace(SCENE, background=background, size=0.1)
    picture = scenes.render(there, folder)
    assert np.array_equal(picture, scenes.render(there, folder))
    others = [scenes.render(replace(there, background=b), folder) for b in scenes.BACKGROUNDS if b != background]
    assert min(np.abs(picture.astype(int) - other).mean() for other in others) > 5


@pytest.mark.parametrize(
    ("subject", "words"),
    [("cat", "a cat at night under the stars"), ("orange", "an orange at night under the stars"),
     ("umbrella", "an umbrella at night under the stars"), ("unicorn", "a unicorn at night under the stars"),
     ("glasses", "glasses at night under the stars"), ("sun", "the sun at night under the stars")],
)  # fmt: skip
def test_captions_are_english(subject: str, words: str):
    assert scenes.caption(replace(SCENE, subject=subject, background="night")) == words


def test_who_lacks_a_subject_leaves_it_to_the_first_artist(folder: Path):
    both = PictureSet(count=40, seed=5, subjects=("dog", "cat"), artists=("noto", "emojione"))
    shown = [pictures.shown(both, index, folder).scene for index in range(40)]
    assert {(scene.subject, scene.artist) for scene in shown} == {("dog", "noto"), ("cat", "noto"), ("cat", "emojione")}


def test_a_set_is_drawn_once_and_kept(folder: Path):
    few = PictureSet(count=3, seed=6, subjects=("dog", "cat"))
    images, what = pictures.load(few, folder.parent)
    packages_gone = folder / packages.SETS["noto"].file
    assert images.shape == (3, 128, 128, 3) and [one.painter for one in what] == [None] * 3
    kept = next((folder.parent / "pictures").glob("*.npy"))
    assert kept.stem == few.name
    before = kept.stat().st_mtime_ns
    assert np.array_equal(pictures.load(few, folder.parent)[0], images)
    assert kept.stat().st_mtime_ns == before and packages_gone.exists()


def test_a_sets_name_tells_its_settings_apart():
    plain = PictureSet(count=3, seed=6)
    others = [
        replace(plain, count=4),
        replace(plain, seed=7),
        replace(plain, subjects=("dog",)),
        replace(plain, tint="mint"),
    ]
    others += [replace(plain, painted=0.5), replace(plain, artists=("openmoji",))]
    assert len({each.name for each in (plain, *others)}) == 1 + len(others)


def test_a_tint_keeps_only_lightness():
    grey = np.full((2, 2, 3), 128, dtype=np.uint8)
    assert np.ptp(tinted(grey, "grey").reshape(-1, 3), axis=1).max() == 0
    for _, colours in TINTS.values():
        assert all(0 <= value <= 255 for colour in colours for value in colour)
    black = np.zeros((2, 2, 3), dtype=np.uint8)
    assert tuple(tinted(black, "sepia")[0, 0]) == TINTS["sepia"][1][0]


def test_subjects_are_many_and_none_is_both_known_and_new():
    assert len(subjects.BASE_SUBJECTS) >= 120
    assert not subjects.NEW_SUBJECTS.keys() & subjects.BASE_SUBJECTS.keys()
    assert subjects.SUBJECTS.keys() >= subjects.LEFT_OUT | set(looks.UNSEEN_SUBJECTS)
    assert set(subjects.EMOJI) <= subjects.SUBJECTS.keys()


def test_looks_are_named_for_all_and_differently():
    assert looks.ARTISTS.keys() == packages.SETS.keys()
    assert len(looks.PAINTERS) == painters.COUNT
    names = [words for look in (*looks.ARTISTS.values(), *looks.PAINTERS) for words in look]
    assert len(set(names)) == len(names)


def test_the_zoo_holds_what_people_have():
    loras, checkpoints = models.loras(), models.checkpoints()
    plans = [*loras, *checkpoints]
    assert len(loras) >= 30 and len(checkpoints) >= 4
    assert len({plan.file for plan in plans}) == len({plan.seed for plan in plans}) == len(plans)
    assert {"artist", "painter", "subject", "tint", "weak", "overtrained", "dora"} <= {plan.category for plan in loras}
    assert {plan.subjects[0] for plan in loras if plan.subjects} <= subjects.NEW_SUBJECTS.keys()
    assert all(plan.description for plan in plans)
    assert all(set(plan.subjects) <= subjects.BASE_SUBJECTS.keys() and len(plan.subjects) > 1 for plan in checkpoints)


def test_picture_sets_show_the_same_scenes_by_every_hand(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(picture_sets, "BASE_SUBJECTS", {"cat": "animal", "dog": "animal"})
    monkeypatch.setattr(picture_sets, "SETS", {name: packages.SETS[name] for name in ("noto", "emojione")})
    picture_sets.build(tmp_path / "out", folder.parent, pictures=5, queries=2, names=("noto", "emojione"))
    told = json.loads((tmp_path / "out" / "sets.json").read_text())
    assert {scene["subject"] for scene in told["scenes"]["sets"]} == {"cat"}  # the one that both have
    asked = {scene["caption"] for scene in told["scenes"]["queries"]}
    assert asked and not asked & {scene["caption"] for scene in told["scenes"]["sets"]}
    noto, other = (np.asarray(Image.open(tmp_path / "out/sets" / name / "00.webp")) for name in ("noto", "emojione"))
    reddish, bluish = (
        (picture == colour).all(axis=-1) for picture, colour in ((noto, (255, 0, 0)), (other, (0, 0, 255)))
    )
    assert reddish.any() and np.array_equal(reddish, bluish) and np.array_equal(noto[~reddish], other[~bluish])
    assert {len(list(each.iterdir())) for each in (tmp_path / "out/queries").iterdir()} == {2}


def test_everybodys_work_is_named_with_its_licence(tmp_path: Path):
    notice.write(tmp_path)
    for file in ("README.md", "NOTICE"):
        text = (tmp_path / file).read_text(encoding="utf-8")
        for package in (*packages.SETS.values(), packages.WORDS, *notice.OTHERS):
            assert all(part in text for part in (f"{package.name} {package.version}", package.author, package.licence))
    assert "`garage-final.safetensors`" in (tmp_path / "README.md").read_text(encoding="utf-8")  # of OpenMoji's look
