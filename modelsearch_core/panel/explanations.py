"""Why the models of the last answers stand where they do, kept until one of them is looked at: a list does not show it,
and it is more than half of an answer."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..search import Match
from ..search.query import Explanation, plain
from .figures import rounded

ANSWERS = 64  # of 60 matches, some ten megabytes


class Explanations:
    def __init__(self, most: int = ANSWERS) -> None:
        self._most = most
        self._answers: OrderedDict[str, Mapping[str, tuple[Explanation, ...]]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, matches: Sequence[Match]) -> str:
        """What to ask for theirs by."""
        name = secrets.token_hex(8)
        with self._lock:
            self._answers[name] = {match.id: match.explanation for match in matches}
            while len(self._answers) > self._most:
                self._answers.popitem(last=False)
        return name

    def of(self, name: str, id: str) -> dict[str, Any]:
        """`explanation` of a model in that answer; nothing of one that is no longer kept."""
        with self._lock:
            known = self._answers.get(name, {})
        return {"explanation": rounded(plain(known[id]))} if id in known else {}


def without(matches: Sequence[Match]) -> list[Match]:
    """The same with no explanation."""
    return [replace(match, explanation=()) for match in matches]
