"""Puts a picture into words that CLIP agrees with: a subject, then phrases that add to it one by one.

As clip-interrogator's chain; its phrase lists are used where that package is installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib import resources, util
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from ..embedding import Encoder, Features

SHORTLIST = 24  # phrases that the chain tries, those most like the picture on their own
LENGTH = 4  # phrases after the subject


class Interrogator(Protocol):
    """Pictures into words."""

    def describe(self, images: Sequence[Image.Image]) -> list[str]: ...


class PhraseInterrogator:
    """Needs nothing but an encoder."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def describe(self, images: Sequence[Image.Image]) -> list[str]:
        """One prompt for each picture."""
        return [self.from_feature(feature) for feature in self._encoder.encode_images(images)]

    def from_feature(self, feature: Features) -> str:
        """The chain for one picture's feature (D,): each phrase is kept if it brings the text nearer to the picture."""
        subjects, subject_features = self._subjects
        text = subjects[int(np.argmax(subject_features @ feature))]
        phrases, phrase_features = self._phrases
        shortlist = [phrases[i] for i in np.argsort(-(phrase_features @ feature))[:SHORTLIST]]
        best = float(self._encoder.encode_texts([text])[0] @ feature)
        for _ in range(LENGTH):
            longer = [f"{text}, {phrase}" for phrase in shortlist if phrase not in text]
            if not longer:
                break
            scores = self._encoder.encode_texts(longer) @ feature
            if scores.max() <= best:
                break
            best, text = float(scores.max()), longer[int(np.argmax(scores))]
        return text

    @cached_property
    def _subjects(self) -> tuple[list[str], Features]:
        return self._encoded([f"a picture of {name}" for name in own_list("subjects")])

    @cached_property
    def _phrases(self) -> tuple[list[str], Features]:
        return self._encoded(style_phrases())

    def _encoded(self, phrases: list[str]) -> tuple[list[str], Features]:
        return phrases, self._encoder.encode_texts(phrases)


def style_phrases() -> list[str]:
    """clip-interrogator's mediums, movements and flavours if installed, else this project's list."""
    found = util.find_spec("clip_interrogator")
    if found is None or not found.submodule_search_locations:
        return own_list("styles")
    data = Path(found.submodule_search_locations[0]) / "data"
    texts = [(data / f"{name}.txt").read_text(encoding="utf-8") for name in ("mediums", "movements", "flavors")]
    return [line.strip() for text in texts for line in text.splitlines() if line.strip()]


def own_list(name: str) -> list[str]:
    """The lines of one of the lists in `phrases/`."""
    text = (resources.files(__package__) / "phrases" / f"{name}.txt").read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip()]
