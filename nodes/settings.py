"""What a user of this ComfyUI has chosen; kept in the catalog, so that all windows and starts share it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from ..modelsearch_core.catalog import Catalog
from ..modelsearch_core.errors import EmptyCatalogError, ModelSearchError
from ..modelsearch_core.panel.search_server import SearchServer
from .places import catalog_path

NAME = "comfyui"
PRIVATE = ("wanted", "current", "deaths")
LIMITS = {"samples": (0, 1024), "size": (0, 2048), "steps": (0, 200), "quiet": (0.0, 3600.0)}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """0 leaves a number to the indexer. `quiet`: seconds that the queue must be empty before indexing goes on."""

    auto_index: bool = False  # generate without being asked, when nothing else is to do
    samples: int = 0
    size: int = 0
    steps: int = 0
    quiet: float = 10.0
    search_server: str = ""  # address of another machine's `modelsearch serve`, which is asked in place of this index
    style: bool = False  # LoRA paint drawings too; as the last run was told
    wanted: str = ""  # the order of a run that a restart must not end, as JSON
    current: str = ""  # the model in progress: if it ends ComfyUI twice, it is left out
    deaths: int = 0

    def changed(self, values: Mapping[str, Any]) -> Settings:
        """ModelSearchError for what is no setting, or out of its limits."""
        known = {field.name: type(getattr(self, field.name)) for field in fields(self) if field.name not in PRIVATE}
        for name, value in values.items():
            if name not in known:
                raise ModelSearchError(f"{name[:100]!r} is no setting; there are {', '.join(known)}")
            if known[name] is str:
                _check_address(name, value)
                continue
            low, high = LIMITS.get(name, (False, True))
            whole = isinstance(value, bool) is (known[name] is bool) and isinstance(value, (int, float))
            if not whole or not low <= value <= high:
                raise ModelSearchError(f"{name} must be between {low} and {high}, not {value!r}"[:300])
            if known[name] is int and value != int(value):
                raise ModelSearchError(f"{name} must be a whole number, not {value!r}")
        size = values.get("size", self.size)
        if size % 64:
            raise ModelSearchError(f"size must be a multiple of 64, or 0, not {size}")
        return replace(self, **{name: known[name](value) for name, value in values.items()})


def _check_address(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise ModelSearchError(f"{name} must be an address or empty, not {value!r}"[:200])
    if value.strip():
        SearchServer(value)


def load() -> Settings:
    try:
        with Catalog(catalog_path(), read_only=True) as catalog:
            kept = json.loads(catalog.setting(NAME) or "{}")
    except EmptyCatalogError:
        kept = {}
    names = {field.name for field in fields(Settings)}
    return Settings(**{name: value for name, value in kept.items() if name in names})


def save(settings: Settings) -> None:
    with Catalog(catalog_path()) as catalog:
        catalog.put_setting(NAME, json.dumps(asdict(settings)))
