"""From folders to a filled catalog: what is asked of each model, what is stored, what happens when things break."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.trust import hostile_files
from modelsearch_core.catalog import Catalog
from modelsearch_core.errors import CatalogFaultError
from modelsearch_core.indexing import Engine, IndexSettings, Progress, Step, index, outstanding, silent
from modelsearch_core.model_files import ModelFile
from modelsearch_core.specification import Evidence
from tests.indexing.folders import make_folder
from tests.making.fakes import ColourEncoder, ColourGenerator

ROOT = Path(__file__).parents[2]


class Bench:
    """A folder, a catalog and the generators that were lent to each run."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self.models = make_folder(folder / "models", names)
        self.folder = folder / "models"
        self.catalog = Catalog(folder / "catalog.sqlite")
        self.generators: list[ColourGenerator] = []
        self.broken: list[str] = []

    def run(self, progress: Progress = silent, **settings: object):
        def generator_for(models: Sequence[ModelFile]) -> ColourGenerator:
            self.generators.append(ColourGenerator(models, broken=self.broken))
            return self.generators[-1]

        engine = Engine(
            encoder=ColourEncoder(), encoder_source="colours", generator_for=generator_for, draw=lambda image: image
        )
        return index(self.catalog, [self.folder], engine, IndexSettings(**settings), progress)  # type: ignore[arg-type]

    def asked(self) -> Counter[str]:
        return Counter(title for title, _ in self.generators[-1].asked)

    def generated(self) -> dict[str, int]:
        titles = {model.fingerprint: model.title for model in self.catalog.models()}
        keys = self.catalog.specification_keys("colours:1")
        return {titles[f]: n for f, _, evidence, n in keys if evidence is Evidence.GENERATED}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, ["base checkpoint", "red", "blue", "green"])


def test_every_model_is_generated_from_and_the_base_once(bench: Bench):
    report = bench.run(samples=6)
    assert len(report.generated) == 4
    assert report.failed == {}
    assert bench.asked() == {"base checkpoint": 6, "red": 6, "blue": 6, "green": 6}


def test_a_second_run_generates_nothing(bench: Bench):
    bench.run(samples=6)
    report = bench.run(samples=6)
    assert report.unchanged == 4
    assert bench.asked() == {}


def test_more_samples_are_added_to_those_there(bench: Bench):
    bench.run(samples=4)
    bench.run(samples=7)
    assert bench.asked()["red"] == 3
    assert bench.generated()["red"] == 7


def test_a_consistent_model_needs_no_more_than_the_first_samples(bench: Bench):
    bench.run()
    assert bench.generated()["red"] == 32


def test_an_inconsistent_model_gets_more_up_to_the_cap(tmp_path: Path):
    bench = Bench(tmp_path, ["base checkpoint", "nothing"])
    bench.run(first=4, most=9)
    assert bench.generated()["nothing"] == 9


def test_a_failing_model_is_recorded_and_the_others_go_on(bench: Bench):
    bench.broken = ["blue"]
    report = bench.run(samples=4)
    assert [path.stem for path in report.failed] == ["blue"]
    assert list(bench.catalog.failures().values()) == ["blue paints black"]
    assert bench.generated().keys() == {"base checkpoint", "red", "green"}
    bench.broken = []
    bench.run(samples=4)
    assert bench.catalog.failures() == {}


def test_a_lora_without_a_base_is_told_what_is_missing(tmp_path: Path):
    report = Bench(tmp_path, ["red"]).run(samples=2)
    assert "needs a base of architecture" in str(list(report.failed.values()))


def test_quick_stops_before_generation(bench: Bench):
    bench.run(quick=True)
    assert bench.generators == []
    evidence = {evidence for _, _, evidence, _ in bench.catalog.specification_keys("colours:1")}
    assert evidence == {Evidence.METADATA}


def test_a_picture_beside_the_file_is_evidence(bench: Bench):
    Image.new("RGB", (40, 40), (255, 0, 0)).save(bench.folder / "red.preview.png")
    bench.run(quick=True)
    keys = bench.catalog.specification_keys("colours:1")
    (key,) = [key for key in keys if key[2] is Evidence.PREVIEW]
    found = bench.catalog.specification(key[0], key[1], "colours:1")
    assert found is not None
    assert np.argmax(found.Z[0]) == 0


def test_a_renamed_file_keeps_its_samples(bench: Bench):
    bench.run(samples=3)
    (bench.folder / "red.safetensors").rename(bench.folder / "moved.safetensors")
    report = bench.run(samples=3)
    assert report.removed == 1
    assert bench.asked() == {}


def test_a_removed_file_is_dropped_and_found_again(bench: Bench):
    bench.run(samples=3)
    away = bench.folder.parent / "red.safetensors"
    (bench.folder / "red.safetensors").rename(away)
    bench.run(samples=3)
    assert "red" not in {model.title for model in bench.catalog.models()}
    away.rename(bench.folder / "red.safetensors")
    bench.run(samples=3)
    assert bench.asked() == {}


def test_a_broken_file_is_listed_with_its_reason(bench: Bench):
    (bench.folder / "broken.safetensors").write_bytes(b"\xff" * 40)
    report = bench.run(samples=2)
    assert [file.path.name for file in report.skipped] == ["broken.safetensors"]
    assert len(report.generated) == 4


def test_another_encoder_uses_the_stored_pictures(bench: Bench):
    bench.run(samples=4)

    class Second(ColourEncoder):
        name = "colours:2"

    def generator_for(models: Sequence[ModelFile]) -> ColourGenerator:
        bench.generators.append(ColourGenerator(models))
        return bench.generators[-1]

    engine = Engine(encoder=Second(), encoder_source="c", generator_for=generator_for, draw=lambda image: image)
    index(bench.catalog, [bench.folder], engine, IndexSettings(samples=4))
    assert bench.asked() == {}
    first, second = (bench.catalog.means(name) for name in ("colours:1", "colours:2"))
    assert first.keys() == second.keys()
    assert all(np.allclose(first[key], second[key]) for key in first)


def test_killed_at_any_moment_it_goes_on_where_it_was(tmp_path: Path):
    """kill -9 in the middle; nothing half-written, and the second run asks only for what is missing."""
    make_folder(tmp_path / "models", ["base checkpoint", "red", "blue", "green", "pink", "yellow"])
    script = ROOT / "tests" / "indexing" / "slow_index.py"
    command = [sys.executable, str(script), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while "red" not in process.stdout.readline():
            pass
        time.sleep(0.15)
        process.send_signal(signal.SIGKILL)
    catalog = Catalog(tmp_path / "catalog.sqlite", read_only=True)
    before = {key[0] for key in catalog.specification_keys("colours:1") if key[2] is Evidence.GENERATED}
    assert 1 <= len(before) < 6
    for fingerprint, digest, evidence, samples in catalog.specification_keys("colours:1"):
        if evidence is Evidence.GENERATED:
            assert catalog.sample_numbers(fingerprint, digest) == list(range(samples))
    catalog.close()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    again = Catalog(tmp_path / "catalog.sqlite", read_only=True)
    after = {key[0] for key in again.specification_keys("colours:1") if key[2] is Evidence.GENERATED}
    assert len(after) == 6
    assert f"{6 - len(before)} generated" in done.stdout


def test_stopped_in_the_middle_of_a_model_its_pictures_are_kept(bench: Bench):
    class Stop(BaseException):
        pass

    def stop(step: Step) -> None:
        if step.images and step.model == "red":
            raise Stop

    with pytest.raises(Stop):
        bench.run(stop, samples=8)
    (red,) = [model for model in bench.catalog.models() if model.title == "red"]
    assert red.title not in bench.generated()
    assert red in outstanding(bench.catalog, ColourEncoder(), bench.generators[-1])
    bench.run(samples=8)
    assert bench.asked()["red"] == 4
    assert outstanding(bench.catalog, ColourEncoder(), bench.generators[-1]) == []


def test_a_relative_folder_is_the_same_folder(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    bench.run(samples=2)
    monkeypatch.chdir(bench.folder.parent)
    bench.folder = Path("models")
    report = bench.run(samples=2)
    assert (report.unchanged, report.removed) == (4, 0)
    assert all(model.path.is_absolute() for model in bench.catalog.models())


@pytest.mark.parametrize("suffix", hostile_files.previews())
def test_no_preview_stops_the_rest_and_none_is_run(
    bench: Bench, suffix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (bench.folder / f"blue{suffix}").write_bytes(hostile_files.previews()[suffix])
    Image.new("RGB", (8, 8)).save(bench.folder / "red.png")
    bench.run(quick=True)
    seen = [title for title, _ in previews_stored(bench)]
    assert "red" in seen and ("blue" in seen) == (suffix in (".png", ".1²2.png"))
    assert not Path("modelsearch-was-run").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in folders")
def test_a_pipe_in_the_place_of_a_preview_is_not_waited_for(bench: Bench) -> None:
    os.mkfifo(bench.folder / "blue.png")
    (bench.folder / "red.png").symlink_to("/dev/zero")
    bench.run(quick=True)
    assert previews_stored(bench) == []


def previews_stored(bench: Bench) -> list[tuple[str, int]]:
    titles = {model.fingerprint: model.title for model in bench.catalog.models()}
    keys = bench.catalog.specification_keys("colours:1")
    return [(titles[f], n) for f, _, evidence, n in keys if evidence is Evidence.PREVIEW]


def test_two_indexers_share_the_models(tmp_path: Path) -> None:
    """Both begin at once; each model, and their base, is generated by one of them."""
    first = Bench(tmp_path, ["base checkpoint", *"abcdefgh"])
    second = Bench.__new__(Bench)
    second.folder, second.generators, second.broken = first.folder, [], []
    second.catalog = Catalog(first.catalog.path)
    first.run(quick=True)
    slow = first.generators, second.generators
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda bench: bench.run(samples=8), (first, second)))
    asked = Counter(pair for generators in slow for pair in generators[-1].asked)
    assert set(asked.values()) == {1}
    assert sum(len(report.generated) for report in reports) == 9
    assert first.generated() == dict.fromkeys(["base checkpoint", *"abcdefgh"], 8)
    assert all(not report.failed for report in reports)


def test_pictures_are_compressed_once_however_often_a_run_is_resumed(bench: Bench) -> None:
    bench.run(samples=8)
    keys = [(f, d) for f, d, *_ in bench.catalog.specification_keys("colours:1")]

    def stored() -> dict[tuple[str, str], list[bytes | None]]:
        numbers = {key: bench.catalog.sample_numbers(*key) for key in keys}
        return {key: [bench.catalog.sample(*key, n) for n in found] for key, found in numbers.items()}

    before = stored()
    bench.catalog._connection.execute("DELETE FROM specification WHERE evidence = 'generated'")
    bench.run(samples=8)
    assert bench.asked() == Counter()
    assert stored() == before
    assert sum(map(len, before.values())) >= 32


def test_a_full_disk_ends_the_run_and_is_no_fault_of_a_model(bench: Bench) -> None:
    bench.run(quick=True)
    bench.catalog._connection.execute("VACUUM")  # no page is free
    pages = bench.catalog._connection.execute("PRAGMA page_count").fetchone()[0]
    bench.catalog._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(CatalogFaultError, match="the disk is full"):
        bench.run(samples=64)
    assert bench.catalog.failures() == {}
    bench.catalog._connection.execute("PRAGMA max_page_count = 1000000")
    bench.run(samples=8)
    assert len(bench.generated()) == 4
