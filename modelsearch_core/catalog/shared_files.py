"""Files that belong to a server's catalog, such as a trained encoder: kept there, copied to each machine that reads it.

A copy's name holds the digest of its content, so that one that was learned again is another file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from hashlib import blake2b
from pathlib import Path

from .connection import Connection

_DIGEST = re.compile(r"-[0-9a-f]{16}$")


class SharedFiles:
    """The table `shared_file`; `folder` is where this machine has its copies."""

    def __init__(
        self, connection: Connection, transaction: Callable[[], AbstractContextManager[None]], folder: Path
    ) -> None:
        self._connection, self._transaction, self._folder = connection, transaction, folder

    def keep(self, named: str) -> str:
        """The name under which all find the file that this machine has there; raises OSError."""
        file = self._folder / named
        content = file.read_bytes()
        stem = _DIGEST.sub("", file.stem)
        name = f"{stem}-{blake2b(content, digest_size=8).hexdigest()}{file.suffix}"
        with self._transaction():
            self._connection.execute("INSERT OR REPLACE INTO shared_file VALUES (?, ?)", (name, content))
        self._write(name, content)
        return name

    def fetch(self, name: str) -> None:
        """Copies it, where that was not done before."""
        if not (self._folder / name).exists():
            row = self._connection.execute("SELECT content FROM shared_file WHERE name = ?", (name,)).fetchone()
            if row is not None:
                self._write(name, row[0])

    def _write(self, name: str, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._folder / f"{name}.{os.getpid()}.part"
        part.write_bytes(content)
        part.replace(self._folder / name)
