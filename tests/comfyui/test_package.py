"""What ComfyUI's registry and its Templates dialog get."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.comfyui import pack
from tests.comfyui.pack import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomllib", reason="needs Python 3.11")

WORKFLOWS = sorted((ROOT / "example_workflows").glob("*.json"))
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def test_there_is_a_workflow_for_each_task():
    assert len(WORKFLOWS) == 3


@each_workflow
def test_a_workflow_has_a_picture_beside_it(path: Path):
    with Image.open(path.with_suffix(".jpg")) as picture:
        assert picture.width >= 600


@each_workflow
def test_a_workflow_has_our_nodes_with_all_their_sockets(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    known = pack.load(monkeypatch, tmp_path).NODE_CLASS_MAPPINGS
    nodes = [node for node in json.loads(path.read_text("utf-8"))["nodes"] if node["type"].startswith("ModelSearch")]
    assert len(nodes) >= 2
    for node in nodes:
        types = known[node["type"]].INPUT_TYPES()
        inputs = {*types.get("required", {}), *types.get("optional", {})}
        assert {each["name"] for each in node["inputs"]} == inputs
        assert [each["name"] for each in node["outputs"]] == list(known[node["type"]].RETURN_NAMES)


@each_workflow
def test_no_workflow_names_a_model_that_a_user_may_not_have(path: Path):
    graph: dict[str, Any] = json.loads(path.read_text("utf-8"))
    for node in graph["nodes"]:
        wired = {each["name"] for each in node["inputs"] if each.get("link") is not None}
        assert {"CheckpointLoaderSimple": "ckpt_name", "LoraLoader": "lora_name"}.get(node["type"], "") in {"", *wired}


def test_the_registrys_fields_are_filled_in():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    comfy = project["tool"]["comfy"]
    assert {"PublisherId", "DisplayName", "Icon", "requires-comfyui"} == comfy.keys()  # `web` would load all js twice
    assert "comfyui" not in project["project"]["name"].casefold()
    assert (ROOT / comfy["Icon"]).is_file()


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ComfyUI's registry packs: the repository's files but for those that `.comfyignore` names."""
    folder = tmp_path_factory.mktemp("package")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = (ROOT / ".comfyignore").read_text("utf-8").splitlines()
    left_out = tuple(line for line in lines if line and line[0] != "#")
    for name in listed.split("\0"):
        if name and not name.startswith(left_out):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def test_the_package_holds_no_pictures_but_the_workflows_and_what_is_painted(package: Path):
    large = {path.relative_to(package).parts[0] for path in package.rglob("*") if path.stat().st_size > 50_000}
    assert large <= {"example_workflows", "modelsearch_core"}
    assert sum(path.stat().st_size for path in package.rglob("*")) < 5_000_000


def test_what_installs_is_in_the_package(package: Path):
    named = re.findall(r'HERE / "((?:requirements|constraints)[^"]*)"', (package / "install.py").read_text("utf-8"))
    assert named
    assert [name for name in named if not (package / name).is_file() and "dev" not in name] == []


def test_the_demo_says_that_its_models_are_not_in_the_package(package: Path, tmp_path: Path):
    command = [sys.executable, "-m", "modelsearch_core.cli", "demo", "--out", str(tmp_path / "demo")]
    done = subprocess.run(command, cwd=package, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "it comes with the repository, not with the package" in done.stderr
    assert not (tmp_path / "demo").exists()


def test_only_what_nobody_runs_is_left_out_of_the_package():
    left_out = [line for line in (ROOT / ".comfyignore").read_text("utf-8").splitlines() if line and line[0] != "#"]
    needed = {"nodes/", "web/", "modelsearch_core/", "scripts/", "javascript/", "locales/", "example_workflows/"}
    assert needed.isdisjoint(left_out)
    assert "tests/" in left_out


def test_comfy_clis_validation_has_no_warning(needs_comfyui: None, tmp_path: Path):
    program = Path(os.environ.get("COMFYUI_PYTHON", sys.executable)).with_name("comfy")
    if not program.is_file():
        pytest.skip("comfy-cli is not installed beside COMFYUI_PYTHON")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # ruff, which it runs
    done = subprocess.run(
        [program, "--skip-prompt", "node", "validate"],
        cwd=ROOT,
        env={**os.environ, "HOME": str(tmp_path), "DO_NOT_TRACK": "1", "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "warning" not in said.casefold(), said
