"""The diffusers engine's own environment, with small wheels in the place of the real ones; no network."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from modelsearch_core.errors import ModelSearchError


@pytest.fixture
def environment(webui: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    info = "tiny-1.0.dist-info"
    with zipfile.ZipFile(tmp_path / "tiny-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "VERSION = '1.0'\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    found = webui.ours("environment")
    monkeypatch.setattr(found, "_tested", lambda installer: ["tiny==1.0"])
    monkeypatch.setattr(found, "NEEDED", ("import tiny, numpy",))
    return found


def test_it_has_its_own_packages_and_the_webuis_behind_them(environment: Any, tmp_path: Path):
    import numpy

    folder = tmp_path / "diffusers"
    python = environment.python_with_diffusers(folder)
    code = "import numpy, tiny; print(numpy.__file__); print(tiny.__file__)"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    theirs, ours = done.stdout.split()
    assert theirs == numpy.__file__ and Path(ours).is_relative_to(folder)
    stamped = (folder / environment.STAMP).stat().st_mtime_ns
    assert environment.python_with_diffusers(folder) == python
    assert (folder / environment.STAMP).stat().st_mtime_ns == stamped  # made once


def test_one_in_which_the_engine_does_not_start_is_refused_with_the_way_out(
    environment: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(environment, "NEEDED", ("import tiny", "import not_there"))
    with pytest.raises(
        ModelSearchError, match=r"`import not_there` fails .*No module.*Let this WebUI make the pictures"
    ):
        environment.python_with_diffusers(tmp_path / "diffusers")
    assert not (tmp_path / "diffusers" / environment.STAMP).exists()  # the next start tries again


def test_the_tested_versions_are_those_of_the_project(webui: Any):
    environment = webui.ours("environment")
    names = {line.partition("=")[0] for line in environment._tested(environment._installer())}
    assert names == set(environment.STACK)
