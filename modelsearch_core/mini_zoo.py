"""The bundled mini zoo: small models that were really trained, with pictures they made of prompts nobody else saw."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from .errors import ModelSearchError

FOLDER = Path(__file__).resolve().parent.parent / "mini_zoo"
PROMPTS = FOLDER / "prompts.txt"  # what these models understand


@dataclass(frozen=True)
class ZooModel:
    """What a model of the zoo really is. `name` finds it in an index."""

    name: str
    category: str
    description: str
    pictures: tuple[Path, ...]

    def picture(self, number: int = 0) -> Image.Image:
        return Image.open(self.pictures[number]).convert("RGB")


def zoo_models(folder: Path = FOLDER) -> dict[str, ZooModel]:
    """By name, in the order in which they were made. ModelSearchError where the zoo is not there."""
    path = folder / "world.json"
    if not path.is_file():
        raise ModelSearchError(f"the mini zoo is not at {folder}; it comes with the repository, not with the package")
    world: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["models"]
    return {key: _model(folder, key, record) for key, record in world.items()}


def _model(folder: Path, key: str, record: dict[str, Any]) -> ZooModel:
    pictures = tuple(sorted((folder / "queries" / key).glob("*.webp")))
    return ZooModel(record["file"], record["category"], record["description"], pictures)
