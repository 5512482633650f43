"""Why the models of the last answers stand where they do, kept until one of them is looked at: a list does not show it,
and it is more than half of an answer."""

from __future__ import annotations

import json
import secrets
import threading
import zlib
from collections import OrderedDict
from typing import Any

ANSWERS = 64  # of 60 matches, half a megabyte


class Explanations:
    def __init__(self, most: int = ANSWERS) -> None:
        self._most = most
        self._answers: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def take_out(self, matches: list[dict[str, Any]]) -> str:
        """Leaves these empty in an answer; what to ask for them by."""
        known = {match["id"]: match["explanation"] for match in matches}
        for match in matches:
            match["explanation"] = []
        name, packed = secrets.token_hex(8), zlib.compress(json.dumps(known).encode())
        with self._lock:
            self._answers[name] = packed
            while len(self._answers) > self._most:
                self._answers.popitem(last=False)
        return name

    def of(self, name: str, id: str) -> dict[str, Any]:
        """`explanation` of a model in that answer; nothing of one that is no longer kept."""
        with self._lock:
            packed = self._answers.get(name)
        known = {} if packed is None else json.loads(zlib.decompress(packed))
        return {"explanation": known[id]} if id in known else {}
