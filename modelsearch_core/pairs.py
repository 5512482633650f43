"""Models that come as two files: Wan 2.2 has one for high noise, which begins a video, and one for low noise.

Both have the same name but for the word that tells them apart. They are shown as one model of two files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

PAIRED = ("wan",)  # architectures with two halves
_NOISE = re.compile(
    r"(?<![a-z])(high|low)[-_ ]?noise(?![a-z])|(?<![a-z])(high|low)(?![a-z])|(?<=[-_ ])(h|l)n?(?=$|[-_ .])",
    re.IGNORECASE,
)


class Listed(Protocol):
    """What is shown: a description or a match."""

    @property
    def path(self) -> Path: ...

    @property
    def kind(self) -> str: ...

    @property
    def architecture(self) -> str: ...


One = TypeVar("One", bound=Listed)


def other_halves(models: Iterable[Listed]) -> dict[Path, Path]:
    """High to low and low to high, of files in one folder."""
    halves: dict[tuple[object, ...], dict[str, Path]] = {}
    for model in models:
        found = _NOISE.search(model.path.stem) if model.architecture in PAIRED else None
        if found:
            name = f"{model.path.stem[: found.start()]}*{model.path.stem[found.end() :]}".casefold()
            side = found[0][0].lower()
            halves.setdefault((model.path.parent, model.kind, name), {})[side] = model.path
    pairs = [(both["h"], both["l"]) for both in halves.values() if len(both) == 2]
    return {**dict(pairs), **{low: high for high, low in pairs}}


def is_low_noise(half: Path) -> bool:
    """Whether it is the second of two files, for what the first has begun."""
    found = _NOISE.search(half.stem)
    return found is not None and found[0][0].lower() == "l"


def half_for(base: Path | None, path: Path, halves: Mapping[Path, Path]) -> Path:
    """Of the files of a model the one that goes with `base`, which may be half of a model itself: that for low noise
    with that for low noise, else the one that begins."""
    other = halves.get(path)
    if other is None or is_low_noise(path) == (base is not None and is_low_noise(base)):
        return path
    return other


def one_each(models: Sequence[One], halves: Mapping[Path, Path] | None = None) -> tuple[list[One], Mapping[Path, Path]]:
    """The models without the second half of what comes as two files, and where the other half of each one lies. Of a
    pair the better one is kept, in a list that is ordered by that. `halves` are known where the list is not of all."""
    others = other_halves(models) if halves is None else halves
    shown: set[Path] = set()
    kept: list[One] = []
    for model in models:
        if others.get(model.path) not in shown:
            shown.add(model.path)
            kept.append(model)
    return kept, others
