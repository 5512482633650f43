"""The catalog's list of users' picture files, brought up to date: only what is new or changed is opened."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..catalog import Catalog
from ..catalog.user_pictures import PictureRow
from ..pictures import Found, Unreadable, account_at, account_to_json, walk
from .progress import Progress, Step

AT_ONCE = 256  # files between two steps, and in one transaction
READERS = 8  # threads: a file on another machine is mostly waited for


def update_pictures(catalog: Catalog, folders: Sequence[Path], progress: Progress) -> list[str]:
    """Reads what these folders have and the catalog does not know, and forgets what is gone, or in no folder any more.
    Returns folders that could not be read: what is known of them stays."""
    known, looking = catalog.pictures.known(), walk()
    new: dict[str, Found] = {}
    seen: set[str] = set()
    for folder in folders:
        for found in looking.below(os.path.abspath(folder)):  # noqa: PTH100  links stay links
            seen.add(found.path)
            if known.get(found.path) != found.state:
                new[found.path] = found
            if len(seen) % AT_ONCE == 0:
                progress(Step(stage="pictures", done=0, total=None, model=f"{len(seen)}"))
    gone = [path for path in known.keys() - seen if not _inside(path, looking.unread)]
    moved = _moved(gone, new, known)
    catalog.pictures.move(moved.items())
    catalog.pictures.remove(path for path in gone if path not in moved)
    _read(catalog, [found for found in new.values() if found.path not in moved.values()], progress)
    return looking.unread


def _moved(gone: Iterable[str], new: Mapping[str, Found], known: Mapping[str, str]) -> dict[str, str]:
    """Where a file of the same name and state is now, that was elsewhere before."""
    there = {(os.path.basename(path), found.state): path for path, found in new.items()}  # noqa: PTH119
    found: dict[str, str] = {}
    for path in gone:
        if to := there.pop((os.path.basename(path), known[path]), None):  # noqa: PTH119
            found[path] = to
    return found


def _read(catalog: Catalog, files: Sequence[Found], progress: Progress) -> None:
    with ThreadPoolExecutor(READERS) as pool:
        for start in range(0, len(files), AT_ONCE):
            part = files[start : start + AT_ONCE]
            catalog.pictures.put(pool.map(_row, part))
            name = Path(part[-1].path).name
            progress(Step(stage="pictures", done=start + len(part), total=len(files), model=name))


def _row(found: Found) -> PictureRow:
    """A broken picture is kept as one that says nothing, until it changes."""
    try:
        account = account_to_json(account_at(found.path))
    except Unreadable:
        account = None
    return PictureRow(*found, account)


def _inside(path: str, folders: Sequence[str]) -> bool:
    return any(path.startswith(os.path.join(folder, "")) for folder in folders)  # noqa: PTH118
