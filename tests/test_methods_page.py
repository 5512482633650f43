"""docs/methods.md says what runs: every formula, with the constants that the code has; and citations lead there."""

from __future__ import annotations

import ast
import importlib
import re
from operator import attrgetter
from pathlib import Path

import pytest

from modelsearch_core.search.methods import METHODS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
SCORES = sorted((ROOT / "modelsearch_core" / "scores").glob("*.py"))
BOOKKEEPING = {"samples"}  # how rows lie in arrays; no formulas
CITED = re.compile(r"docs/methods\.md ([0-9]+(?:(?:, | to | and )[0-9]+)*)")
FOLDERS = ("modelsearch_core", "nodes", "modelsearch_webui", "benchmarks", "tests")


def sections() -> set[str]:
    return set(re.findall(r"^## (\d+)\. ", PAGE, re.MULTILINE))


def formulas() -> list[str]:
    """module.name of the public functions of the scores."""
    found: list[str] = []
    for path in SCORES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if path.stem in BOOKKEEPING or not isinstance(node, ast.FunctionDef):
                continue
            if not node.name.startswith("_"):
                found.append(f"{path.stem}.{node.name}")
    return found


@pytest.mark.parametrize("name", [*formulas(), *METHODS])
def test_every_formula_is_on_the_page(name: str):
    module, _, function = name.rpartition(".")
    assert re.search(rf"`(?:{module}\.)?{function}[`(]", PAGE)


@pytest.mark.parametrize("row", re.findall(r"^\| `([\w.]+)` \| ([^|]+) \|", PAGE.split("## 20.")[1], re.MULTILINE))
def test_the_constants_are_those_that_run(row: tuple[str, str]):
    module, name = re.fullmatch(r"([a-z_.]+)\.([A-Z].*)", row[0]).groups()  # type: ignore[union-attr]
    value = attrgetter(name)(importlib.import_module(f"modelsearch_core.{module}"))
    assert value == ast.literal_eval(row[1])


def test_citations_lead_to_sections_that_are_there():
    files = [path for folder in FOLDERS for path in ROOT.joinpath(folder).rglob("*.py")]
    groups = [(path.name, group) for path in files for group in CITED.findall(path.read_text(encoding="utf-8"))]
    cited = {(number, name) for name, group in groups for number in re.findall(r"\d+", group)}
    assert len(cited) > 20
    assert [place for place in cited if place[0] not in sections()] == []


def test_sections_are_numbered_in_order():
    assert sorted(map(int, sections())) == list(range(1, len(sections()) + 1))
