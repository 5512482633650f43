"""How an index run stands, told to the panel when it asks and to all browsers as it changes."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

from ..modelsearch_core.panel import Progress, State

EVENT = "modelsearch.progress"
OFTEN = 0.3  # seconds between two messages to the browsers


class Announcer:
    """Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._progress = Progress()
        self._sent_at = 0.0
        self.began_at = 0.0

    @property
    def progress(self) -> Progress:
        with self._lock:
            return self._progress

    def begin(self) -> None:
        with self._lock:
            self.began_at = time.monotonic()
            self._progress = Progress(state=State.RUNNING, stage="start", run=self._progress.run + 1)
        self.report(state=State.RUNNING)

    def tell(self, state: State) -> None:
        """A run that goes on has no use for what was said when it stopped."""
        if self.progress.state is not state:
            self.report(state=state, **({"message": ""} if state is State.RUNNING else {}))

    def report(self, **changes: Any) -> None:
        now = time.monotonic()
        with self._lock:
            self._progress = replace(self._progress, **changes, seconds=now - self.began_at)
            is_due = now - self._sent_at > OFTEN or "state" in changes or "message" in changes
            self._sent_at = now if is_due else self._sent_at
        if is_due:
            from server import PromptServer

            PromptServer.instance.send_sync(EVENT, self.progress.to_json())

    def downloading(self, file: str, done: int, total: int | None) -> None:
        """In MB."""
        self.report(stage="download", done=done >> 20, total=None if total is None else total >> 20, model=file)
