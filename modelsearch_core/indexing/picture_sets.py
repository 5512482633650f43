"""Sets of pictures in the catalog's list of models."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ..catalog import Catalog
from ..model_files import Kind, ModelFile, SkippedFile
from ..pictures import SETS, sets_below
from ..places import expanded


def update_sets(catalog: Catalog, folders: Sequence[Path] | None) -> list[ModelFile]:
    """Brings the list up to date with the sub-folders of these folders; None: those of the last time. A folder that
    cannot be read is told among what was skipped, and its sets stay."""
    if folders is None:
        folders = [Path(folder) for folder in json.loads(catalog.setting(SETS) or "[]")]
    else:
        folders = [expanded(folder).absolute() for folder in folders]
        catalog.put_setting(SETS, json.dumps([str(folder) for folder in folders]))
    known = [model for model in catalog.models() if model.kind is Kind.PICTURES]
    if not folders and not known:
        return []
    found: list[ModelFile] = []
    unread: list[SkippedFile] = []
    for folder in folders:
        try:
            found += sets_below(folder)
        except OSError as error:
            unread.append(SkippedFile(path=folder, reason=f"the folder cannot be read: {error.strerror or error}"))
            found += [model for model in known if model.path.parent == folder]
    there = {model.path for model in found}
    by_hand = catalog.by_hand.all()
    with catalog.transaction():
        catalog.remove_files([model.path for model in known if model.path not in there])
        catalog.remove_files(folders)  # that were out of reach the last time
        catalog.put_files([*found, *unread])
    return [by_hand[model.fingerprint].on(model) if model.fingerprint in by_hand else model for model in found]
