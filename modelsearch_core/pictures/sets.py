"""Folders of pictures that stand for models which cannot be run here: one sub-folder a model."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..families import UNKNOWN
from ..model_files import Kind, ModelFile
from .choosing import Use
from .walking import Found, Walk

WHY_UNKNOWN = "a set of pictures has no weights"


def sets_below(folder: Path) -> Iterator[ModelFile]:
    """A model for each sub-folder with pictures in it, however deep, in the order of names. Raises OSError where the
    folder itself cannot be listed."""
    with os.scandir(folder) as listing:
        names = sorted(entry.name for entry in listing if entry.is_dir() and not entry.name.startswith("."))
    for name in names:
        found = sorted(Walk().below(str(folder / name)))
        if found and name.encode("utf-8", "replace").decode() == name:
            yield _model(folder / name, found)


def uses_of(model: ModelFile) -> list[Use]:
    """All pictures of a set. What they were asked for is looked up once they are chosen."""
    found = sorted(Walk().below(str(model.path)))
    return [Use(path=each.path, state=each.state, modified=each.modified, prompt=None) for each in found]


def _model(folder: Path, found: Sequence[Found]) -> ModelFile:
    """Its fingerprint is that of its place: a set that grows stays the same model."""
    stamp = hashlib.blake2b("\n".join(f"{each.path} {each.state}" for each in found).encode(), digest_size=8)
    place = hashlib.blake2b(os.path.normcase(folder).encode(), digest_size=16)
    return ModelFile(
        path=folder,
        kind=Kind.PICTURES,
        architecture=UNKNOWN,
        unknown_because=WHY_UNKNOWN,
        fingerprint=place.hexdigest(),
        size=sum(int(each.state.split()[0]) for each in found),
        modified=max(each.modified for each in found),
        title=" ".join(folder.name.replace("_", " ").split()),
        stamp=stamp.hexdigest(),
    )
