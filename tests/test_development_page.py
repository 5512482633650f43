"""docs/development.md's map names what is there, each thing once, and nothing that is gone."""

from __future__ import annotations

import re
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "development.md").read_text(encoding="utf-8")
MAP = PAGE.split("\n## Map\n")[1].split("\n## ")[0]
OF_ROOT, OF_CORE = MAP.split("`modelsearch_core` has no host")
OWN = {".gitattributes", ".gitignore", ".comfyignore"}  # of git and the registry, beside what it ignores


def told(part: str) -> list[str]:
    """Names in the first column of a table."""
    rows = re.findall(r"^\| (`[^|]+) \|", part, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def there(folder: Path) -> set[str]:
    """Files and folders that are kept, modules by their names."""
    ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()]
    names = {path.name for path in folder.iterdir()} - OWN - {".git"}
    kept = {name for name in names if not any(fnmatch(name, pattern) for pattern in ignored)}
    return {name.removesuffix(".py") if folder != ROOT else name for name in kept}


@pytest.mark.parametrize(
    ("part", "folder", "beside"),
    [(OF_ROOT, ROOT, set[str]()), (OF_CORE, ROOT / "modelsearch_core", {"__init__", "reference_subjects"})],
)
def test_the_map_names_what_is_there(part: str, folder: Path, beside: set[str]):
    names = Counter(told(part))
    assert [name for name, times in names.items() if times > 1] == []
    assert set(names) == there(folder) - beside


def test_files_that_pages_name_are_there():
    """Of the recipes and what follows: a file that moved takes the page along."""
    named = set(re.findall(r"`((?:[\w-]+/)+[\w-]+\.(?:py|mjs|json|md|css))`", PAGE))
    places = (ROOT, ROOT / "modelsearch_core")
    assert len(named) > 30
    assert [name for name in sorted(named) if not any((place / name).is_file() for place in places)] == []
