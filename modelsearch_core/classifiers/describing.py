"""What each output of a classifier is: in the file's words, in CLIP's, in pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .matches import named
from .outputs import Model
from .searching import ClassifierIndex

WORDS = 3
PICTURES = 4


@dataclass(frozen=True, kw_only=True)
class OutputDescription:
    """`seems` are the background concepts that it is nearest to, `probes` the pictures that excite it most."""

    output: int
    turned: bool
    label: str | None
    seems: tuple[str, ...]
    probes: tuple[int, ...]

    @property
    def heading(self) -> str:
        return f"{named(self.output, self.label, self.turned)}: {', '.join(self.seems)}"

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "seems": list(self.seems), "probes": list(self.probes)}


def described_outputs(index: ClassifierIndex, model: Model, most: int | None = None) -> list[OutputDescription]:
    """Of the model's first `most` outputs, in their order."""
    rows = list(model.rows)[:most]
    words: Sequence[Sequence[str]] = index.words(rows, WORDS) if model.asked else [()] * len(rows)
    o = index.outputs
    return [
        OutputDescription(
            output=int(o.number[row]),
            turned=bool(o.sign[row] < 0),
            label=o.label(row),
            seems=tuple(said),
            probes=o.most_exciting(row, PICTURES) if model.asked else (),
        )
        for row, said in zip(rows, words, strict=True)
    ]
