"""Models that searches showed high though nothing was generated with them: they are asked before all others."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from ..catalog import Catalog
from ..model_files import ModelFile

SETTING = "wanted"
MOST = 200  # that are remembered; the last that was shown first


def want(catalog: Catalog, fingerprints: Iterable[str]) -> None:
    """To be asked before all that were wanted earlier, the first of them first."""
    known = wanted(catalog)
    now = list(dict.fromkeys([*fingerprints, *known]))[:MOST]
    if now != known:
        catalog.put_setting(SETTING, json.dumps(now))


def wanted(catalog: Catalog) -> list[str]:
    """Fingerprints, the one that is wanted most first; also of models that were asked since."""
    kept = catalog.setting(SETTING)
    return json.loads(kept) if kept else []


def wanted_first(catalog: Catalog, models: Sequence[ModelFile]) -> list[ModelFile]:
    """These models in their order, but what is wanted before the others."""
    place = {fingerprint: i for i, fingerprint in enumerate(wanted(catalog))}
    return sorted(models, key=lambda model: place.get(model.fingerprint, len(place)))


def one_by_one(catalog: Catalog, models: Sequence[ModelFile]) -> Iterator[ModelFile]:
    """The same, where searches go on meanwhile: the next is chosen when its turn comes."""
    left = list(models)
    while left:
        left = wanted_first(catalog, left)
        yield left.pop(0)
