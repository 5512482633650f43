"""What a search has only guessed, remembered so that indexing asks these models first."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

from .catalog import Catalog
from .errors import ModelSearchError
from .indexing.wanted import want
from .places import Place
from .search import Match
from .specification import Evidence

SHOWN = 10  # first of an answer, that people look at
WAITING = 256  # that are waited for at once

log = logging.getLogger(__name__)


def guessed(matches: Iterable[Match]) -> list[str]:
    """Fingerprints of what nothing was generated with, of the first that are no weak answers."""
    shown = [match for match in matches if match.rank <= SHOWN and not match.weak]
    return [match.id for match in shown if match.evidence is not Evidence.GENERATED and match.kind != "pictures"]


class Guesses:
    """Remembers them without an answer having to wait for whoever is writing. `place` says where the catalogue is."""

    def __init__(self, place: Callable[[], Place]) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._waiting: dict[str, None] = {}
        self._last: list[str] = []
        self._thread: threading.Thread | None = None

    def saw(self, matches: Iterable[Match]) -> None:
        """Returns at once."""
        found = guessed(matches)
        with self._lock:
            if not found or found == self._last:
                return
            self._last = found
            self._waiting = dict.fromkeys([*found, *self._waiting][:WAITING])
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="modelsearch-guesses", daemon=True)
                self._thread.start()

    def join(self) -> None:
        """Waits until all is written."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def _write(self) -> None:
        while True:
            with self._lock:
                found, self._waiting = list(self._waiting), {}
                if not found:
                    self._thread = None
                    return
            try:
                with Catalog(self._place()) as catalog:
                    want(catalog, found)
            except ModelSearchError as error:  # a catalogue that may only be read: the order is another one, no more
                log.debug("what was guessed is not remembered: %s", error)
