"""A classifier's responses to all probes, as logits, one row an output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import UnreadableModelError
from .files import ClassifierFile, Input
from .opening import Responding, ways_in

BATCH = 16
TRIED = 64  # probes by which a way of putting pictures in is chosen
HALF = 0.5  # of the most that any way in tells
LEAST = 1e-6  # of a probability, before it becomes a logit
Array = NDArray[np.floating[Any]]
Pictures = Callable[[int], Image.Image]


class Unit(str, Enum):
    """What a model answers in; a logit of it is what is stored."""

    LOGIT = "logit"
    SHARE = "share"  # of all outputs, which add up to 1
    PROBABILITY = "probability"  # each for itself


@dataclass(frozen=True, kw_only=True)
class Responses:
    """φ_logit (L, n) of a model, with what to know of it."""

    phi: Array
    unit: Unit
    seen: Input
    guessed: bool
    note: str


def probe(
    file: ClassifierFile, opened: Responding, picture: Pictures, n: int, done: Callable[[int], None]
) -> Responses:
    """Asks for all n probes. UnreadableModelError where it answers nothing of use."""
    ways = ways_in(file, opened)
    seen = ways[0] if len(ways) == 1 else most_telling(opened, ways, [picture(i) for i in spread(n, TRIED)])
    rows: list[Array] = []
    for start in range(0, n, BATCH):
        images = [picture(i) for i in range(start, min(n, start + BATCH))]
        rows.append(np.asarray(opened.respond(images, seen), np.float32))
        done(len(images))
    widest = max(part.shape[1] for part in rows)
    answers = np.concatenate([np.pad(part, ((0, 0), (0, widest - part.shape[1]))) for part in rows])
    if not np.isfinite(answers).all():
        raise UnreadableModelError(f"{int((~np.isfinite(answers)).any(axis=1).sum())} of {n} answers are not numbers")
    unit = unit_of(answers)
    phi = to_logits(answers, unit).T
    return Responses(phi=phi, unit=unit, seen=seen, guessed=len(ways) > 1, note=note_on(phi, guessed=len(ways) > 1))


def note_on(phi: Array, *, guessed: bool) -> str:
    """What to know of the responses: a guess behind them, outputs that tell no two probes apart."""
    silent = int((phi.std(axis=1) <= LEAST).sum())
    notes = ["how pictures go in is a guess; a config.json beside the file would say it"] if guessed else []
    if silent:
        notes.insert(0, f"{silent} of {len(phi)} outputs answer every probe alike")
    return "; ".join(notes)


def most_telling(opened: Responding, ways: Sequence[Input], images: Sequence[Image.Image]) -> Input:
    """The likeliest way in, unless under another one answers say twice as much about which picture it is: a wrong one
    gives the same answer to all."""
    told = [information(np.asarray(opened.respond(images, way), np.float64)) for way in ways]
    return next(way for way, said in zip(ways, told, strict=True) if said >= HALF * max(told))


def information(answers: Array) -> float:
    """Mutual information, in nats, of a picture and what a model says of it: H(mean p) − mean H(p).

    p: softmax of the logits (n, L) in units of their own spread, since a larger input makes any answer surer."""
    logits = to_logits(answers, unit_of(answers))
    logits = logits / max(float(logits.std()), LEAST)
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = raised / raised.sum(axis=1, keepdims=True)
    return float(_entropy(p.mean(axis=0)).sum() - _entropy(p).sum(axis=1).mean())


def unit_of(answers: Array) -> Unit:
    """From the numbers themselves (n, L)."""
    if answers.min() < 0 or answers.max() > 1:
        return Unit.LOGIT
    adds_up = answers.shape[1] > 1 and np.allclose(answers.sum(axis=1), 1, atol=1e-3)
    return Unit.SHARE if adds_up else Unit.PROBABILITY


def to_logits(answers: Array, unit: Unit) -> Array:
    """log p of shares, log p/(1−p) of probabilities, logits as they are: what spreads where answers saturate."""
    if unit is Unit.LOGIT:
        return answers
    p = np.clip(answers.astype(np.float64), LEAST, 1 - LEAST)
    return np.log(p) if unit is Unit.SHARE else np.log(p / (1 - p))


def from_logit(value: float, unit: Unit) -> float:
    """Back to what the model itself would say."""
    if unit is Unit.LOGIT:
        return value
    return float(np.exp(value)) if unit is Unit.SHARE else float(1 / (1 + np.exp(-value)))


def spread(n: int, count: int) -> list[int]:
    """`count` places evenly among n."""
    return sorted({round(i * (n - 1) / max(1, min(n, count) - 1)) for i in range(min(n, count))})


def _entropy(p: Array) -> Array:
    return -p * np.log(np.maximum(p, 1e-12))
