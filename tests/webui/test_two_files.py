"""Models of two files in the script and in the plot: one choice, whose file goes with the chosen checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.indexing.folders import make_folder
from tests.making.clip import clip_folder
from tests.webui.collection import fill, painted
from tests.webui.conftest import use_folders
from tests.webui.test_script import processing

LORAS = ("red high_noise", "red low_noise", "blue")
CHECKPOINTS = ("grey high_noise checkpoint", "grey low_noise checkpoint")


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("two_files")
    folders = [base / "models" / "Lora", base / "models" / "Stable-diffusion"]
    for folder, names in zip(folders, (LORAS, CHECKPOINTS), strict=True):
        make_folder(folder, names)
    fill(base / "modelsearch" / "catalog.sqlite", folders, clip_folder(base / "clip"))
    return base


@pytest.fixture
def two_files(webui: Any, indexed: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The stubs, over small files that stand for Wan's."""
    monkeypatch.setattr(webui.find("modelsearch_core.pairs"), "PAIRED", ("sd15",))  # as it is imported by now
    use_folders(webui.find, indexed)
    return webui


def choose_checkpoint(webui: Any, noise: str) -> None:
    webui.find("modules.shared").opts.sd_model_checkpoint = f"grey {noise}_noise checkpoint"


def tags(prompt: str) -> list[str]:
    return [part.partition(":")[0] for part in prompt.split("<lora:")[1:]]


@pytest.mark.parametrize("noise", ["high", "low"])
def test_the_script_adds_one_file_that_goes_with_the_checkpoint(two_files: Any, noise: str):
    choose_checkpoint(two_files, noise)
    p = processing()
    two_files.ours("picking").apply(p, True, "picture", painted("red"), 3, 0.0, False)
    assert sorted(tags(p.all_prompts[0])) == ["blue", f"red {noise}_noise"]
    assert f"red {noise}_noise " in p.extra_generation_params["Model Search"]


@pytest.mark.parametrize("noise", ["high", "low"])
def test_the_plot_counts_both_files_as_one_rank(two_files: Any, noise: str):
    choose_checkpoint(two_files, noise)
    ranked = two_files.ours("axis").ranked
    found = [ranked("a harbour", rank) for rank in (1, 2, 3)]
    assert {each[0] for each in found if each} == {"blue", f"red {noise}_noise"} and found[2] is None


def test_a_file_that_the_webui_lists_without_its_other_is_taken_as_it_is(two_files: Any):
    choose_checkpoint(two_files, "low")
    networks = two_files.find("networks")
    for names in (networks.available_networks, networks.available_network_aliases):
        names.pop("red low_noise")
    p = processing()
    two_files.ours("picking").apply(p, True, "picture", painted("red"), 3, 0.0, False)
    assert sorted(tags(p.all_prompts[0])) == ["blue", "red high_noise"]
    ranked = two_files.ours("axis").ranked
    names = {each[0] for rank in (1, 2, 3) if (each := ranked("a harbour", rank))}
    assert names == {"blue", "red high_noise"}
