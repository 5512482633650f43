"""Which of the files that this WebUI lists hold which model, by the fingerprints of their weights."""

from __future__ import annotations

import threading
from collections import defaultdict
from pathlib import Path

from modelsearch_core.errors import ModelSearchError
from modelsearch_core.model_files import read_model_file

from . import places

_known: dict[Path, tuple[tuple[int, int], str | None]] = {}  # size and time of change, fingerprint
_lock = threading.Lock()


def by_id() -> dict[str, list[Path]]:
    """The files of each model. What has not changed since the last time is not read again."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(places.lora_paths() | places.checkpoint_paths()):
        if id := fingerprint(path):
            found[id].append(path)
    return found


def fingerprint(path: Path) -> str | None:
    """None for what is no model, or cannot be read."""
    try:
        status = path.stat()
        state = status.st_size, status.st_mtime_ns
        with _lock:
            if path not in _known or _known[path][0] != state:
                _known[path] = state, None  # also where reading fails
                _known[path] = state, read_model_file(path).fingerprint
            return _known[path][1]
    except (OSError, ModelSearchError):
        return None
