"""What `requirements.txt` asks for and this Python has not, and the command that installs it."""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "requirements.txt"


def missing() -> list[str]:
    """Names of packages."""
    lines = (line.split("#")[0].strip() for line in FILE.read_text("utf-8").splitlines())
    return [name for line in lines if line and not _is_there(name := re.split(r"[<>=!~;\[ ]", line)[0])]


def how_to_install(names: list[str]) -> str:
    """One command for this very Python."""
    return f'Model Search lacks {", ".join(names)}; install with: "{sys.executable}" -m pip install -r "{FILE}"'


def _is_there(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
