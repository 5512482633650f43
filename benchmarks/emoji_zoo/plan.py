"""What one model of the emoji zoo is to learn, and how its file is to look."""

from __future__ import annotations

from dataclasses import dataclass

from ..zoo import plan
from .looks import ARTISTS, PAINTERS
from .subjects import with_article
from .tints import TINTS


@dataclass(frozen=True, kw_only=True)
class Plan(plan.Plan):
    """`category`: artist, painter, subject, tint, both (a subject in a look), weak, overtrained, dora, checkpoint."""

    artist: str = "noto"
    painter: int | None = None
    tint: str = ""
    told: str = ""  # what the author says of it, where that is not what it does
    resolution: int = 128
    steps: int = 300
    rate: float = 2e-3

    @property
    def look(self) -> str:
        """In the words of somebody who sees its pictures."""
        if self.painter is not None:
            return PAINTERS[self.painter][0]
        if self.tint:
            return TINTS[self.tint][0]
        return ARTISTS[self.artist][0] if self.artist != "noto" else ""

    @property
    def description(self) -> str:
        things = f"a picture of {with_article(self.subjects[0])}" if len(self.subjects) == 1 else ""
        return self.told or ", ".join(part for part in (things, self.look) if part)
