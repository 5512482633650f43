"""Numbers of an answer as a page needs them: five digits, of the seventeen that tell one float from the next."""

from __future__ import annotations

from typing import Any

DIGITS = 5


def rounded(value: Any) -> Any:
    """A JSON value with its fractions rounded; whole numbers stay."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list) else value
