"""What is asked, and what is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from ..specification import Evidence, Modality


@dataclass(frozen=True, kw_only=True)
class Query:
    """All inputs of one search; several are a product of experts.

    `like` names models of the index, `without` holds texts or pictures that are not wanted, `prompt` is a user's words
    for the images (kernel-mean methods; else an interrogator describes them). `weights` has one number per input in the
    order text, images, sketches, like, without; all are 1 unless given.
    `respect_layout` ranks the best again by where things are in the images (which way they face).
    `style` slides what the images ask of `auto` from the same subject (0) to the same style (1); None: as it suits.
    """

    text: Sequence[str] = ()
    images: Sequence[Image.Image] = ()
    sketches: Sequence[Image.Image] = ()
    like: Sequence[str] = ()
    without: Sequence[str | Image.Image] = ()
    weights: Sequence[float] | None = None
    prompt: str | None = None
    style: float | None = None
    respect_layout: bool = False

    def __post_init__(self) -> None:
        if self.inputs == 0:
            raise ValueError("a query needs a text, an image, a sketch or a model")
        if self.weights is not None and len(self.weights) != self.inputs:
            raise ValueError(f"{len(self.weights)} weights for {self.inputs} inputs")
        if not self.wants_anything:
            raise ValueError(
                "what is not wanted only orders the rest; add a text, an image, a sketch or a model that is wanted"
            )
        if self.respect_layout and not self.images:
            raise ValueError("only an image has a layout to respect; add one, or leave respect_layout off")
        if self.style is not None and not 0 <= self.style <= 1:
            raise ValueError(f"style must be from 0 (same subject) to 1 (same style), not {self.style}")

    @property
    def wants_anything(self) -> bool:
        """Whether an input counts for a model, not against it."""
        positive = self.inputs - len(self.without)
        return positive > 0 and (self.weights is None or any(weight > 0 for weight in self.weights[:positive]))

    @property
    def shows_pictures(self) -> bool:
        """Whether any input is a picture or a sketch."""
        return bool(self.images or self.sketches) or not all(isinstance(item, str) for item in self.without)

    @property
    def inputs(self) -> int:
        return sum(map(len, (self.text, self.images, self.sketches, self.like, self.without)))


@dataclass(frozen=True, kw_only=True)
class NearSample:
    """One of a model's samples, by its probe's number, and its cosine with an input."""

    number: int
    cosine: float


@dataclass(frozen=True, kw_only=True)
class MethodReading:
    """How one method's score was read: z = (score − hub − median) / spread; weight · z adds up to the input's score.

    `median` and `spread` are of what unrelated queries get for models of the same evidence and kind, `hub` is taken off
    a model that is near to every query; all three are in the method's own unit, as the score is.
    """

    method: str
    weight: float
    score: float
    median: float
    spread: float
    hub: float
    z: float


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why a model stands where it does: one entry for each input. The contributions add up to the match's score."""

    label: str
    modality: Modality
    weight: float
    score: float | None  # standardised: 0 is an average unrelated query, 1 one standard deviation better; None: unknown
    contribution: float = 0.0
    nearest: tuple[NearSample, ...] = ()
    methods: tuple[MethodReading, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Match:
    """One answer. `relevance` below `weak_below` is a weak match: an unrelated query's best is as good. `confidence` is
    how likely this is the very model that is meant. `guessed`: nothing was generated with it, so that its score is what
    its name or a preview lets one expect; `deviation` is how far that may be off, 0 where it was measured."""

    rank: int
    id: str  # fingerprint
    name: str
    title: str
    path: Path
    copies: tuple[Path, ...]
    kind: str
    architecture: str
    variant: str | None = None
    lineage: str | None = None
    score: float
    relevance: float
    weak: bool
    evidence: Evidence
    confidence: float
    guessed: bool
    deviation: float
    trigger_words: tuple[str, ...]
    strength: float | None  # suggested weight of a LoRA
    samples: int = 0  # pictures that it was judged by
    users_pictures: int = 0  # and beside them, pictures that the user has made with it
    thumbnails: tuple[int, ...]  # probe numbers of this model's samples, nearest to the query first
    explanation: tuple[Explanation, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Plain values under stable keys."""
        return plain(self)


_AS_THEY_ARE = frozenset((str, int, float, bool, type(None)))  # most values of an answer, which has thousands


@cache
def _names(of: type) -> tuple[str, ...]:
    """Of a dataclass' fields; none of another class."""
    return tuple(field.name for field in fields(of)) if is_dataclass(of) else ()


def plain(value: Any) -> Any:
    """A value as JSON knows it."""
    if type(value) in _AS_THEY_ARE:
        return value
    if names := _names(type(value)):
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, (Evidence, Modality)):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value
