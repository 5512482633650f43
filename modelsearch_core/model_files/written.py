"""What is known of a file as JSON: for the catalog, and for a process that makes the pictures."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .model_file import Kind, ModelFile, SkippedFile

_PATHS = ("path", "preview", "base")
_FORMER = ("downloads",)  # what catalogs of earlier versions have beside


def file_to_json(file: ModelFile | SkippedFile) -> str:
    return json.dumps(asdict(file), default=str, ensure_ascii=False)


def file_from_json(text: str) -> ModelFile | SkippedFile:
    values: dict[str, Any] = json.loads(text)
    values |= {name: Path(values[name]) for name in _PATHS if values.get(name)}
    if "reason" in values:
        return SkippedFile(**values)
    values |= {name: tuple(value) for name, value in values.items() if type(value) is list}
    values["kind"] = Kind(values["kind"])
    for name in _FORMER:
        values.pop(name, None)
    return ModelFile(**values)


def model_from_json(text: str) -> ModelFile:
    """ValueError for a file that is no model."""
    file = file_from_json(text)
    if isinstance(file, SkippedFile):
        raise ValueError(f"{file.path} is no model: {file.reason}")
    return file
