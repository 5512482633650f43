"""What it takes to generate from models that nothing was generated from yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..families import FAMILIES, known
from ..families.costs import pictures_of_sd15
from ..indexing import IndexSettings
from ..indexing.pace import expected, family_of
from ..search import Description

MOST = 8
# How often the right model comes first by so many pictures, of how often it does by 64: texts and pictures among 151
# models, docs/results.md ("How many samples").
FOUND = {8: 0.82, 16: 0.90, 32: 0.96, 64: 1.0}


def costs(models: Iterable[Description]) -> list[dict[str, Any]]:
    """Families and widths with such models, most models first; `takes`: pictures of SD 1.5 that one picture takes as
    long as."""
    waiting = Counter((model.architecture, model.variant) for model in models if model.evidence != "generated")
    found = ((name, variant, count, pictures_of_sd15(name, variant)) for (name, variant), count in waiting.items())
    told: list[dict[str, Any]] = [
        {"family": _title(name, variant), "models": count, "takes": _rounded(takes)}
        for name, variant, count, takes in found
        if takes is not None
    ]
    return sorted(told, key=lambda each: (-each["models"], each["family"]))[:MOST]


def forecast(models: Sequence[Description], paces: Mapping[str, float]) -> list[dict[str, Any]]:
    """What it takes to generate from all that nothing was generated from yet.

    So many `pictures` of each (None: at least as many as it takes, within the budget), `seconds` (None where nothing
    was timed here), and `found`, the share of right answers beside those of 64 pictures."""
    waiting = Counter((model.architecture, model.variant) for model in models if model.evidence != "generated")
    takes = {family_of(*of): pictures_of_sd15(*of) or 0.0 for of in [*waiting, *_measured(paces)]}
    each = {of: expected(paces, takes, family_of(*of)) for of in waiting}
    told: list[dict[str, Any]] = []
    for pictures, found in ((None, None), *FOUND.items()):
        seconds = [
            None if one is None else count * one * (pictures or _at_least(takes[family_of(*of)]))
            for of, count in waiting.items()
            if (one := each[of]) is not None or takes[family_of(*of)]
        ]
        known = [one for one in seconds if one is not None]
        total = sum(known) if known and len(known) == len(seconds) else None
        told.append({"pictures": pictures, "seconds": total and round(total), "found": found})
    return told


def _at_least(takes: float) -> int:
    return IndexSettings().within_budget(takes).first


def _measured(paces: Mapping[str, float]) -> Iterable[tuple[str, str | None]]:
    for name in paces:
        architecture, _, variant = name.partition(" ")
        yield architecture, variant or None


def _title(name: str, variant: str | None) -> str:
    family = FAMILIES[name]
    return f"{family.title} {variant}" if variant and len(known(family.variants)) > 1 else family.title


def _rounded(takes: float) -> float:
    """To two digits."""
    return float(f"{takes:.2g}")
