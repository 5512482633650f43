"""Small decoders (TAESD, https://github.com/madebyollin/taesd) found on disk, in place of a model's own VAE.

Hosts keep them in `vae_approx` as `taesd_decoder.safetensors` or `.pth`; the hub has them in the diffusers layout.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ..families import FAMILIES

WEIGHTS = "diffusion_pytorch_model.safetensors"


@dataclass(frozen=True)
class SmallDecoder:
    """`path` is a file of hosts, or a folder in the diffusers layout."""

    path: Path
    fingerprint: str


def decoder_for(architecture: str, folders: Sequence[Path]) -> SmallDecoder | None:
    """The first that is there for this architecture."""
    family = FAMILIES.get(architecture)
    name = str(family.small_decoder) if family and family.classic else None  # others have more channels
    for path in _places(folders, name) if name else ():
        weights = path / WEIGHTS if path.is_dir() else path
        if weights.is_file():
            return SmallDecoder(path, hashlib.sha256(weights.read_bytes()).hexdigest()[:32])
    return None


def _places(folders: Sequence[Path], name: str) -> Iterator[Path]:
    for folder in folders:
        yield folder / f"{name}_decoder.safetensors"
        yield folder / f"{name}_decoder.pth"
        yield folder / name
        if folder.name == name:
            yield folder


def load_decoder(decoder: SmallDecoder, dtype: Any, device: str) -> Any:
    """The AutoencoderTiny; only its decoder counts."""
    from diffusers import AutoencoderTiny

    if decoder.path.is_dir():
        config = json.loads((decoder.path / "config.json").read_text("utf-8"))
        vae = cast("Any", AutoencoderTiny.from_config(config))
        vae.load_state_dict(_state(decoder.path / WEIGHTS))
    else:
        vae = cast("Any", AutoencoderTiny())
        vae.decoder.load_state_dict({_layer(name): tensor for name, tensor in _state(decoder.path).items()})
    return vae.to(device, dtype).eval()


def _state(path: Path) -> dict[str, Any]:
    from .tensors import load_state

    return load_state(path)


def _layer(name: str) -> str:
    """TAESD numbers its layers from a clamp on; diffusers clamps outside of them, so its numbers are one less."""
    number, _, rest = name.removeprefix("decoder.").partition(".")
    return name.removeprefix("decoder.") if number == "layers" else f"layers.{int(number) - 1}.{rest}"
