"""The self-check as the panel asks for it: in a thread of its own, through a connection of its own."""

from __future__ import annotations

import logging
import threading
from typing import Any

from ..catalog import Catalog
from ..errors import ModelSearchError
from ..places import Place
from ..search import ModelIndex
from ..self_check import SelfCheck, Settings, check
from .refusals import RefusedError

METHODS = ("auto",)  # what the panel searches by

log = logging.getLogger(__name__)


class CheckJob:
    """Runs one check at a time, and keeps what the last one found."""

    def __init__(self, catalog_path: Place) -> None:
        self._path = catalog_path
        self._lock = threading.Lock()
        self._state: dict[str, Any] = {"state": "idle"}

    def state(self) -> dict[str, Any]:
        """`state` is idle, running (`done` of `total` pictures), done (`result`) or failed (`message`)."""
        with self._lock:
            return dict(self._state)

    def start(self) -> None:
        """RefusedError (409) while one runs."""
        with self._lock:
            if self._state["state"] == "running":
                raise RefusedError(409, "the index is being checked already")
            self._state = {"state": "running", "done": 0, "total": None}
        threading.Thread(target=self._run, name="modelsearch-check", daemon=True).start()

    def _run(self) -> None:
        try:
            self._set(state="done", result=self._checked().to_json())
        except ModelSearchError as error:
            self._set(state="failed", message=str(error))
        except Exception as error:  # a bug must reach the user as a message, and the log as a trace
            log.exception("checking %s", self._path)
            self._set(state="failed", message=f"{type(error).__name__}: {error}")

    def _checked(self) -> SelfCheck:
        with Catalog(self._path, read_only=True) as catalog:
            failures = catalog.failures()
        with ModelIndex.open(self._path) as index:
            return check(index, Settings(methods=METHODS), failures, self._on_progress)

    def _on_progress(self, done: int, total: int) -> None:
        self._set(state="running", done=done, total=total)

    def _set(self, **state: Any) -> None:
        with self._lock:
            self._state = state
