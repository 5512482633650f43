"""The catalogue follows ComfyUI's lists: what was renamed, moved or added is known at once, by its fingerprint."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from ..modelsearch_core.catalog import Catalog
from ..modelsearch_core.errors import ModelSearchError
from ..modelsearch_core.indexing import IndexSettings, Report, update_files
from ..modelsearch_core.indexing.progress import silent
from ..modelsearch_core.model_files.candidates import INDEX_NAME
from . import places


def renew(kind: str) -> bool:
    """Reads files of a kind that ComfyUI lists and the catalogue does not know, and forgets those that are gone; True
    if there were any. What was measured is found again by the fingerprint. The first scan is not done here."""
    with Catalog(places.catalog_path()) as catalog:
        known = catalog.paths()
        new = unknown(kind, known) if known else []
        if not new:
            return False
        update_files(catalog, new, IndexSettings(), Report(), silent)
        catalog.remove_files(path for path in known if _is_of(kind, path) and not path.exists())
    return True


def has_unknown() -> bool:
    """Whether ComfyUI lists a file that the catalogue does not know."""
    try:
        with Catalog(places.catalog_path(), read_only=True) as catalog:
            known = catalog.paths()
    except ModelSearchError:
        return True
    return any(unknown(kind, known) for kind in places.FOLDERS)


def unknown(kind: str, known: Collection[Path]) -> list[Path]:
    """Files in ComfyUI's list, other than parts of a model in the diffusers layout, and other ways to a known one."""
    new = [path for path in places.listed(kind) if path not in known and not _is_part(path)]
    if not new:
        return []
    real = {os.path.realpath(path) for path in known}
    return [path for path in new if os.path.realpath(path) not in real and path.exists()]


def _is_part(path: Path) -> bool:
    return any((folder / INDEX_NAME).is_file() for folder in (path.parent, path.parent.parent))


def _is_of(kind: str, path: Path) -> bool:
    return any(
        folder in path.parents for folder, word in places.model_folders().items() if word == places.FOLDERS[kind]
    )
