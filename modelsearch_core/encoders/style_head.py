"""The practical style encoder: a linear head on an image encoder's features, trained with triplets (docs/methods.md 7).

W (d, D), b (d,): a picture's feature z becomes the style vector W·z + b at unit length.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..embedding import Features, unit
from ..errors import ModelSearchError

RECORD = "modelsearch"


@dataclass(frozen=True, kw_only=True)
class StyleHead:
    """`encoder` is the name of the one whose features it takes; `record` tells of its training. Where these are CSD's
    and not those of the index's encoder, `csd` says where its weights lay."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    encoder: str
    csd: str = ""
    record: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __call__(self, z: Features) -> Features:
        """(n, D) → (n, d), unit rows."""
        return unit(np.asarray(z, np.float32) @ self.weight.T + self.bias)

    @property
    def name(self) -> str:
        digest = hashlib.sha256(self.weight.tobytes() + self.bias.tobytes()).hexdigest()[:8]
        return f"style-linear:{digest}"

    def save(self, path: Path) -> None:
        """One safetensors file, the training record in its header; there whole or not at all."""
        features = {"encoder": self.encoder, "csd": self.csd} if self.csd else {"encoder": self.encoder}
        metadata = {RECORD: json.dumps({"network": "linear", **features, **self.record})}
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_bytes(save({"weight": self.weight, "bias": self.bias}, metadata))
        part.replace(path)


@dataclass(frozen=True)
class StyleFile:
    """A trained network on disk, whose vectors are in the catalog under `name`; `style.open_network` opens it. Or a
    head on the vectors of CSD, which stay as they are when the head is trained again; `csd.open_csd` opens that."""

    path: Path
    name: str
    head: StyleHead | None = None

    def of(self, vectors: Features) -> Features:
        """Style vectors from the network's own."""
        return np.asarray(vectors, np.float32) if self.head is None or not len(vectors) else self.head(vectors)


def read_style(path: Path) -> StyleHead | StyleFile:
    """What `modelsearch train style` has written. ModelSearchError where it is not there or nothing of the kind."""
    record = read_record(path)
    if record.get("network") == "vgg19":
        return StyleFile(path, str(record["name"]))
    head = read_head(path)
    return StyleFile(path, head.encoder, head) if head.csd else head


def read_head(path: Path) -> StyleHead:
    """ModelSearchError where there is no such file, or it is no style head."""
    record = read_record(path)
    with _opened(path) as file:
        if record.get("network") != "linear" or set(file.keys()) != {"weight", "bias"}:
            raise ModelSearchError(f"{path} is no linear style head; make one with `modelsearch train style`")
        weight, bias = (np.asarray(file.get_tensor(name), np.float32) for name in ("weight", "bias"))
    csd = str(record.get("csd", ""))
    return StyleHead(weight=weight, bias=bias, encoder=str(record["encoder"]), csd=csd, record=record)


def read_record(path: Path) -> dict[str, Any]:
    """What the header says of the training. ModelSearchError where there is none."""
    with _opened(path) as file:
        metadata = file.metadata() or {}
    try:
        return json.loads(metadata[RECORD])
    except (KeyError, ValueError) as error:
        raise ModelSearchError(f"{path} was not written by `modelsearch train style`; run that again") from error


def _opened(path: Path) -> Any:
    try:
        return safe_open(path, framework="numpy")
    except FileNotFoundError as error:
        raise ModelSearchError(f"there is no style encoder at {path}; make one: `modelsearch train style`") from error
    except (SafetensorError, OSError) as error:
        raise ModelSearchError(f"{path} cannot be read as a style encoder ({error}); train it again") from error
