"""Changes of formulas that nothing could notice, each with the reason."""

from __future__ import annotations

EQUIVALENT: dict[tuple[str, str, str, str], str] = {}
