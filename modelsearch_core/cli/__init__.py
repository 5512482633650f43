"""The command line: the only place that prints, the only one that sets an exit code.

0 done; 1 nothing found, or some models failed; 2 wrong use, or something that the user has to mend first.
"""

from __future__ import annotations

import logging
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from importlib import import_module

from ..errors import ModelSearchError
from .arguments import about_classifiers, parser

MODULES = {
    "index": "index",
    "search": "search",
    "evaluate": "evaluate",
    "doctor": "doctor",
    "serve": "serve",
    "demo": "demo",
    "train": "train",
    "grid": "grid",
    "set": "correct",
    "map": "map",
}
BUILT_IN = {"list": "list_", "map": "map_", "set": "set_"}  # commands that Python has a function of


def _module_of(command: str, args: Namespace) -> str:
    """Classifiers are indexed, searched and evaluated in another way than what generates."""
    known = MODULES.get(command, "reports")
    return "classifiers" if known in ("index", "search", "evaluate") and about_classifiers(args) else known


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command."""
    logging.basicConfig(level=logging.ERROR, format="%(name)s: %(message)s")
    args = parser().parse_args(arguments)
    name: str = args.command
    module = import_module(f".{_module_of(name, args)}", __name__)
    command: Callable[..., int] = getattr(module, BUILT_IN.get(name, name))
    try:
        return command(args)
    except ModelSearchError as error:
        advice = f"; run `{error.command}`" if error.command else ""
        print(f"modelsearch: {error}{advice}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; what was finished is stored, the same command goes on from there", file=sys.stderr)
        return 130
