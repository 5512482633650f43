"""What indexing tells whoever watches, and what came of it at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..model_files import SkippedFile
from ..pictures import PictureSummary


@dataclass(frozen=True, kw_only=True)
class Step:
    """A moment of the work. `done` of `total` models of `stage` are ready; `images` were made since the last step."""

    stage: str  # scan, weights, words, previews, pictures, looks, sketches, generate, references, layouts, background
    done: int
    total: int | None
    model: str = ""
    images: int = 0
    failure: str | None = None


Progress = Callable[[Step], None]  # may raise to stop the work; what was stored stays


def reason_of(error: Exception) -> str:
    """What went wrong, for whoever reads it in a list: the system's words alone, where it is the system's."""
    if isinstance(error, OSError) and error.strerror:
        return f"the file cannot be read: {error.strerror.lower()}"
    return f"{type(error).__name__}: {error}"


def silent(_: Step) -> None:
    """Nobody watches."""


@dataclass(kw_only=True)
class Report:
    """What one run did, by path."""

    models: int = 0
    skipped: list[SkippedFile] = field(default_factory=list[SkippedFile])
    removed: int = 0
    generated: list[Path] = field(default_factory=list[Path])
    unchanged: int = 0
    failed: dict[Path, str] = field(default_factory=dict[Path, str])
    elsewhere: list[Path] = field(default_factory=list[Path])  # another indexer is at them
    images: int = 0
    pictures: PictureSummary | None = None  # that the user made, where any were looked at
    without_effect: list[Path] = field(default_factory=list[Path])  # LoRA whose pictures are those of their base
    mapped: list[Path] = field(default_factory=list[Path])  # where things are in their pictures
    rendered: list[Path] = field(default_factory=list[Path])  # LoRA that filled out the drawings of the reference set
    prompts_only: dict[Path, str] = field(default_factory=dict[Path, str])  # why it was not

    def settle(self) -> None:
        """Names each model once, however many turns it had."""
        for paths in (self.generated, self.without_effect, self.elsewhere):
            paths[:] = dict.fromkeys(paths)
        self.without_effect[:] = [path for path in self.without_effect if path in self.generated]
