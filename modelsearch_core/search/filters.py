"""Which models a question is about."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .gallery import Entry, Gallery


def passing(
    gallery: Gallery,
    kind: str | None = None,
    architecture: str | None = None,
    folder: Path | None = None,
    among: Collection[Path] | None = None,
) -> NDArray[np.bool_]:
    """(M,): models of that kind and architecture below that folder, and one of `among`, each by any of its copies."""
    passed = (fits(entry, kind, architecture, folder) and _listed(entry, among) for entry in gallery.entries)
    return np.fromiter(passed, bool, len(gallery))


def fits(entry: Entry, kind: str | None, architecture: str | None, folder: Path | None) -> bool:
    model = entry.model
    return (
        kind in (None, model.kind.value)
        and architecture in (None, model.architecture)
        and (folder is None or any(folder.absolute() in path.parents for path in _paths(entry)))
    )


def _listed(entry: Entry, among: Collection[Path] | None) -> bool:
    return among is None or any(path in among for path in _paths(entry))


def _paths(entry: Entry) -> list[Path]:
    return [entry.model.path, *(copy.path for copy in entry.copies)]
