"""What a user says of a model comes before what its file, or anybody else, says."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from .model_file import ModelFile


@dataclass(frozen=True, kw_only=True)
class ByHand:
    """What was set; None is left as it is read. No trigger words at all are set by an empty tuple."""

    architecture: str | None = None
    base: Path | None = None  # the checkpoint to put under this LoRA
    trigger_words: tuple[str, ...] | None = None

    def __bool__(self) -> bool:
        return bool(self._given())

    def _given(self) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    def on(self, model: ModelFile) -> ModelFile:
        """The model with these values, which `ModelFile.by_hand` names."""
        given = self._given()
        return replace(model, **given, by_hand=tuple(given)) if given else model

    def to_json(self) -> dict[str, Any]:
        """Plain values of what is set."""
        plain = {"base": str, "trigger_words": list}
        return {name: plain.get(name, str)(value) for name, value in self._given().items()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> ByHand:
        words, base = values.get("trigger_words"), values.get("base")
        return cls(
            architecture=values.get("architecture"),
            base=Path(base) if base else None,
            trigger_words=None if words is None else tuple(words),
        )
