"""Concepts as features: texts put as the background's names are; several pictures as their mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from ..background import TEMPLATE, background_texts
from ..catalog import Catalog
from ..embedding import Encoder, Features, unit

BACKGROUND_CONCEPTS = 500


def described(concept: str) -> str:
    """As the background's names are."""
    return TEMPLATE.format(concept.strip())


def text_features(catalog: Catalog, encoder: Encoder, texts: Sequence[str], *, keep: bool) -> Features:
    """(n, D); read from the catalog where they were encoded before, kept there if wanted."""
    known = catalog.text_features(encoder.name, texts)
    missing = list(dict.fromkeys(text for text in texts if text not in known))
    if missing:
        encoded = encoder.encode_texts(missing)
        known |= dict(zip(missing, encoded, strict=True))
        if keep:
            catalog.put_text_features(encoder.name, missing, encoded)
    return np.stack([np.asarray(known[text], np.float32) for text in texts])


def background_features(catalog: Catalog, encoder: Encoder, *, keep: bool) -> Features:
    """(B, D) of names that have nothing to do with a query."""
    return text_features(catalog, encoder, background_texts(BACKGROUND_CONCEPTS), keep=keep)


def picture_concept(encoder: Encoder, images: Sequence[Image.Image]) -> Features:
    """(D,): equation 8, the mean of the pictures' features."""
    return unit(encoder.encode_images(images).mean(axis=0))
