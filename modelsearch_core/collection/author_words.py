"""What authors' words are in features, of all models in one go: stored by indexing, beside the rows of each model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..catalog import Catalog, columns
from ..catalog.columns import Part, Who
from ..catalog.packing import from_array, to_array
from ..scores.samples import offsets_of
from .samples import Samples, to_unit

NAME, VERSION = "words", 1
Read = Callable[[list[int]], Samples]  # of the wanted models at these places


def store(catalog: Catalog, encoder: str, who: Sequence[Who], words: Samples) -> None:
    """Of models (M,) with words (M,), of which some may have no row."""

    def parts() -> Iterator[Part]:
        for start in range(0, len(who), columns.PART):
            some = np.arange(start, min(len(who), start + columns.PART))
            of = words.some(some)
            arrays = {"counts": of.counts.astype(np.int32), "numbers": of.numbers, "Z": to_array(of.Z)}
            yield Part([who[m] for m in some.tolist()], arrays)

    columns.put(catalog.statistics, encoder, NAME, VERSION, parts())


def is_stored(catalog: Catalog, encoder: str) -> bool:
    return columns.is_there(catalog.statistics, encoder, NAME, VERSION)


def stored(catalog: Catalog, encoder: str, who: Sequence[Who], read: Read) -> Samples | None:
    """As stored; `read` is asked for what has changed since. None where nothing is stored."""
    parts = columns.read(catalog.statistics, encoder, NAME, VERSION)
    if not parts:
        return None
    known = [each for part in parts for each in part.who]
    counts, numbers = (_joined([part.arrays[name] for part in parts]) for name in ("counts", "numbers"))
    rows = _joined([from_array(part.arrays["Z"]) for part in parts])
    to_unit(rows)
    if known == list(who):
        return Samples(rows, offsets_of(counts), numbers)
    place = {each: row for row, each in enumerate(known)}
    new = [m for m, each in enumerate(who) if each not in place]
    own = read(new)
    order = {m: len(known) + turn for turn, m in enumerate(new)}
    both = Samples(
        np.concatenate([rows, own.Z]),
        offsets_of(np.concatenate([counts, own.counts])),
        np.concatenate([numbers, own.numbers]),
    )
    return both.some([order.get(m, place.get(each, -1)) for m, each in enumerate(who)])


def _joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
