"""What Ray starts on a node, on behalf of a `Worker`.

Ray finds a class on the other machine by its module and each of its methods by name, and ends with an AttributeError
where one is missing. So names here stay from one version to the next, and what is said before versions have been
compared is plain data: another version then says which one it is.
"""

from __future__ import annotations

import socket
from typing import Any


class Actor:
    """Used by one driver at a time."""

    def __init__(self) -> None:
        self._worker: Any = None

    def describe(self) -> tuple[str, str, str]:
        """The fields of `orders.Description`."""
        from ..encoders.device import best_device  # brings torch along
        from .orders import program

        return socket.gethostname(), program(), best_device().type

    def ask(self, what: str, *values: Any) -> Any:
        """A method of the worker."""
        if self._worker is None:
            from .worker import Worker

            self._worker = Worker()
        return getattr(self._worker, what)(*values)
