"""How long one picture of each family takes on this machine, as it was while the last models were asked."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ..catalog import Catalog
from ..model_files import ModelFile

SETTING = "pace"
FADING = 0.5  # weight of what was known, when more is


def note(catalog: Catalog, model: ModelFile, seconds: float, pictures: int) -> None:
    """So many of a model were made in so many seconds, loading it included."""
    known, name = _kept(catalog), family_of(model.architecture, model.variant)
    before = known.get(name, [0.0, 0.0])
    known[name] = [FADING * before[0] + seconds, FADING * before[1] + pictures]
    catalog.put_setting(SETTING, json.dumps(known))


def seconds_a_picture(catalog: Catalog) -> dict[str, float]:
    """By `family_of`."""
    return {name: seconds / pictures for name, (seconds, pictures) in _kept(catalog).items() if pictures}


def family_of(architecture: str, variant: str | None) -> str:
    return f"{architecture} {variant}" if variant else architecture


def expected(paces: Mapping[str, float], takes: Mapping[str, float], name: str) -> float | None:
    """Seconds of one picture of a family: as measured, else as the measured ones let one expect by what a picture
    `takes` of either (in pictures of SD 1.5)."""
    if name in paces:
        return paces[name]
    rates = [paces[other] / takes[other] for other in paces if takes.get(other)]
    return takes[name] * sum(rates) / len(rates) if rates and takes.get(name) else None


def _kept(catalog: Catalog) -> dict[str, list[float]]:
    kept = catalog.setting(SETTING)
    return json.loads(kept) if kept else {}
