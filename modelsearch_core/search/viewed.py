"""The bank's drawings as users' sketches are asked: each as other hands would have drawn it, too (docs/methods.md 6).

Wider lines are nearer to some models and further from others; a bank of single drawings would take that for relevance.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
from PIL import Image

from .. import nonsense
from ..catalog.records import from_webp
from ..collection import Collection
from ..drawing import Draw
from ..embedding import Features, ImageEncoder
from ..sketch_views import COUNT, views
from .banks import NOT_DRAWN, Queries

AT_ONCE = 16  # sketches
LEAST = 0.25  # of the bank, whose pictures are there and show something: fewer are the drawings of a few models

log = logging.getLogger(__name__)


def viewed(collection: Collection, bank: Queries, encoder: ImageEncoder, draw: Draw) -> Queries:
    """With all views of each, those of one beside each other; as it is where hardly any pictures were kept. The first
    view is what indexing has encoded; what is blank would be refused, and is left out, as are pictures that cannot be
    read."""
    assert bank.owner is not None and bank.numbers is not None
    kept: list[int] = []
    found: list[Features] = []
    for start in range(0, len(bank), AT_ONCE):
        rows = range(start, min(start + AT_ONCE, len(bank)))
        drawn = {row: sketch for row in rows if (sketch := _sketch(collection, bank, row, draw)) is not None}
        others = [view for sketch in drawn.values() for view in views(sketch)[1:]]
        if drawn:
            h = encoder.encode_images(others).reshape(len(drawn), COUNT - 1, -1)
            found.append(np.concatenate([bank.h[list(drawn), None], h], axis=1))
            kept += drawn
    if len(kept) <= LEAST * len(bank):
        return bank
    h = np.concatenate(found)  # (B, V, D)
    return replace(bank.some(np.repeat(kept, COUNT)), h=h.reshape(-1, h.shape[-1]), views=COUNT)


def _sketch(collection: Collection, bank: Queries, row: int, draw: Draw) -> Image.Image | None:
    assert bank.owner is not None and bank.numbers is not None
    key = collection.entries[int(bank.owner[row])].key
    number = int(bank.numbers[row])
    webp = None if number == NOT_DRAWN else collection.catalog.sample(*key, number)
    try:
        sketch = None if webp is None else draw(from_webp(webp))
    except (OSError, SyntaxError, ValueError) as error:  # a damaged picture
        log.info("picture %d of %s cannot be read (%s)", number, collection.entries[int(bank.owner[row])].path, error)
        return None
    return None if sketch is None or nonsense.of_sketch(sketch) else sketch
