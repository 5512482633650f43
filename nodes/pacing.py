"""How a thread of ours makes room while it works: it rests as long as it has worked, in small parts.

Whoever holds Python's lock when the system takes the processor away keeps everybody waiting; a thread that has just
rested is let run to the end of so small a part. A lower priority makes it worse, as such a thread is let run last, lock
in hand: at a load of 14 on two cores, twenty turns of two other threads took .2 s beside nothing, .9 s beside a thread
that reads, 2.4 s beside one of the lowest priority, and .25 s beside one that rests.
"""

from __future__ import annotations

import time

PART = 0.002  # seconds of work, after which it rests
LONGEST = 0.1  # seconds of rest


class Pace:
    """Of one thread."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def rest(self) -> None:
        """To be called often."""
        worked = time.monotonic() - self._since
        if worked < PART:
            return
        time.sleep(min(worked, LONGEST))
        self._since = time.monotonic()
