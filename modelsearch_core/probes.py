"""What every model is asked: ordered probes, and everything else that changes an image.

The same probe gives the same starting noise for every model of an architecture, so models are compared on paired
outputs. A probe's picture does not depend on how many other probes were asked, so a set may be topped up later.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from .probe_prompts import PROMPTS

SEED = 20_000  # of the first default probe; the n-th has SEED + n
TRIGGER_EVERY = 4
REFERENCE_SEED = 40_000  # of the first drawing
REFERENCE_FIELDS = ("reference_weight", "style_fidelity")


@dataclass(frozen=True)
class Probe:
    """A prompt and a seed, or a drawing and a seed with an empty prompt.

    `with_trigger`: the model's trigger words are put before the prompt, if it has any. `drawing` names a line
    drawing by its pixels (`drawing.digest_of`); the model fills it out by reference-only attention.
    """

    prompt: str
    seed: int
    with_trigger: bool = False
    drawing: str | None = None

    def text(self, trigger_words: tuple[str, ...] = ()) -> str:
        """The prompt as the model gets it."""
        return ", ".join([*trigger_words, self.prompt]) if self.with_trigger and trigger_words else self.prompt


@dataclass(frozen=True, kw_only=True)
class ProbeSet:
    """Ordered probes plus all that changes an image; its digest is part of every key of the catalog.

    `trigger_words`, `lora_weight` and `base` are of the model that is asked; `recipe_digest` leaves the trigger words
    out, so that two models with equal recipe digests were asked the same under the same conditions.
    """

    probes: tuple[Probe, ...]
    width: int
    height: int
    steps: int
    guidance: float
    sampler: str
    generator: str  # name of the engine: hosts' random numbers differ
    precision: str = "float32"
    negative_prompt: str = ""
    base: str | None = None  # fingerprint of the base model under a LoRA; None for a model that stands alone
    lora_weight: float = 1.0  # 0 for a model that stands alone
    trigger_words: tuple[str, ...] = ()
    accelerator: str | None = None  # fingerprint of a few-step LoRA
    decoder: str | None = None  # fingerprint of a small VAE (TAESD); None: the model's own
    drawing: str | None = None  # name of the line-drawing extractor
    reference_weight: float = 0.0  # of the drawings' part in self-attention; 0 where no probe has a drawing
    style_fidelity: float = 0.0  # how far the unconditional half leaves the drawing out
    shift: float | None = None  # of a flow's steps towards noise; None: as the model's configuration says
    notes: tuple[str, ...] = field(default=(), compare=False)  # for people; changes no image, not in the digest

    @property
    def digest(self) -> str:
        """32 hex digits over everything that changes an image."""
        return _digest(_without_unused(asdict(self)) | {"notes": None})

    @property
    def recipe_digest(self) -> str:
        """The digest without the model's own trigger words."""
        return replace(self, trigger_words=()).digest

    def prompt(self, number: int) -> str:
        """The prompt of probe `number` with this model's trigger words."""
        return self.probes[number].text(self.trigger_words)

    def for_base(self) -> ProbeSet:
        """The same questions, put to the base model without the LoRA: the set of a checkpoint that stands alone."""
        return replace(self, trigger_words=(), lora_weight=0.0, base=None)


def _without_unused(values: dict[str, Any]) -> dict[str, Any]:
    """Without what concerns drawings where no probe has one, and no shift, so that digests from before these fields
    still hold."""
    if values["shift"] is None:
        values = {name: value for name, value in values.items() if name != "shift"}
    if any(probe["drawing"] for probe in values["probes"]):
        return values
    probes = [{name: probe[name] for name in probe if name != "drawing"} for probe in values["probes"]]
    kept = {name: value for name, value in values.items() if name not in REFERENCE_FIELDS}
    return kept | {"probes": probes}


def _digest(values: Mapping[str, object]) -> str:
    text = json.dumps(values, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def default_probes(count: int = 64) -> tuple[Probe, ...]:
    """The first `count` default probes; a longer list starts with the shorter one.

    Each eight in a row have one prompt of every kind (people, animals, ...), so multiples of eight are balanced. Every
    fourth probe carries the trigger words, one place earlier in each following eight, so that all kinds get them. After
    64 the prompts repeat with new seeds.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1, not {count}")
    return tuple(_default_probe(number) for number in range(count))


def _default_probe(number: int) -> Probe:
    kinds = list(PROMPTS.values())
    turn, place = divmod(number, len(kinds))
    return Probe(kinds[place][turn % len(kinds[place])], SEED + number, with_trigger=_has_trigger(place + turn))


def own_probes(prompts: Sequence[str], count: int) -> tuple[Probe, ...]:
    """`count` probes of a user's own prompts, with the seeds and the share of trigger words of the default ones; after
    the last prompt they repeat with new seeds. ValueError if there is no prompt."""
    if not prompts:
        raise ValueError("0 prompts; give one or more")
    turns = (divmod(number, len(prompts)) for number in range(count))
    return tuple(
        Probe(prompts[place], SEED + number, with_trigger=_has_trigger(place + turn))
        for number, (turn, place) in enumerate(turns)
    )


def _has_trigger(number: int) -> bool:
    return number % TRIGGER_EVERY == TRIGGER_EVERY - 1


def prompts_of(text: str) -> tuple[str, ...]:
    """The prompts of a text file: one a line, each once; empty lines and those that begin with # do not count."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(dict.fromkeys(line for line in lines if line and not line.startswith("#")))


def reference_probes(drawings: Sequence[str]) -> tuple[Probe, ...]:
    """One for each drawing, by its digest: an empty prompt, and a seed of its own."""
    return tuple(Probe("", REFERENCE_SEED + number, drawing=drawing) for number, drawing in enumerate(drawings))
