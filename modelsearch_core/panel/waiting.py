"""What threads wait for at the moment, so that whoever has the turn can do some of it for all."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Waiting(Generic[Item]):
    """In the order in which they came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._items: dict[int, Item] = {}

    @contextmanager
    def joined(self, item: Item) -> Generator[None]:
        """From before the turn is waited for, until it is there."""
        with self._lock:
            self._items[id(item)] = item
        try:
            yield
        finally:
            with self._lock:
                self._items.pop(id(item), None)

    def turn_of(self, item: Item) -> list[Item]:
        """All that wait now, of which this one, too, waits no more."""
        with self._lock:
            items = list(self._items.values())
            del self._items[id(item)]
            return items
