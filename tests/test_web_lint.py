"""The panel's scripts and styles pass their lint, where that is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OWN = ROOT / "node_modules" / ".bin"


def test_scripts_and_styles_pass_biome():
    biome = shutil.which("biome", path=OWN) or shutil.which("biome")
    if biome is None:
        pytest.skip("there is no biome; `npm install` in the repository brings it")
    done = subprocess.run([biome, "lint", "--error-on-warnings"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
