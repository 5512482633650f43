"""Who may import whom. A module imports only from those above it in `ORDER`; there is no circle."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "modelsearch_core"
ORDER = (
    "errors",
    "places",
    "model_files",
    "probe_prompts",
    "probes",
    "carriers",
    "drawing",
    "generation",
    "generators",
    "embedding",
    "encoders",
    "background",
    "specification",
    "scores",
    "ranking",
    "catalog",
    "indexing",
    "search",
    "evaluation",
    "contact_sheet",
    "mini_zoo",
    "cli",
)
TORCH_FREE = ("ranking", "scores.content", "search", "catalog", "evaluation", "model_files", "indexing", "generators")


def modules() -> list[Path]:
    return sorted(path for path in CORE.rglob("*.py") if path != CORE / "__init__.py")


def layer(path: Path) -> str:
    return path.relative_to(CORE).parts[0].removesuffix(".py")


def imported_layers(path: Path) -> set[str]:
    """The layers that a module's relative imports reach, other than its own."""
    depth = len(path.relative_to(CORE).parts)
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            found |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
    return found - {layer(path)}


def test_the_order_names_every_module():
    assert {layer(path) for path in modules()} == set(ORDER)


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(CORE).as_posix())
def test_a_module_imports_only_from_those_above_it(path: Path):
    above = ORDER[: ORDER.index(layer(path))]
    assert imported_layers(path) <= set(above)


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(CORE).as_posix())
def test_the_library_imports_itself_relatively_and_does_not_print(path: Path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
        assert not any(name.split(".")[0] == "modelsearch_core" for name in names)
        if layer(path) != "cli" and isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in ("print", "sys.exit", "exit", "os._exit")


@pytest.mark.parametrize("name", TORCH_FREE)
def test_what_ranks_and_stores_loads_no_torch(name: str):
    heavy = ("torch", "diffusers", "transformers")
    code = f"import sys, modelsearch_core.{name}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_code_passes_ruff():
    command = [sys.executable, "-m", "ruff", "check", "."]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
