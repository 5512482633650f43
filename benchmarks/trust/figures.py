"""What a part of the campaign counted."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Figures:
    """Of one kind of input. `outcomes`: how many ended how; `broken`: those that must not be."""

    name: str
    outcomes: Counter[str] = field(default_factory=Counter[str])
    broken: list[str] = field(default_factory=list[str])
    slowest: float = 0.0  # seconds, by `clock`
    clock: Callable[[], float] = time.process_time

    @contextmanager
    def timed(self) -> Generator[None]:
        started = self.clock()
        yield
        self.slowest = max(self.slowest, self.clock() - started)

    def line(self) -> str:
        told = ", ".join(f"{count} {outcome}" for outcome, count in self.outcomes.most_common())
        return f"{self.name:<34} {self.outcomes.total():>7}  {len(self.broken):>6}  {self.slowest:>7.2f}  {told}"


HEADING = f"{'what':<34} {'tried':>7}  {'broken':>6}  {'slowest':>7}  how it ended (seconds: of the processor; of requests, the clock's)"
