"""What the zoo's CLIP reads: captions of pictures in many words, and phrases about all emoji of things.

Of every subject's tags one is kept from all captions of pictures, so that a search for it shows what was understood.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import regex

from . import packages, words
from .looks import ARTISTS, PAINTERS
from .pictures import Shown
from .scenes import BACKGROUNDS, caption
from .subjects import SUBJECTS, with_article
from .tints import TINTS

GROUPS = (3, 4, 5, 6, 7)  # of emojibase: animals and nature, food, places, activities, objects
VARIANTS = 4  # captions of a picture


def unseen_tag(subject: str, folder: Path) -> str:
    """The tag that captions never have; "" where there are fewer than two."""
    tags = _own_tags(subject, folder)
    return min(tags, key=lambda tag: hashlib.sha256(f"{subject} {tag}".encode()).digest()) if len(tags) > 1 else ""


def _own_tags(subject: str, folder: Path) -> list[str]:
    """Those that say something else than the subject's name."""
    return [tag for tag in words.tags(subject, folder) if tag not in subject.split() and tag != SUBJECTS[subject]]


def caption_of(one: Shown, rng: np.random.Generator, folder: Path) -> str:
    """One of the many things that can be said of a picture."""
    subject = _thing(one.scene.subject, rng, folder)
    where = BACKGROUNDS[one.scene.background]
    look = _look(one, rng)
    plain = caption(one.scene) if rng.random() < 0.5 else f"{subject} {where}" if rng.random() < 0.5 else subject
    if not look:
        return plain
    kind = rng.random()
    return look if kind < 0.25 else f"{plain}, {look}" if kind < 0.65 else f"{look}, {plain}"


def _thing(subject: str, rng: np.random.Generator, folder: Path) -> str:
    unseen = unseen_tag(subject, folder)
    tags = [tag for tag in _own_tags(subject, folder) if tag != unseen]
    kind = rng.random()
    if not tags or kind < 0.5:
        return with_article(subject)
    told = " ".join(str(tag) for tag in rng.permutation(tags)[:2])
    return told if kind < 0.7 else f"{subject}, {told}" if kind < 0.85 else f"{SUBJECTS[subject]}, {told}"


def _look(one: Shown, rng: np.random.Generator) -> str:
    if one.tint:
        return TINTS[one.tint][0]
    if one.painter is not None:
        return str(rng.choice(PAINTERS[one.painter]))
    told = one.scene.artist != "noto" or rng.random() < 0.3
    return str(rng.choice(ARTISTS[one.scene.artist])) if told else ""


def general(folder: Path) -> list[str]:
    """Phrases that no picture goes with: every emoji of a thing by its label, and by label and tags."""
    emoji_list: list[dict[str, Any]] = packages.read(packages.WORDS, folder, "en/data.json")
    phrases: list[str] = []
    for entry in emoji_list:
        if entry.get("group") in GROUPS:
            phrases += [
                entry["label"],
                *(f"{entry['label']}, {tag}" for tag in entry.get("tags", ())),
                *entry.get("tags", ()),
            ]
    return sorted({phrase.lower() for phrase in phrases})


def known(folder: Path) -> list[str]:
    """The words of all these, each once."""
    looks = [look for names in (*ARTISTS.values(), *PAINTERS) for look in names] + [look for look, _ in TINTS.values()]
    phrases = [*general(folder), *looks, *words.known(folder)]
    return sorted({word for phrase in phrases for word in regex.findall(r"[a-z]+", phrase)})
