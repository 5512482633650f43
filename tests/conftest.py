"""What all tests share: no network, no files in the user's home, two threads, and `--slow` for the long ones."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

HOME = Path(tempfile.mkdtemp(prefix="modelsearch-tests-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
# Before anything is imported that reads them, and for the processes that tests start.
os.environ.update(
    HF_HUB_OFFLINE="1",
    TRANSFORMERS_OFFLINE="1",
    HF_HOME=str(HOME / "hub"),
    TORCH_HOME=str(HOME / "torch"),
    MODELSEARCH_HOME=str(HOME),
)
os.environ.setdefault("OMP_NUM_THREADS", "2")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also the tests with full-size models, and pyright")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow; run with --slow"))
