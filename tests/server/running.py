"""Starts a server process and ends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


@contextmanager
def running(*command: object) -> Generator[str]:
    """The address of `python -m command`, which prints it as JSON."""
    words = [sys.executable, "-m", *map(str, command)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ}) as process:
        try:
            assert process.stdout is not None
            text = ""
            while not text.rstrip().endswith("}"):
                line = process.stdout.readline()
                assert line, f"the server ended with {process.wait()} before it listened"
                text += line
            yield json.loads(text)["address"]
        finally:
            process.terminate()
            process.wait(30)
