"""A request that is refused, with the HTTP status that says it."""

from __future__ import annotations

from typing import Any

from ..errors import ModelSearchError


class RefusedError(ModelSearchError):
    """`more` goes into the answer beside the message."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.more = more
