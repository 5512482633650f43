"""Answers by words alone, before CLIP is there: by names, trigger words, tags and what authors say."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

from ..modelsearch_core.collection import Filters
from ..modelsearch_core.encoders import DEFAULT_ENCODER_MEGABYTES
from ..modelsearch_core.errors import EmptyCatalogError, ModelSearchError
from ..modelsearch_core.panel import browsing, previews
from ..modelsearch_core.panel.refusals import RefusedError
from ..modelsearch_core.search import Description, Match, Query
from ..modelsearch_core.specification import Evidence
from .host import panel

GOOD = 0.5  # of the words, from which on a match is no weak one
BY_MEANING = (
    "With CLIP, models are found by meaning and by pictures: press Download CLIP "
    f"({DEFAULT_ENCODER_MEGABYTES} MB) in the Index view of Model Search."
)
NEEDS_CLIP = f"Until CLIP is there, only a text can be asked. {BY_MEANING}"


def only_words_are_known() -> bool:
    """Whether files were read, and no encoder has looked at any yet."""
    library = panel().library
    library.forget_reading()
    try:
        snapshot = library.newest()
    except EmptyCatalogError:
        return False
    return snapshot.index is None and len(snapshot.models) > 0


def matches_by_words(query: Query, filters: Filters, k: int) -> list[Match]:
    """Best first; `relevance` is the share of the text that is said of a model. ModelSearchError for what words alone
    cannot answer."""
    if len(query.text) != query.inputs:
        raise ModelSearchError(NEEDS_CLIP)
    shares = browsing.described(panel().library.newest().models, query.text, filters)[:k]
    if not shares:
        raise ModelSearchError(f"No model is called or described as {' '.join(query.text)!r}. {BY_MEANING}")
    return [_match(rank, share, model) for rank, (share, model) in enumerate(shares, 1)]


def previews_of(match: Match) -> Sequence[Image.Image]:
    """What lies beside the file."""
    found: list[Image.Image] = []
    for path in previews.existing(match.path):
        try:
            found.append(Image.open(io.BytesIO(previews.small(path))))
        except RefusedError:
            continue  # no picture
    return found


def _match(rank: int, share: float, model: Description) -> Match:
    return Match(
        rank=rank,
        id=model.id,
        name=model.name,
        title=model.title,
        path=model.path,
        copies=model.copies,
        kind=model.kind,
        architecture=model.architecture,
        variant=model.variant,
        lineage=model.lineage,
        score=share,
        relevance=share,
        weak=share < GOOD,
        evidence=Evidence.METADATA,
        confidence=0.0,
        guessed=True,
        deviation=1.0,
        trigger_words=model.trigger_words,
        strength=model.strength,
        thumbnails=(),
    )
