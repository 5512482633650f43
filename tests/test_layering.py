"""Who may import whom. A module imports only from those above it in `ORDER`, and nowhere is a circle."""

from __future__ import annotations

import ast
import graphlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "modelsearch_core"
ORDER = (
    "errors",
    "prompt_tags",
    "places",
    "many_objects",
    "families",
    "raster",
    "model_files",
    "picture_metadata",
    "pictures",
    "probe_prompts",
    "probes",
    "prompt_templates",
    "drawing",
    "nonsense",
    "sketch_views",
    "reference_set",
    "generation",
    "generators",
    "embedding",
    "encoders",
    "background",
    "specification",
    "scores",
    "ranking",
    "nearest",
    "catalog",
    "indexing",
    "cluster",
    "collection",
    "statistics",
    "search",
    "correcting",
    "effects",
    "pairs",
    "guesses",
    "choosing",
    "identifying",
    "evaluation",
    "classifiers",
    "self_check",
    "training",
    "contact_sheet",
    "similarity_map",
    "mini_zoo",
    "exporting",
    "panel",
    "server",
    "cli",
)
TORCH_FREE = (
    "ranking",
    "scores",
    "collection",
    "statistics",
    "search",
    "catalog",
    "evaluation",
    "classifiers",
    "self_check",
    "similarity_map",
    "families",
    "model_files",
    "indexing",
    "generators",
    "panel",
    "cli",
)
PYRIGHT = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
ENDS = ("print", "exit", "quit", "sys.exit", "os._exit", "os.abort")


def modules() -> list[Path]:
    return sorted(path for path in CORE.rglob("*.py") if path != CORE / "__init__.py")


every_module = pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(CORE).as_posix())


def layer(path: Path) -> str:
    return path.relative_to(CORE).parts[0].removesuffix(".py")


def nodes_of(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def running_nodes_of(path: Path) -> Iterator[ast.AST]:
    """Without what only a type checker reads."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    return ast.walk(tree)


def imported_modules(path: Path, nodes: Iterator[ast.AST]) -> set[Path]:
    """The files of the core that a file imports in these nodes."""
    found: set[Path] = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            assert folder.is_relative_to(CORE), f"{path}:{node.lineno} reaches out of the core"
            found |= {file for alias in node.names for file in files_of(folder / alias.name) or files_of(folder)}
    return found


def files_of(place: Path) -> list[Path]:
    return [file for file in (place.with_name(f"{place.name}.py"), place / "__init__.py") if file.is_file()]


def absolute_imports(path: Path) -> set[str]:
    """The top-level names that a file imports."""
    found: set[str] = set()
    for node in nodes_of(path):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        found |= {name.split(".")[0] for name in names}
    return found


def test_the_order_names_every_module():
    assert {layer(path) for path in modules()} == set(ORDER)


@every_module
def test_a_module_imports_only_from_those_above_it(path: Path):
    above = ORDER[: ORDER.index(layer(path)) + 1]
    imported = imported_modules(path, nodes_of(path)) - {CORE / "__init__.py"}
    assert {layer(file) for file in imported} <= set(above)


def test_there_is_no_circle_of_imports():
    graph = {path: imported_modules(path, running_nodes_of(path)) - {path} for path in modules()}
    assert len(list(graphlib.TopologicalSorter(graph).static_order())) >= len(graph)


@every_module
def test_the_core_imports_itself_relatively(path: Path):
    assert absolute_imports(path).isdisjoint({CORE.name, "nodes", "scripts", "tests", "benchmarks", "install"})


@every_module
def test_only_the_command_line_prints_and_ends_the_process(path: Path):
    calls = {ast.unparse(node.func) for node in nodes_of(path) if isinstance(node, ast.Call)}
    assert layer(path) == "cli" or calls.isdisjoint(ENDS)


@pytest.mark.parametrize("name", TORCH_FREE)
def test_what_ranks_and_stores_loads_no_torch(name: str):
    heavy = ("torch", "diffusers", "transformers", "open_clip")
    code = f"import sys, modelsearch_core.{name}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_hosts_know_nothing_of_each_other():
    for here, there in (("nodes", "scripts"), ("scripts", "nodes")):
        for path in ROOT.joinpath(here).rglob("*.py"):
            relative = {node.module or "" for node in nodes_of(path) if isinstance(node, ast.ImportFrom) and node.level}
            assert there not in absolute_imports(path) | {module.split(".")[0] for module in relative}, path


def test_no_folder_here_hides_a_hosts_own_nodes_or_scripts():
    """As regular packages they would win over ComfyUI's `nodes.py` and the WebUI's `scripts`."""
    assert [name for name in ("nodes", "scripts", "tests") if ROOT.joinpath(name, "__init__.py").exists()] == []


def test_outside_of_comfyui_the_folder_is_an_empty_node_pack():
    code = "import importlib; print(importlib.import_module(input()).NODE_CLASS_MAPPINGS)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT.parent, input=ROOT.name, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "{}"


def test_the_code_passes_ruff():
    command = [sys.executable, "-m", "ruff", "check", "."]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif("MODELSEARCH_CHECK_TYPES" not in os.environ, reason="wants MODELSEARCH_CHECK_TYPES, and npm once")
def test_what_runs_in_hosts_passes_pyright():
    if not _is_there(PYRIGHT):
        pytest.skip("pyright could not fetch itself from npm")
    _passes([*PYRIGHT, "modelsearch_core", "nodes", "modelsearch_webui", "scripts", "install.py", "__init__.py"])


@pytest.mark.slow
def test_all_code_passes_pyright():
    """Slow, and fetches itself once: not on a machine without a network."""
    _passes(PYRIGHT)


def _is_there(command: list[str]) -> bool:
    return subprocess.run([*command, "--version"], cwd=ROOT, capture_output=True, check=False).returncode == 0


def _passes(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
