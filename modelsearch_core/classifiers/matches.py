"""What a search among outputs answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class OutputMatch:
    """One output of one file. `relevance` below .5 is a weak match: an unrelated concept's best is as good.

    `probes` are the probe pictures that excite it most; `threshold` is what the model must say of a picture at least,
    in `unit` (logit, share, probability), before it is likely to show the concept. `turned`: what it rates low.
    """

    rank: int
    id: str  # fingerprint
    name: str
    title: str
    path: Path
    copies: tuple[Path, ...]
    kind: str
    output: int
    turned: bool
    label: str | None
    score: float
    relevance: float
    weak: bool
    agreement: float | None  # of the file's labels with its responses; None: it has no labels
    evidence: str  # responses, or labels where it was never asked
    probes: tuple[int, ...]
    threshold: float | None
    unit: str | None
    note: str

    @property
    def what(self) -> str:
        """The output, as a person would call it."""
        return named(self.output, self.label, self.turned)

    def to_json(self) -> dict[str, Any]:
        values = asdict(self)
        return values | {
            "path": str(self.path),
            "copies": [str(path) for path in self.copies],
            "probes": list(self.probes),
        }


def named(output: int, label: str | None, turned: bool) -> str:
    word = f"{output} {label}" if label else str(output)
    return f"{word} (low)" if turned else word
