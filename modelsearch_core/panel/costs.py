"""What it takes to generate from models that nothing was generated from yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..families import FAMILIES, known
from ..families.costs import pictures_of_sd15
from ..search import Description

MOST = 8


def costs(models: Iterable[Description]) -> list[dict[str, Any]]:
    """Families and widths with such models, most models first; `takes`: pictures of SD 1.5 that one picture takes as
    long as."""
    waiting = Counter((model.architecture, model.variant) for model in models if model.evidence != "generated")
    found = ((name, variant, count, pictures_of_sd15(name, variant)) for (name, variant), count in waiting.items())
    told = [
        {"family": _title(name, variant), "models": count, "takes": _rounded(takes)}
        for name, variant, count, takes in found
        if takes is not None
    ]
    return sorted(told, key=lambda each: (-each["models"], each["family"]))[:MOST]


def _title(name: str, variant: str | None) -> str:
    family = FAMILIES[name]
    return f"{family.title} {variant}" if variant and len(known(family.variants)) > 1 else family.title


def _rounded(takes: float) -> float:
    """To two digits."""
    return float(f"{takes:.2g}")
