"""The diffusers engine's own environment, below the data folder: a WebUI's pinned libraries stay as they are.

It sees the WebUI's packages behind its own, so that torch, which fits the graphics card, is not had twice.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import logging
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from modelsearch_core.errors import ModelSearchError

log = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parents[1]
HELD = ("torch", "torchvision", "numpy", "pillow")  # always the WebUI's
STACK = ("accelerate", "diffusers", "huggingface_hub", "peft", "safetensors", "tokenizers", "transformers")
NEW_TORCH = (2, 6)  # what the versions of constraints.txt need; beside an older one go these
OLDER = ("accelerate==0.34.2", "diffusers==0.31.0", "huggingface_hub==0.26.5", "peft==0.13.2", "transformers==4.46.3")
NEEDED = (
    "from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline",
    "import accelerate",
    "import peft",
)
STAMP = "modelsearch-installed"


def python_with_diffusers(folder: Path) -> Path:
    """The interpreter of the environment in `folder`, made if it is not there. ModelSearchError where it cannot be."""
    installer = _installer()
    held = [f"{name}=={importlib.metadata.version(name)}" for name in HELD]
    wanted = [*OLDER] if _torch() < NEW_TORCH else _tested(installer)
    digest = hashlib.sha256("\n".join([sys.version, *held, *wanted]).encode()).hexdigest()
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / STAMP
    if not (python.is_file() and stamp.is_file() and stamp.read_text("utf-8") == digest):
        log.warning("Model Search: making %s for the diffusers engine (once, some minutes)", folder)
        _make(folder)
        _install(python, folder, held, wanted)
        if failing := installer.failing_imports(NEEDED, str(python)):
            statement, error = next(iter(failing.items()))
            raise _refused(f"`{statement}` fails in {folder} beside this WebUI's {held[0]}: {error}")
        stamp.write_text(digest, encoding="utf-8")
    return python


def _make(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    try:
        import venv  # not everywhere

        venv.create(folder, symlinks=os.name != "nt", with_pip=True)
    except (ImportError, OSError, subprocess.SubprocessError) as error:
        raise _refused(f"{folder} could not be made: {error}") from error
    (packages,) = folder.glob("[Ll]ib/**/site-packages")
    lines = [f"import site; site.addsitedir({place!r})" for place in _own_packages()]
    (packages / "webui.pth").write_text("\n".join(lines), encoding="utf-8")


def _own_packages() -> list[str]:
    """Where the WebUI's packages lie, in the order in which they are looked for."""
    return [place for place in dict.fromkeys(sys.path) if Path(place).name in ("site-packages", "dist-packages")]


def _install(python: Path, folder: Path, held: list[str], wanted: list[str]) -> None:
    constraint = folder / "held.txt"
    constraint.write_text("\n".join(held), encoding="utf-8")
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
    done = subprocess.run(
        [*command, f"--constraint={constraint}", *wanted], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise _refused(f"pip could not install diffusers into {folder}: {done.stderr.strip()[-400:]}")


def _tested(installer: Any) -> list[str]:
    """The stack's versions of constraints.txt."""
    lines = installer.requirements(ROOT / "constraints.txt")
    return [line for line in lines if installer.name_of(line) in STACK]


def _torch() -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", importlib.metadata.version("torch"))[:2]))


def _installer() -> Any:
    """The extension's install.py, under a name of its own: every extension has one."""
    spec = importlib.util.spec_from_file_location("modelsearch_installer", ROOT / "install.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _refused(reason: str) -> ModelSearchError:
    return ModelSearchError(
        f"{reason}. Let this WebUI make the pictures: Settings, Model Search, Pictures for the index are made by"
    )
