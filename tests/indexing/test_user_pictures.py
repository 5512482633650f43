"""Pictures that a user has made become evidence of the models that they name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelsearch_core.catalog import Catalog
from modelsearch_core.indexing import picture_files, silent
from modelsearch_core.indexing.user_pictures import store_pictures
from modelsearch_core.model_files import Kind
from modelsearch_core.pictures import PictureSummary
from modelsearch_core.search import ModelIndex, Query
from modelsearch_core.specification import Evidence, Specification
from tests.making.fakes import COLOURS, ColourEncoder, model_file
from tests.making.user_pictures import WRITERS, Made, write_a1111

MODELS = [
    model_file("red ink", fingerprint="red"),
    model_file("blue fog", fingerprint="blue"),
    model_file("base", kind=Kind.CHECKPOINT, fingerprint="base"),
]


class CountingEncoder(ColourEncoder):
    def __init__(self) -> None:
        self.seen = 0

    def encode_images(self, images: Sequence[Image.Image]) -> np.ndarray:
        self.seen += len(images)
        return super().encode_images(images)


class Bench:
    def __init__(self, folder: Path) -> None:
        self.pictures = folder / "outputs"
        self.pictures.mkdir()
        self.catalog = Catalog(folder / "catalog.sqlite")
        self.catalog.put_files(MODELS)
        self.encoder = CountingEncoder()
        self.catalog.put_encoder(self.encoder.name, "colours", self.encoder.dimension)

    def paint(self, name: str, colours: Sequence[str], program: str = "a1111", **made: object) -> Path:
        """A picture with a bar of each colour, as that program saves it."""
        picture = Image.new("RGB", (64, 64), "grey")
        width = 40 // len(colours)
        for turn, colour in enumerate(colours):
            picture.paste(COLOURS[colour], (turn * width, 0, (turn + 1) * width, 64))
        path = self.pictures / name
        path.parent.mkdir(parents=True, exist_ok=True)
        seed = int.from_bytes(name.encode()[-6:], "big")
        WRITERS[program](picture, path, Made(**{"prompt": f"a thing {name}", "seed": seed, **made}))  # type: ignore[arg-type]
        return path

    def look(self, *folders: Path) -> PictureSummary | None:
        self.encoder.seen = 0
        return store_pictures(self.catalog, self.encoder, list(folders) or [self.pictures], silent)

    def evidence(self) -> dict[str, int]:
        keys = self.catalog.specification_keys(self.encoder.name)
        return {fingerprint: n for fingerprint, _, of, n in keys if of is Evidence.PICTURES}

    def of(self, fingerprint: str) -> Specification:
        keys = self.catalog.specification_keys(self.encoder.name)
        digest = next(d for f, d, of, _ in keys if f == fingerprint and of is Evidence.PICTURES)
        found = self.catalog.specification(fingerprint, digest, self.encoder.name)
        assert found is not None
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_pictures_of_every_program_are_evidence_of_what_they_name(bench: Bench):
    for program in WRITERS:
        bench.paint(f"{program}.png", ["red"], program, loras={"red ink": 0.8})
    told = bench.look()
    assert bench.evidence() == {"red": 1}  # five pictures that look the same
    assert told is not None
    assert (told.files, told.telling, told.matched, told.models, told.absent) == (5, 5, 5, 1, {})


def test_a_model_is_found_by_them_with_their_prompts(bench: Bench):
    bench.paint("1.png", ["red"], loras={"red ink": 1.0}, prompt="a red square, (big:1.2)")
    bench.paint("2.png", ["blue"], loras={"blue fog": 1.0})
    bench.look()
    with ModelIndex(Catalog(bench.catalog.path, read_only=True), ColourEncoder()) as index:
        match = index.search(Query(text=["red"]))[0]
        assert (match.id, match.evidence) == ("red", Evidence.PICTURES)
        assert index.sample(match.id, match.thumbnails[0]) is not None
        assert index.collection.prompt(index.row("red ink"), 0) == "a red square, big"


def test_the_next_look_opens_and_encodes_only_what_is_new(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    opened: list[str] = []
    read = picture_files.account_at
    monkeypatch.setattr(picture_files, "account_at", lambda path: opened.append(Path(path).name) or read(path))
    bench.paint("1.png", ["red"], loras={"red ink": 1.0})
    bench.look()
    bench.paint("2.png", ["red", "green"], loras={"red ink": 1.0})
    bench.look()
    assert opened == ["1.png", "2.png"]
    assert bench.encoder.seen == 1
    assert bench.evidence() == {"red": 2}
    bench.look()
    assert bench.encoder.seen == 0


def test_a_checkpoint_has_the_pictures_without_lora(bench: Bench):
    bench.paint("1.png", ["green"], checkpoint="base")
    bench.paint("2.png", ["red"], checkpoint="base", loras={"red ink": 1.0})
    bench.look()
    assert bench.evidence() == {"base": 1, "red": 1}
    assert np.argmax(bench.of("base").Z[0]) == list(COLOURS).index("green")


def test_a_picture_of_two_lora_counts_for_each_by_its_strength(bench: Bench):
    bench.paint("1.png", ["red"], loras={"red ink": 1.0})
    bench.paint("2.png", ["blue"], loras={"red ink": 0.6, "blue fog": 0.4})
    bench.look()
    red, blue = (list(COLOURS).index(name) for name in ("red", "blue"))
    mean = bench.catalog.means(bench.encoder.name)["red", bench.of("red").digest]
    Z = np.asarray(bench.of("red").Z, np.float32)
    assert mean[red] == pytest.approx(Z[:, red] @ [1 / 1.6, 0.6 / 1.6], abs=1e-3)
    assert mean[blue] == pytest.approx(Z[:, blue] @ [1 / 1.6, 0.6 / 1.6], abs=1e-3)
    assert bench.evidence() == {"red": 2, "blue": 1}


def test_a_lora_that_is_not_there_takes_its_part_of_a_picture_and_is_told(bench: Bench):
    bench.paint("1.png", ["blue"], loras={"red ink": 0.5, "lost": 0.5})
    bench.paint("2.png", ["blue"], loras={"lost": 1.0})
    told = bench.look()
    assert told is not None
    assert dict(told.absent) == {"lost": 2}
    assert (told.matched, told.absent_pictures) == (1, 1)
    assert [row.share for row in bench.catalog.pictures.chosen("red", bench.of("red").digest)] == [0.5]


def test_moved_pictures_stay_and_deleted_ones_go(bench: Bench):
    one, two = (
        bench.paint("1.png", ["red"], loras={"red ink": 1.0}),
        bench.paint("2.png", ["blue"], loras={"blue fog": 1}),
    )
    bench.look()
    (bench.pictures / "kept").mkdir()
    one.rename(bench.pictures / "kept" / one.name)
    two.unlink()
    told = bench.look()
    assert bench.encoder.seen == 0
    assert bench.evidence() == {"red": 1}
    assert told is not None
    assert told.files == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the system's own user may read everything")
def test_a_folder_that_cannot_be_read_keeps_what_is_known_of_it(bench: Bench):
    bench.paint("sub/1.png", ["red"], loras={"red ink": 1.0})
    bench.look()
    (bench.pictures / "sub").chmod(0)
    bench.look()
    (bench.pictures / "sub").chmod(0o700)
    assert bench.evidence() == {"red": 1}


def test_a_folder_that_is_out_of_reach_keeps_what_is_known_of_it(bench: Bench):
    bench.paint("1.png", ["red"], loras={"red ink": 1.0})
    bench.look()
    bench.pictures.rename(bench.pictures.with_name("unmounted"))
    told = bench.look()
    assert bench.evidence() == {"red": 1}
    assert told is not None
    assert list(told.unread) == [str(bench.pictures)]


def test_a_broken_picture_stops_no_other(bench: Bench):
    good = bench.paint("1.png", ["red"], loras={"red ink": 1.0})
    cut = bench.paint("2.png", ["blue", "green", "pink"], loras={"red ink": 1.0})
    cut.write_bytes(cut.read_bytes()[:-100])
    (bench.pictures / "3.png").write_bytes(b"no picture")
    (bench.pictures / "4.png").mkdir()
    (bench.pictures / "5.png").symlink_to(bench.pictures / "5.png")
    told = bench.look()
    assert told is not None
    assert (told.files, told.telling) == (3, 2)
    assert [row.path for row in bench.catalog.pictures.chosen("red", bench.of("red").digest)] == [str(good)]


def test_no_folder_at_all_forgets_everything(bench: Bench):
    bench.paint("1.png", ["red"], loras={"red ink": 1.0})
    bench.look()
    store_pictures(bench.catalog, bench.encoder, (), silent)
    assert bench.evidence() == {}
    assert bench.catalog.pictures.counts() == (0, 0)
    assert store_pictures(bench.catalog, bench.encoder, None, silent) is None


def test_the_folders_are_kept_in_mind(bench: Bench):
    bench.look()
    bench.paint("1.png", ["red"], loras={"red ink": 1.0})
    told = store_pictures(bench.catalog, bench.encoder, None, silent)
    assert told is not None
    assert bench.evidence() == {"red": 1}
    assert PictureSummary.from_json(bench.catalog.setting("pictures_told")) == told


def test_they_are_the_same_folders_wherever_the_next_run_is_started(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    bench.paint("1.png", ["red"], loras={"red ink": 1.0})
    monkeypatch.chdir(bench.pictures.parent)
    store_pictures(bench.catalog, bench.encoder, [Path("outputs")], silent)
    monkeypatch.chdir("/")
    told = store_pictures(bench.catalog, bench.encoder, None, silent)
    assert told is not None
    assert (told.files, list(told.unread)) == (1, [])


def test_a_run_that_is_stopped_goes_on_where_it_was(bench: Bench):
    for n in range(3):
        write_a1111(
            Image.new("RGB", (8, 8)), bench.pictures / f"{n}.png", Made(prompt=f"{n}", loras={"red ink": 1}, seed=n)
        )

    def stop(step: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store_pictures(bench.catalog, bench.encoder, [bench.pictures], stop)
    assert bench.catalog.pictures.counts() == (3, 3)
    bench.look()
    assert bench.evidence() == {"red": 1}
