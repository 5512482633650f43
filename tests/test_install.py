"""install.py as people and hosts run it: a copy of it, small wheels made here, a stub of a WebUI; no network."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
# A stand-in of the core's command line: says where it runs, what it was told and which `tiny` it has.
COMMAND_LINE = """
import os, sys, tiny
print(tiny.VERSION, *sys.argv[1:], os.getcwd())
sys.exit(3)
"""
WEBUI = """
import pathlib
def run_pip(command, desc=None, live=None):
    with open(pathlib.Path(__file__).with_name("log.txt"), "a") as log:
        print(command, "|", desc, file=log)
"""


@pytest.fixture
def install() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install_under_test", ROOT / "install.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with install.py, one requirement and a command line of a few lines."""
    folder = tmp_path / "a clone"
    (folder / "modelsearch_core" / "cli").mkdir(parents=True)
    (folder / "install.py").write_bytes((ROOT / "install.py").read_bytes())
    (folder / "modelsearch_core" / "__init__.py").touch()
    (folder / "modelsearch_core" / "cli" / "__init__.py").touch()
    (folder / "modelsearch_core" / "cli" / "__main__.py").write_text(COMMAND_LINE)
    (folder / "requirements.txt").write_text("# one\ntiny>=1\n")
    (folder / "requirements-dev.txt").write_text("tiny_tests\n")
    (folder / "constraints.txt").write_text("tiny==1.0\n")
    return folder


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder of wheels: tiny 1.0 and 2.0."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    for version in ("1.0", "2.0"):
        make_wheel(folder, "tiny", version)
    return folder


def make_wheel(folder: Path, name: str, version: str) -> None:
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"VERSION = '{version}'\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def run(clone: Path, *words: str, python: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """install.py from another folder, by the Python that environments are made from."""
    variables = {
        key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "PYTHONPATH", "CONDA_"))
    }
    return subprocess.run(
        [python or base_python(), str(clone / "install.py"), *words],
        cwd=clone.parent,
        env={**variables, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def base_python() -> str:
    return getattr(sys, "_base_executable", "") if os.name == "nt" else str(Path(sys.executable).resolve())


def best_time(clone: Path, *words: str, **environment: str) -> float:
    def timed() -> float:
        start = time.perf_counter()
        run(clone, *words, **environment)
        return time.perf_counter() - start

    return min(timed() for _ in range(3))


def test_the_first_run_makes_an_environment_and_the_next_goes_straight_on(clone: Path, shelf: Path):
    failed = run(clone, "search")
    assert failed.returncode == 2
    assert "tiny>=1" in failed.stderr and "Run the same command again" in failed.stderr

    first = run(clone, "search", "--text", "ink wash", PIP_FIND_LINKS=str(shelf))
    assert first.returncode == 3, first.stderr  # the command's own
    assert (
        first.stdout.strip() == f"1.0 search --text ink wash {clone.parent}"
    )  # the pinned one, in the caller's folder
    assert "installing packages" in first.stderr

    second = run(clone, "search")
    assert (second.returncode, second.stderr) == (3, "")
    assert best_time(clone, "search") < 1

    assert "tiny_tests" in run(clone, "test", PIP_FIND_LINKS=str(shelf)).stderr  # asked for, and not on the shelf
    (clone / "constraints.txt").write_text("tiny==2.0\n")
    assert run(clone, "search", PIP_FIND_LINKS=str(shelf)).stdout.startswith("2.0")


def test_the_set_up_leaves_a_command_that_runs_in_any_folder(clone: Path, shelf: Path):
    assert run(clone, "status", PIP_FIND_LINKS=str(shelf)).returncode == 3
    command = next((clone / ".venv").glob("*/modelsearch*"))
    done = subprocess.run([command, "--text", "ink wash"], cwd=shelf, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (3, f"1.0 --text ink wash {shelf}")
    bare = subprocess.run([command], cwd=shelf, capture_output=True, text=True, check=False)
    assert (bare.returncode, bare.stdout.strip()) == (3, f"1.0 {shelf}")  # not what install.py says without a command
    command.unlink()
    run(clone, "status")
    assert command.is_file()


@pytest.mark.parametrize(
    ("gpu", "builds", "version"), [(False, True, "1.0+cpu"), (False, False, "1.0"), (True, False, "1.0")]
)
def test_where_no_gpu_is_torch_comes_without_cuda_if_it_can_be_had(
    gpu: bool,
    builds: bool,
    version: str,
    install: ModuleType,
    clone: Path,
    shelf: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    for name in install.CUDA_BUILDS:
        for built in ("1.0", *(["1.0+cpu"] if builds else [])):
            make_wheel(shelf, name, built)
    (clone / "requirements.txt").write_text("torch>=0.1\ntorchvision\n")
    (clone / "constraints.txt").write_text("torch==1.0\ntorchvision==1.0\n")
    for name in ("VENV", "REQUIREMENTS", "CONSTRAINTS"):
        monkeypatch.setattr(install, name, clone / getattr(install, name).name)
    monkeypatch.setattr(install, "in_own_environment", lambda: False)
    monkeypatch.setattr(install, "has_nvidia_gpu", lambda: gpu)
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(shelf), "PIP_CONFIG_FILE": os.devnull}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "executable", base_python())
    python = install.prepared_python(None)
    code = "import torch, torchvision; print(torch.VERSION, torchvision.VERSION)"
    told = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert told == [version, version]
    assert ("without CUDA: the build for NVIDIA GPUs" in capsys.readouterr().err) == (not gpu and not builds)


def test_a_build_that_is_there_is_not_changed_for_another(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "lib" / "python3" / "site-packages" / "torch-1.0+cu999.dist-info").mkdir(parents=True)
    (tmp_path / "constraints.txt").write_text("torch==1.0\n")
    monkeypatch.setattr(install, "VENV", tmp_path)
    monkeypatch.setattr(install, "CONSTRAINTS", tmp_path / "constraints.txt")
    monkeypatch.setattr(install, "pip", lambda *words: pytest.fail(f"pip {words}"))
    install.install_torch_without_cuda("python")


def test_without_pip_for_the_environment_debians_package_is_named(clone: Path):
    if os.name == "nt":
        pytest.skip("the stand-in is a shell script")
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho No module named ensurepip >&2\nexit 1\n")
    python.chmod(0o755)
    done = run(clone, "demo")
    assert done.returncode == 2
    assert "No module named ensurepip" in done.stderr and "apt install python3-venv" in done.stderr


def test_a_python_too_old_or_too_new_is_told(install: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(install, "in_own_environment", lambda: False)
    monkeypatch.setattr(install, "VENV", tmp_path / "none")
    for version, words in (((3, 9, 1), "3.10 or newer"), ((3, 99, 0), "not yet built")):
        monkeypatch.setattr(sys, "version_info", version)
        with pytest.raises(install.SetupError, match=words):
            install.prepared_python(None)


def test_an_old_python_can_read_the_file_to_say_so():
    ast.parse((ROOT / "install.py").read_text(encoding="utf-8"), feature_version=(3, 7))


@pytest.mark.parametrize(
    ("virtual", "conda", "embedded", "torch", "own"),
    [
        (True, False, False, True, True),
        (True, False, False, False, False),
        (False, True, False, True, True),
        (False, False, True, True, True),
        (False, False, False, True, False),
    ],
)
def test_an_environment_with_torch_is_used_as_it_is(
    virtual: bool,
    conda: bool,
    embedded: bool,
    torch: bool,
    own: bool,
    install: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path / "base" if virtual else tmp_path))
    monkeypatch.setenv("CONDA_PREFIX", str(tmp_path) if conda else "")
    monkeypatch.setattr(install, "found", {"torch": torch, "venv": not embedded}.__getitem__)
    assert install.in_own_environment() is own
    monkeypatch.setattr(install, "VENV", tmp_path.resolve())
    assert install.in_own_environment() is (own and not virtual)


def test_what_an_environment_lacks_is_installed_and_what_it_has_is_held(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(install, "found", lambda module: module not in ("diffusers", "controlnet_aux", "timm"))
    lines = ["numpy>=1.26", "diffusers>=0.31", "controlnet_aux>=0.0.7"]
    assert next(install.missing_installs([*lines, "timm>=0.9.12"]))[1] == ["diffusers", "timm"]  # each once
    calls = install.missing_installs(lines)
    (constraint, *packages), names = next(calls)
    held = Path(constraint.removeprefix("--constraint=")).read_text(encoding="utf-8").splitlines()
    assert f"numpy=={importlib.metadata.version('numpy')}" in held
    assert packages == ["diffusers>=0.31", "timm"] and names == ["diffusers", "timm"]
    assert next(calls)[0] == ["--no-deps", "controlnet_aux>=0.0.7"]  # a second OpenCV would be written over the first


def test_a_real_environment_with_torch_keeps_its_versions(clone: Path, shelf: Path):
    """In it are a torch, and a `tiny` older than the newest; `extra`, which wants a newer one, is refused."""
    venv = clone.parent / "venv"
    subprocess.run([base_python(), "-m", "venv", str(venv)], check=True)
    python = str(venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    make_wheel(shelf, "torch", "1.0+cu999")
    make_wheel(shelf, "extra", "1.0")
    (clone / "requirements.txt").write_text("tiny>=1\nextra\ntorch>=0.1\n")
    shelved = {"PIP_FIND_LINKS": str(shelf), "PIP_NO_INDEX": "1"}
    command = [python, "-m", "pip", "install", "--quiet", "tiny==1.0", "torch"]
    subprocess.run(command, env={**os.environ, **shelved}, check=True)
    done = run(clone, "status", python=python, **shelved)
    assert done.stdout.startswith("1.0 status") and "Installing collected packages: extra" in done.stderr
    assert not (clone / ".venv").exists()
    assert run(clone, "status", python=python).stderr == ""


def test_comfyui_is_left_alone_quickly_and_silently(clone: Path):
    done = run(clone, COMFYUI_PATH=str(clone.parent))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (clone / ".venv").exists()
    assert best_time(clone, COMFYUI_PATH=str(clone.parent)) < 1


def test_a_person_who_names_no_command_is_told_them(clone: Path):
    assert "install.py demo" in run(clone).stdout
    assert "install.py demo" in run(clone, "--help").stdout
    assert not (clone / ".venv").exists()


def test_a_webui_is_given_what_it_lacks_through_its_own_installer(clone: Path, tmp_path: Path):
    webui = tmp_path / "webui"
    webui.mkdir()
    (webui / "launch.py").write_text(WEBUI)
    assert run(clone, PYTHONPATH=str(webui)).stdout == ""
    command, _, said = (webui / "log.txt").read_text().strip().partition(" | ")
    assert re.fullmatch(r'install "--constraint=[^"]+installed\.txt" "tiny>=1"', command)
    assert said == "tiny for Model Search"


def test_a_webui_that_lacks_nothing_is_not_even_asked(clone: Path, tmp_path: Path):
    (tmp_path / "launch.py").write_text("raise SystemExit('imported')")
    (tmp_path / "tiny.py").touch()
    done = run(clone, PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert best_time(clone, PYTHONPATH=str(tmp_path)) < 1


def test_a_webui_starts_although_a_package_could_not_be_had(clone: Path, tmp_path: Path):
    (tmp_path / "launch.py").write_text("def run_pip(*words): raise RuntimeError('no network')")
    done = run(clone, PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr.strip()) == (0, "Model Search: no network")


def test_the_project_and_the_installers_ask_for_the_same_packages():
    tomllib = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert sorted(project["dependencies"]) == requirement_lines("requirements.txt")
    for extra, file in (("dev", "requirements-dev.txt"), ("server", "requirements-server.txt")):
        assert sorted(project["optional-dependencies"][extra]) == requirement_lines(file)


def test_everything_that_is_required_is_pinned():
    pinned = {re.split("[=;]", line)[0] for line in requirement_lines("constraints.txt")}
    required = requirement_lines("requirements.txt") + requirement_lines("requirements-dev.txt")
    assert {line.partition(">=")[0] for line in required} <= pinned


def requirement_lines(name: str) -> list[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return sorted(line for line in lines if line and not line.startswith("#"))


def test_ci_runs_the_command_of_the_readme():
    assert "python install.py test" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "install.py test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1]


# What newer packages did to older ones: something that the host brings along fails once `extra` is there.
FRAGILE = """
try:
    import extra
except ImportError:
    pass
else:
    raise RuntimeError("no clear_device_cache")
"""
INSTALLING_WEBUI = """
import shlex, subprocess, sys
def run_pip(command, desc=None, live=None):
    subprocess.run([sys.executable, "-m", "pip", "--quiet", *shlex.split(command)], check=True)
"""


def test_what_breaks_a_webui_is_taken_out_again_and_not_tried_twice(clone: Path, shelf: Path):
    venv = clone.parent / "venv"
    subprocess.run([base_python(), "-m", "venv", str(venv)], check=True)
    python = str(venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    (packages,) = venv.glob("[Ll]ib/**/site-packages")
    (packages / "accelerate.py").write_text(FRAGILE)
    webui = clone.parent / "webui"
    webui.mkdir()
    (webui / "launch.py").write_text(INSTALLING_WEBUI)
    make_wheel(shelf, "extra", "1.0")
    (clone / "requirements.txt").write_text("tiny>=1\nextra\n")
    around = {"PYTHONPATH": str(webui), "PIP_FIND_LINKS": str(shelf)}
    first, second = run(clone, python=python, **around), run(clone, python=python, **around)
    assert (first.returncode, second.returncode) == (0, 0)
    assert "with extra==1.0, tiny==2.0 `import accelerate` failed (RuntimeError: no clear_device_cache)" in first.stderr
    assert "they were taken out again" in second.stderr
    assert not list(packages.glob("extra*")) and not list(packages.glob("tiny*"))
    (clone / "requirements.txt").write_text("tiny>=1\n")  # an update of ours
    third = run(clone, python=python, **around)
    assert (third.stderr, third.returncode) == ("", 0) and list(packages.glob("tiny*"))


def test_a_webui_gets_nothing_of_the_diffusers_engine(clone: Path, tmp_path: Path):
    webui = tmp_path / "webui"
    webui.mkdir()
    (webui / "launch.py").write_text(WEBUI)
    (clone / "requirements.txt").write_text("accelerate>=0.26\ndiffusers>=0.31\npeft>=0.10\ntiny>=1\n")
    run(clone, PYTHONPATH=str(webui))
    assert (webui / "log.txt").read_text().strip().endswith("| tiny for Model Search")
