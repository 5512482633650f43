"""What a varied list says of itself."""

from __future__ import annotations

from collections.abc import Sequence

from .query import Match


def nothing_to_vary(matches: Sequence[Match], k: int) -> str | None:
    """Why a list of at most k that was to be varied is the plain one; None where more than it shows fit."""
    fitting = sum(not match.weak for match in matches)
    if fitting >= k:
        return None
    if not fitting:
        return "nothing to vary: no model fits well"
    those = "only one model fits" if fitting == 1 else f"only {fitting} models fit"
    return f"nothing to vary: {those} well, and what fits is shown, best first"
