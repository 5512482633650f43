"""The node classes without a ComfyUI: its `folder_paths` on a folder of our own, the pack under a path for a name."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[2]
NAME = "/somewhere/custom_nodes/model-search"  # as ComfyUI names a pack's module
KINDS = ("loras", "checkpoints", "diffusion_models", "text_encoders", "clip_vision", "vae", "vae_approx")


def folder_paths(base: Path, roots: dict[str, list[Path]] | None = None) -> ModuleType:
    """As far as the nodes use it."""
    folders = {kind: [base / "models" / kind] for kind in KINDS} | (roots or {})
    made = ModuleType("folder_paths")

    def names(kind: str) -> list[str]:
        found = {str(file.relative_to(root)) for root in folders[kind] for file in root.rglob("*") if file.is_file()}
        return sorted(found)

    def full_path(kind: str, name: str) -> str | None:
        return next((str(root / name) for root in folders[kind] if (root / name).is_file()), None)

    made.__dict__.update(
        get_folder_paths=lambda kind: [str(root) for root in folders[kind]],
        get_filename_list=names,
        get_full_path=full_path,
        filename_list_cache={},
        get_user_directory=lambda: str(base / "user"),
        get_input_directory=lambda: str(base / "input"),
        filter_files_content_types=lambda files, _: files,
    )
    return made


def load(monkeypatch: Any, base: Path, roots: dict[str, list[Path]] | None = None) -> Any:
    """The registry of nodes, imported afresh."""
    monkeypatch.setitem(sys.modules, "folder_paths", folder_paths(base, roots))
    for name in [name for name in sys.modules if name.startswith(f"{NAME}.nodes")]:
        monkeypatch.delitem(sys.modules, name)
    package = ModuleType(NAME)
    package.__path__ = [str(ROOT)]
    monkeypatch.setitem(sys.modules, NAME, package)
    return importlib.import_module(f"{NAME}.nodes.registry")
