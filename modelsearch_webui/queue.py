"""Whether the WebUI works for its user at the moment."""

from __future__ import annotations

import math
import time

from modules import progress, shared

from .pipeline import JOB

_last = [-math.inf]  # when it was last seen working


def busy(quiet: float = 0.0) -> bool:
    """True while a job runs or waits that is not ours, and for `quiet` seconds after one was seen."""
    now = time.monotonic()
    if progress.current_task or progress.pending_tasks or (shared.state.job or JOB) != JOB:
        _last[0] = now
    return now - _last[0] <= quiet
