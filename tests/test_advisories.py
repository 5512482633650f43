"""Whether the oldest versions allowed are free of the holes that docs/trust.md knows of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PINNED_BY_HOSTS = {"torch", "pillow", "starlette"}
ROW = re.compile(r"^\| (?P<package>[\w-]+) \| (?P<fixed>\d[\w.]*) \| (?P<what>.+) \| (?P<here>.+) \|$", re.MULTILINE)
TABLE = [match.groupdict() for match in ROW.finditer((ROOT / "docs/trust.md").read_text("utf-8"))]


def requirements() -> dict[str, list[Requirement]]:
    """Whatever is required anywhere, by package."""
    found: dict[str, list[Requirement]] = {}
    texts = re.findall(r'"([A-Za-z][\w.-]*>=[^"]+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    for file in ("requirements.txt", "requirements-server.txt", "requirements-dev.txt"):
        texts += [line for line in (ROOT / file).read_text("utf-8").splitlines() if ">=" in line]
    for requirement in map(Requirement, texts):
        found.setdefault(requirement.name.lower(), []).append(requirement)
    return found


def pins() -> list[Requirement]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def floor(requirement: Requirement) -> Version:
    return max(Version(each.version) for each in requirement.specifier if each.operator == ">=")


def test_the_table_is_read():
    assert {"aiohttp", "python-multipart", *PINNED_BY_HOSTS} <= {row["package"] for row in TABLE}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row['package']}-{row['fixed']}")
def test_floors_are_above_what_is_known(row: dict[str, str]):
    floors = [floor(requirement) for requirement in requirements()[row["package"]]]
    assert floors
    if row["package"] in PINNED_BY_HOSTS:
        assert row["here"].startswith("hosts pin it: ")
    else:
        assert row["here"] == "floor"
        assert min(floors) >= Version(row["fixed"])


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row['package']}-{row['fixed']}")
def test_what_was_tested_together_has_none_of_them(row: dict[str, str]):
    versions = [each.version for pin in pins() if pin.name == row["package"] for each in pin.specifier]
    assert versions
    assert all(Version(version) >= Version(row["fixed"]) for version in versions)


def test_nothing_of_ours_reads_a_file_by_torch_load():
    for folder in ("modelsearch_core", "nodes", "modelsearch_webui", "scripts"):
        for path in (ROOT / folder).rglob("*.py"):
            assert "torch.load(" not in re.sub(r'"""[\s\S]*?"""|#.*', "", path.read_text("utf-8")), path
