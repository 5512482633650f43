"""The command line: the only place that prints, the only one that sets an exit code.

0 done; 1 nothing found, some models failed, or the catalog cannot be written; 2 wrong use, or something that the user
has to mend first; 130 and 143 ended by Ctrl+C and SIGTERM. `MODELSEARCH_LOG=error` shows where something went wrong.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from argparse import Namespace
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from typing import TextIO, cast

from ..errors import CatalogFaultError, ModelSearchError
from .arguments import about_classifiers, parser
from .screen import Screen, visible

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
    "repair": "repair",
    "copy": "copy",
    "export": "copy",
}
LOG_VARIABLE = "MODELSEARCH_LOG"
BUILT_IN = {"list": "list_", "map": "map_", "set": "set_"}  # commands that Python has a function of


def _module_of(command: str, args: Namespace) -> str:
    """Classifiers are indexed, searched and evaluated in another way than what generates."""
    known = MODULES.get(command, "reports")
    return "classifiers" if known in ("index", "search", "evaluate") and about_classifiers(args) else known


class _TerminatedError(KeyboardInterrupt):
    """The process was asked to end, by a service manager or `kill`: it ends as after Ctrl+C."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command."""
    logging.basicConfig(level=os.environ.get(LOG_VARIABLE, "CRITICAL").upper(), format="%(name)s: %(message)s")
    args = parser().parse_args(arguments)
    name: str = args.command
    module = import_module(f".{_module_of(name, args)}", __name__)
    command: Callable[..., int] = getattr(module, BUILT_IN.get(name, name))
    try:
        with _ended_by_sigterm(), redirect_stdout(cast("TextIO", Screen(sys.stdout))):
            status = command(args)
            sys.stdout.flush()
            return status
    except ModelSearchError as error:
        advice = f"; run `{error.command}`" if error.command else ""
        print(visible(f"modelsearch: {error}{advice}"), file=sys.stderr)
        return 1 if isinstance(error, CatalogFaultError) else 2
    except BrokenPipeError:  # `modelsearch list | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # as a shell says that SIGPIPE ended a command
    except KeyboardInterrupt as error:
        _forget_interrupt()
        print("\nstopped; what was finished is stored, the same command goes on from there", file=sys.stderr)
        return 143 if isinstance(error, _TerminatedError) else 130


def _forget_interrupt() -> None:
    """Python keeps in mind that one came through an exec(), of which imports have many (dataclasses'), and `python -m`
    would then end by SIGINT, whatever its exit code; until the next exec()."""
    exec("")  # noqa: S102  of nothing


@contextmanager
def _ended_by_sigterm() -> Generator[None]:
    """SIGTERM unwinds the stack as SIGINT does, so that transactions are ended and files closed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise _TerminatedError

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
