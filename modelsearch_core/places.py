"""Where this library keeps its own files, when nobody says otherwise."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HOME_VARIABLE = "MODELSEARCH_HOME"


def home() -> Path:
    """The folder of the default catalog and of downloaded weights; `MODELSEARCH_HOME` moves it."""
    if chosen := os.environ.get(HOME_VARIABLE):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "modelsearch"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "modelsearch"
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "modelsearch"


def default_catalog() -> Path:
    return home() / "catalog.sqlite"
