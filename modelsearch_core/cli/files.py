"""The child process that a host has read its files: names, headers and words beside them, into the catalog.

Not a command: it lets a host's own threads have Python's lock, at the lowest priority, and tells each step in a line.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from ..catalog import Catalog
from ..indexing import IndexSettings, Report, Step, update_files

LOWEST = 19  # of POSIX; Windows is told by whoever starts the process


def main(catalog: str, *folders: str) -> None:
    if hasattr(os, "nice"):
        os.nice(LOWEST)
    with Catalog(Path(catalog)) as opened:
        update_files(opened, [Path(folder) for folder in folders], IndexSettings(), Report(), _tell)


def _tell(step: Step) -> None:
    """Raises where nobody listens any more."""
    print(json.dumps(asdict(step)), flush=True)
