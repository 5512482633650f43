"""Who is asked next, so that each worker keeps the base that it has loaded."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable

from ..model_files import ModelFile


class Queue:
    """Models by base, in the order given. Until the first of a base is done, the others wait: its pictures of the base
    serve them all."""

    def __init__(self, models: Iterable[ModelFile], base_of: Callable[[ModelFile], ModelFile | None]) -> None:
        self._waiting: dict[str, deque[ModelFile]] = {}
        self._key: dict[str, str] = {}
        self._led: set[str] = set()
        self._at: dict[str, str] = {}  # base by worker, while it is at a model of it or was last
        self._leading: dict[str, str] = {}  # fingerprint by base
        for model in models:
            key = (base_of(model) or model).fingerprint
            self._key[model.fingerprint] = key
            self._waiting.setdefault(key, deque()).append(model)

    def __len__(self) -> int:
        return sum(len(waiting) for waiting in self._waiting.values())

    def take(self, worker: str) -> ModelFile | None:
        """The next for a worker: of its own base, else of the one with most left for each worker that has it. None
        while all that is left waits for the first of its base."""
        there = [key for key, waiting in self._waiting.items() if waiting and key not in self._leading]
        if not there:
            return None
        own = self._at.get(worker)
        busy = Counter(key for other, key in self._at.items() if other != worker)
        key = own if own in there else max(there, key=lambda key: len(self._waiting[key]) / (1 + busy[key]))
        model = self._waiting[key].popleft()
        self._at[worker] = key
        if key not in self._led:
            self._leading[key] = model.fingerprint
        return model

    def done(self, model: ModelFile) -> None:
        key = self._key[model.fingerprint]
        if self._leading.get(key) == model.fingerprint:
            del self._leading[key]
            self._led.add(key)

    def give_back(self, model: ModelFile) -> None:
        """To be asked again, before the others of its base."""
        key = self._key[model.fingerprint]
        if self._leading.get(key) == model.fingerprint:
            del self._leading[key]
        self._waiting[key].appendleft(model)

    def leave(self, worker: str) -> None:
        self._at.pop(worker, None)
