"""Where versions of diffusers and transformers differ, and how to keep them quiet."""

from __future__ import annotations

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

import diffusers
import transformers
from packaging.version import Version

DTYPE = "dtype" if Version(diffusers.__version__) >= Version("0.42") else "torch_dtype"


@contextmanager
def quietly() -> Generator[None]:
    """Without the libraries' own bars and remarks on loading; whoever called shows progress."""
    logs = [cast("Any", library).utils.logging for library in (diffusers, transformers)]
    before = [(log.get_verbosity(), log.is_progress_bar_enabled()) for log in logs]
    for log in logs:
        log.set_verbosity_error()
        log.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for log, (verbosity, has_bars) in zip(logs, before, strict=True):
            log.set_verbosity(verbosity)
            if has_bars:
                log.enable_progress_bar()
