"""Plain words and what they are to mean to the zoo's CLIP: that of the captions' phrases which MiniLM finds near to them.

The features of a text are those of the subjects' and looks' names, weighted by how near it is to each (a kernel regression,
Nadaraya 1964 and Watson 1964, in MiniLM's space): a caption's words lead to its pictures already, and MiniLM leads to these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import regex
from numpy.typing import NDArray

from modelsearch_core.cli.demo import questions
from modelsearch_core.embedding import unit
from modelsearch_core.mini_zoo import zoo_models

from . import phrases, wordings
from .chosen_on import CHOSEN_ON
from .looks import ARTISTS, PAINTERS
from .subjects import SUBJECTS, with_article
from .tints import TINTS

TEMPERATURE = 0.05
NEAR = 14  # words that are told of one phrase
PATTERNS = (
    "{} {}", "{} {} {}", "{}, {}", "{} and {}", "{} with {}", "a {} {}", "{} in the {}", "{} on {}", "{} of a {}", "like {}",
    "{} for {}", "the {} of {}", "{} {}, {}", "{} in a {} {}", "an old {} {}", "something {} with a {}",
)  # fmt: skip
STRAY = 0.25  # share of words in a sentence that are any


def looks() -> list[str]:
    return [look for names in (*ARTISTS.values(), *PAINTERS) for look in names] + [look for look, _ in TINTS.values()]


def pillars() -> list[str]:
    """The phrases of captions that all other words are explained by."""
    return [*looks(), *map(with_article, SUBJECTS)]


@dataclass(frozen=True)
class Teacher:
    """`meanings` (P, 384) and `features` (P, D) of the pillars, unit rows."""

    meanings: NDArray[np.floating]
    features: NDArray[np.floating]

    def cosines(self, meanings: NDArray[np.floating]) -> NDArray[np.floating]:
        """(N, P), from the middle of the pillars."""
        middle = self.meanings.mean(axis=0)
        return unit(meanings - middle) @ unit(self.meanings - middle).T

    def says(self, meanings: NDArray[np.floating]) -> NDArray[np.floating]:
        """(N, D), unit rows."""
        near = np.exp((self.cosines(meanings) - 1) / TEMPERATURE)
        return unit(near @ self.features / near.sum(axis=1, keepdims=True))


def sentences(near: Sequence[Sequence[str]], words: Sequence[str], count: int, seed: int) -> Iterator[str]:
    """Of words that are near to one phrase, and of any, in many orders."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        pattern = PATTERNS[rng.integers(len(PATTERNS))]
        about = near[number % len(near)]
        from_all = rng.random(pattern.count("{}")) < STRAY
        yield pattern.format(*(str(rng.choice(words if any_word else about)) for any_word in from_all))


def spared(packages: Path) -> dict[str, str]:
    """By subject, the word that its captions never have."""
    return {subject: tag for subject in SUBJECTS if (tag := phrases.unseen_tag(subject, packages))}


def held_out(spared_words: dict[str, str]) -> set[str]:
    """What is never taught as it stands: the protocol's wordings, the words that captions were spared, the demo's
    questions, and what the teaching was chosen on."""
    return {plain(text) for text in (*wordings.OWN.values(), *CHOSEN_ON.values(), *_demo(), *spared_words.values())}


@cache
def _demo() -> tuple[str, ...]:
    queries = [question.query for question in questions(zoo_models())]
    return tuple(text for query in queries for text in (*query.text, *query.without) if isinstance(text, str))


def allowed(texts: Sequence[str], spared_words: dict[str, str]) -> list[str]:
    """Those that neither are held out nor tell a subject by the word that its captions were spared."""
    never = held_out(spared_words)
    pairs = [(f" {plain(subject)} ", f" {plain(tag)} ") for subject, tag in spared_words.items()]
    kept: list[str] = []
    for text in texts:
        told = f" {plain(text)} "
        if told.strip() not in never and not any(tag in told and subject in told for subject, tag in pairs):
            kept.append(text)
    return kept


def plain(text: str) -> str:
    return " ".join(regex.findall(r"[a-z0-9]+", text.lower()))
