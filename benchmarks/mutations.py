"""Whether the tests of the formulas notice a wrong formula: each is changed in one place, and its tests must fail.

    python -m benchmarks.mutations [MODULE ...]      all of `modelsearch_core/scores` unless some are named

Signs, operators, means for medians and sums, normalisations left out, bounds and counts off by one. A change that no
test notices is printed as a survivor, and the exit is 1; those that change nothing that could be noticed stand in
`mutations_equivalent.py` with the reason. A module's own tests are asked first, then the others that import it.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib
import importlib.abc
import importlib.util
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[1]
PACKAGE = "modelsearch_core.scores"
SCORES = ROOT / "modelsearch_core" / "scores"
TESTS = ROOT / "tests"
PATIENCE = 60  # seconds of a processor, after which a change counts as noticed: it hangs
OWN = ("modelsearch_core", "benchmarks", "tests")
FURTHER = {  # tests that ask a formula by its way through search, where its own module's are not all
    "calibration": ("search/test_yardstick.py",),
    "samples": ("scores/test_many_models.py",),
}

OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}
NAMES = {  # a function for its neighbour
    "mean": "median",
    "median": "mean",
    "nanmean": "nanmedian",
    "sum": "mean",
    "max": "min",
    "min": "max",
    "maximum": "minimum",
    "minimum": "maximum",
    "argmax": "argmin",
    "argmin": "argmax",
}
UNWRAPPED = {"unit", "sqrt", "abs", "log", "exp", "ceil", "clip", "nan_to_num", "maximum", "minimum"}  # left out
SIGNED = (ast.BinOp, ast.Call)
METHODS_OF_NUMPY = {"median", "nanmedian"}  # which arrays do not have


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A module with one change."""

    module: str
    function: str
    line: int
    before: str
    after: str
    tree: ast.Module

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Says the same change however the lines move."""
        return self.module, self.function, self.before, self.after

    def __str__(self) -> str:
        return f"{self.module}.{self.function}, line {self.line}: {self.before}  →  {self.after}"


def modules() -> list[str]:
    return sorted(path.stem for path in SCORES.glob("*.py") if path.stem != "__init__")


def mutants_of(module: str, source: str) -> Iterator[Mutant]:
    """Every change of one place inside of a function, in the order of the source."""
    tree = ast.parse(source)
    for function, statement in _functions(tree):
        places = list(ast.walk(statement))
        returned = {id(node.value) for node in places if isinstance(node, ast.Return)}
        axes = {id(node.value) for node in places if isinstance(node, ast.keyword) and node.arg == "axis"}
        axes |= {id(inner) for node in places if id(node) in axes for inner in ast.walk(node)}
        for place, node in enumerate(places):
            negated = [ast.UnaryOp(ast.USub(), node)] if id(node) in returned and isinstance(node, SIGNED) else []
            for changed in [*([] if id(node) in axes else _changes(node)), *negated]:
                line, told = _line_of(statement, node), ast.unparse(node)
                yield Mutant(
                    module=module,
                    function=function,
                    line=getattr(node, "lineno", statement.lineno),
                    before=told if line is node else f"{told}  in  {ast.unparse(line)}",
                    after=ast.unparse(changed),
                    tree=_with(tree, statement, place, changed),
                )


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """(name, statement) of the bodies of functions and methods, without docstrings, nested functions as a whole."""
    for node in tree.body:
        found = [node] if isinstance(node, ast.FunctionDef) else []
        if isinstance(node, ast.ClassDef):
            found = [item for item in node.body if isinstance(item, ast.FunctionDef)]
        for function in found:
            name = function.name if function is node else f"{getattr(node, 'name', '')}.{function.name}"
            yield from ((name, statement) for statement in function.body if not _is_docstring(statement))


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _line_of(statement: ast.stmt, node: ast.AST) -> ast.AST:
    """The innermost statement without a body of its own around a node; the node itself in a heading."""
    if not getattr(statement, "body", None):
        return statement
    for inner in ast.walk(statement):
        if isinstance(inner, ast.stmt) and not getattr(inner, "body", None) and any(n is node for n in ast.walk(inner)):
            return inner
    return node


def _with(tree: ast.Module, statement: ast.stmt, place: int, changed: ast.AST) -> ast.Module:
    """A copy in which the `place`-th node of a statement is another one."""
    copied = copy.deepcopy(tree)
    own = list(ast.walk(copied))[list(ast.walk(tree)).index(statement)]
    target = list(ast.walk(own))[place]
    for parent in ast.walk(own):
        for field, value in ast.iter_fields(parent):
            if value is target:
                setattr(parent, field, changed)
            elif isinstance(value, list) and any(item is target for item in value):
                setattr(parent, field, [changed if item is target else item for item in value])
    return ast.fix_missing_locations(copied)


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """What stands in a node's place."""
    if isinstance(node, ast.BinOp):
        yield from _of_operation(node)
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant):
        yield node.operand
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other in COMPARISONS.get(type(node.ops[0]), ()):
            yield ast.Compare(node.left, [other()], node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Constant) and type(node.value) is float and node.value:
        yield ast.Constant(2 * node.value)
    elif isinstance(node, ast.Slice):
        yield from _of_slice(node)


def _of_operation(node: ast.BinOp) -> Iterator[ast.expr]:
    other = OPERATORS.get(type(node.op))
    if other is not None:
        yield ast.BinOp(node.left, other(), node.right)
    if isinstance(node.op, (ast.Pow, ast.Div, ast.Mult)):
        yield node.left  # the normalisation, the weight or the power left out


def _of_call(node: ast.Call) -> Iterator[ast.expr]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in UNWRAPPED and node.args:
        yield node.args[0]
    other = NAMES.get(name)
    if other is None or not isinstance(node.func, ast.Attribute):
        return
    if other in METHODS_OF_NUMPY and ast.unparse(node.func.value) != "np":
        function = ast.Attribute(ast.Name("np", ast.Load()), other, ast.Load())
        keywords = [keyword for keyword in node.keywords if keyword.arg not in ("dtype", "out")]
        if len(keywords) == len(node.keywords):
            yield ast.Call(function, [node.func.value, *node.args], keywords)
        return
    yield ast.Call(ast.Attribute(node.func.value, other, ast.Load()), node.args, node.keywords)


def _of_slice(node: ast.Slice) -> Iterator[ast.AST]:
    for bound in ("lower", "upper"):
        value = getattr(node, bound)
        if value is not None and not isinstance(value, ast.Constant):
            changed = ast.Slice(node.lower, node.upper, node.step)
            setattr(changed, bound, _more(value))
            yield changed


def _more(value: ast.expr) -> ast.expr:
    return ast.BinOp(value, ast.Add(), ast.Constant(1))


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports a module as it was changed."""

    def __init__(self, mutant: Mutant) -> None:
        self._name, self._tree = f"{PACKAGE}.{mutant.module}", mutant.tree

    def find_spec(self, name: str, *_: Any) -> Any:
        return importlib.util.spec_from_loader(name, self) if name == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._tree, self._name, "exec"), module.__dict__)  # noqa: S102  the formula itself


def tests_of(module: str) -> list[Path]:
    """Its own tests, and those of other formulas that import it."""
    own = TESTS / "scores" / f"test_{module}.py"
    importing = [
        path
        for path in sorted((TESTS / "scores").glob("test_*.py"))
        if path != own and f" {module}" in path.read_text(encoding="utf-8").split("\ndef ")[0]
    ]
    further = [TESTS / name for name in FURTHER.get(module, ())]
    return [path for path in (own, *importing, *further) if path.is_file()]


def load_what_they_import(tests: Sequence[Path]) -> None:
    """Packages, once for all children; nothing of this repository, which they read as it was changed."""
    for path in tests:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
            for name in names:
                if name.partition(".")[0] not in OWN:
                    importlib.import_module(name)


def is_noticed(mutant: Mutant, tests: Sequence[Path]) -> bool:
    """In a child, which has loaded what all of them need but no formula."""
    return any(_fails(mutant, path) for path in tests)


def _fails(mutant: Mutant | None, test: Path) -> bool:
    child = os.fork()
    if child == 0:
        os._exit(_child(mutant, test))
    return os.waitpid(child, 0)[1] != 0


def _child(mutant: Mutant | None, test: Path) -> int:
    """pytest's exit status, silently; a signal where it hangs."""
    import pytest

    resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    if mutant is not None:
        sys.meta_path.insert(0, _Changed(mutant))
    options = ["-q", "-x", "--no-header", "-p", "no:cacheprovider"]
    return int(pytest.main([*options, str(test)]))


def prepare() -> None:
    """Loads what every child needs, so that it begins at once."""
    import hypothesis
    import hypothesis.extra.numpy as arrays
    import numpy
    import pytest

    hypothesis.settings.register_profile("mutations", database=None, max_examples=30, derandomize=True)
    hypothesis.settings.load_profile("mutations")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    assert numpy and pytest and arrays
    os.chdir(ROOT)


@dataclass(kw_only=True)
class Tally:
    """Of one module."""

    module: str
    tried: int = 0
    equivalent: int = 0
    survivors: list[Mutant]


def measured(module: str, equivalent: Callable[[Mutant], bool], told: Callable[[str], None]) -> Tally:
    """RuntimeError where the tests fail as the formulas are."""
    tests = tests_of(module)
    load_what_they_import(tests)
    for path in tests:
        if _fails(None, path):
            raise RuntimeError(f"{path} fails without any change, or there is nothing in it")
    tally = Tally(module=module, survivors=[])
    for mutant in mutants_of(module, (SCORES / f"{module}.py").read_text(encoding="utf-8")):
        tally.tried += 1
        if equivalent(mutant):
            tally.equivalent += 1
        elif not is_noticed(mutant, tests):
            tally.survivors.append(mutant)
            told(f"survives: {mutant}")
    return tally


def main() -> int:
    from benchmarks.mutations_equivalent import EQUIVALENT

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=", ".join(modules()))
    chosen = parser.parse_args().modules or modules()
    if unknown := set(chosen) - set(modules()):
        parser.error(f"{', '.join(sorted(unknown))}: no formulas of that name; there are {', '.join(modules())}")
    prepare()
    survived = 0
    for module in chosen:
        started = time.monotonic()
        tally = measured(module, lambda mutant: mutant.key in EQUIVALENT, lambda line: print(line, flush=True))
        survived += len(tally.survivors)
        print(
            f"{module}: {tally.tried} changes, {tally.equivalent} equivalent, {len(tally.survivors)} survive "
            f"({time.monotonic() - started:.0f} s)",
            flush=True,
        )
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
