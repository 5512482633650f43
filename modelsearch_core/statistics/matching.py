"""What `modelsearch train matching` has learned for a catalog: one safetensors file beside it.

A matrix is there for each score and modality that was found better on models it had not seen; where none is, the plain
score answers.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..errors import ModelSearchError
from ..scores.matching import Matrix
from ..specification import Modality

MATCHING_SETTING = "matching"  # of the catalog: the file's name, seen from the catalog's folder
RECORD = "modelsearch_matching"

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Matching:
    """Matrices by "modality.score", of the features of one `encoder`; `record` tells of the training."""

    encoder: str
    matrices: Mapping[str, Matrix]
    record: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def matrix(self, modality: Modality, score: str) -> Matrix | None:
        """None where the plain score is no worse."""
        return self.matrices.get(name_of(modality, score))

    def save(self, path: Path) -> None:
        """One safetensors file, the training record in its header; there whole or not at all."""
        metadata = {RECORD: json.dumps({"encoder": self.encoder, **self.record})}
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_bytes(save({name: np.ascontiguousarray(m) for name, m in self.matrices.items()}, metadata))
        part.replace(path)


def name_of(modality: Modality, score: str) -> str:
    return f"{modality.value}.{score}"


def read_matching(path: Path) -> Matching:
    """ModelSearchError where there is no such file, or it is nothing of the kind."""
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            matrices = {name: np.asarray(file.get_tensor(name), np.float32) for name in file.keys()}  # noqa: SIM118
        record = json.loads(metadata[RECORD])
    except FileNotFoundError as error:
        raise ModelSearchError(f"there is no learned matching at {path}; run `modelsearch train matching`") from error
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise ModelSearchError(f"{path} is no learned matching ({error}); run `modelsearch train matching`") from error
    return Matching(encoder=str(record["encoder"]), matrices=matrices, record=record)


def matching_of(setting: str | None, catalog: Path, encoder: str) -> Matching | None:
    """What a catalog names, if it is there and was learned on this encoder's features."""
    if not setting:
        return None
    try:
        matching = read_matching(catalog.parent / setting)
    except ModelSearchError as error:
        log.warning("search goes without learned matching: %s", error)
        return None
    return matching if matching.encoder == encoder else None
