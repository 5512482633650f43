"""Many new files are read by a process of their own, at the lowest priority.

A thread that reads headers holds Python's lock; beside a busy machine the system lets it wait with that lock in its
hands, and every prompt with it, the longer the lower its priority is.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..modelsearch_core.catalog import Catalog
from ..modelsearch_core.indexing import IndexSettings, Report, Step, update_files
from ..modelsearch_core.indexing.progress import Progress
from . import places
from .renewing import unknown

MANY = 50  # new files, from which on a process is worth its start
ROOT = Path(__file__).resolve().parent.parent
CODE = "import sys; sys.path.insert(0, sys.argv[1]); from modelsearch_core.cli.files import main; main(*sys.argv[2:])"
WINDOWS = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)

log = logging.getLogger(__name__)


def read_files(catalog: Catalog, folders: Sequence[Path], progress: Progress) -> None:
    """Brings the catalog up to date with the folders. What `progress` raises ends it."""
    if _new_files(catalog) >= MANY:
        _read_apart(folders, progress)
    update_files(catalog, folders, IndexSettings(), Report(), progress)  # all of it, where no process could be had


def _new_files(catalog: Catalog) -> int:
    known = catalog.paths()
    return sum(len(unknown(kind, known)) for kind in places.FOLDERS)


def _read_apart(folders: Sequence[Path], progress: Progress) -> None:
    command = [sys.executable, "-c", CODE, str(ROOT), str(places.catalog_path()), *map(str, folders)]
    try:
        with _running(command) as process:
            assert process.stdout is not None
            for line in process.stdout:
                _hear(line, progress)
        if process.returncode:
            log.warning("Model Search: the process that reads files ended with %s", process.returncode)
    except OSError as error:
        log.warning("Model Search: files are read without a process of their own: %s", error)


@contextmanager
def _running(command: Sequence[str]) -> Generator[subprocess.Popen[str]]:
    """It ends with the block, whatever happens in it."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        creationflags=WINDOWS,
    )
    try:
        yield process
        process.wait()
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _hear(line: str, progress: Progress) -> None:
    """A step, or what the process says besides."""
    try:
        step = Step(**json.loads(line))
    except (ValueError, TypeError):
        log.info("Model Search, reading files: %s", line.rstrip())
        return
    progress(step)
