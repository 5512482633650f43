"""Puts a picture into words that CLIP agrees with: a head, then phrases that add to it one by one.

As clip-interrogator's chain (pharmapsychotic/clip-interrogator): the head is a caption, or without a captioner the
subject that fits best; the best medium and style are tried together, then flavours as long as they help.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain, combinations
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from ..embedding import Encoder, Features
from .phrases import own_list, phrase_list

SHORTLIST = 32  # flavours that the chain tries, those most like the picture on their own
LENGTH = 4  # flavours at most
SUBJECT = "a picture of {}"


class Interrogator(Protocol):
    """Pictures into words."""

    def describe(self, images: Sequence[Image.Image]) -> list[str]: ...


class Captioner(Protocol):
    """Pictures into one sentence each."""

    def captions(self, images: Sequence[Image.Image]) -> list[str]: ...


class PhraseInterrogator:
    """Needs nothing but an encoder. `cache` is a folder for the phrases' features."""

    def __init__(self, encoder: Encoder, captioner: Captioner | None = None, *, cache: Path | None = None) -> None:
        self._encoder = encoder
        self._captioner = captioner
        self._cache = cache
        self._known: dict[str, Phrases] = {}

    def describe(self, images: Sequence[Image.Image]) -> list[str]:
        """One prompt for each picture."""
        features = self._encoder.encode_images(images)
        captions = self._captioner.captions(images) if self._captioner and len(images) else []
        heads = captions or [self._subject(feature) for feature in features]
        return [self.extended(head, feature) for head, feature in zip(heads, features, strict=True)]

    def extended(self, head: str, feature: Features) -> str:
        """The head with the phrases that bring it nearer to the picture."""
        manner = [self._phrases(name).nearest(feature, 1)[0] for name in ("mediums", "styles")]
        subsets = chain.from_iterable(combinations(manner, n) for n in range(len(manner) + 1))
        text, best = self._nearest([joined(head, *subset) for subset in subsets], feature)
        flavours = self._phrases("flavours").nearest(feature, SHORTLIST)
        for _ in range(LENGTH):
            longer = [joined(text, flavour) for flavour in flavours if flavour not in text]
            candidate, score = self._nearest(longer, feature) if longer else (text, best)
            if score <= best:
                break
            text, best = candidate, score
        return text

    def _subject(self, feature: Features) -> str:
        return self._phrases("subjects").nearest(feature, 1)[0]

    def _nearest(self, texts: Sequence[str], feature: Features) -> tuple[str, float]:
        scores = self._encoder.encode_texts(texts) @ feature
        return texts[int(np.argmax(scores))], float(scores.max())

    def _phrases(self, name: str) -> Phrases:
        if name not in self._known:
            texts = [SUBJECT.format(s) for s in own_list(name)] if name == "subjects" else phrase_list(name)
            self._known[name] = Phrases.encoded(texts, self._encoder, self._cache)
        return self._known[name]


class Phrases:
    """Texts and their features, (n, D)."""

    def __init__(self, texts: list[str], features: Features) -> None:
        self._texts = texts
        self._features = features

    @classmethod
    def encoded(cls, texts: list[str], encoder: Encoder, cache: Path | None) -> Phrases:
        """From the cache if it has these texts under this encoder, else encoded and put there."""
        digest = hashlib.sha256("\n".join([encoder.name, *texts]).encode()).hexdigest()[:16]
        file = cache / f"phrases-{digest}.npy" if cache else None
        if file is not None and (known := _read(file, (len(texts), encoder.dimension))) is not None:
            return cls(texts, known)
        features = encoder.encode_texts(texts).astype(np.float16)
        if file is not None:
            _write(file, features)
        return cls(texts, features.astype(np.float32))

    def nearest(self, feature: Features, count: int) -> list[str]:
        """The texts most like a feature (D,), best first."""
        order = np.argsort(-(self._features @ feature), kind="stable")
        return [self._texts[i] for i in order[:count]]


def joined(head: str, *phrases: str) -> str:
    """Comma-separated, leaving out what is there already."""
    return ", ".join([head, *(phrase for phrase in phrases if phrase not in head)])


def _read(file: Path, shape: tuple[int, int]) -> Features | None:
    try:
        features = np.load(file, allow_pickle=False).astype(np.float32)
    except (OSError, ValueError, EOFError):  # none yet, or cut off
        return None
    return features if features.shape == shape else None


def _write(file: Path, features: Features) -> None:
    part = file.with_suffix(".part.npy")
    with suppress(OSError):  # a folder that cannot be written to costs time, not the answer
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(part, features)
        part.replace(file)
