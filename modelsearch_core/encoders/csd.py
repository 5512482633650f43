"""Contrastive Style Descriptors (Somepalli et al., arXiv 2404.01292): CLIP's ViT-L/14, trained on to see styles.

An optional file; nothing is downloaded unless CSD is asked for by name. Layers are taken from the tensors' shapes. The
weights are the authors' training checkpoint, or its tensors alone as safetensors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from open_clip.transformer import QuickGELU, VisionTransformer
from torch.nn import functional

from ..errors import MissingWeightsError, ModelSearchError
from .downloading import Progress
from .preparation import Preparation
from .style import StyleEncoder
from .weights import Weights, digest_of, find, read_tensors, weights_file

FOLDERS = "models/clip_vision", "models/style_models"
HEAD_WIDTH = 64  # of every CLIP tower
BACKBONE, STYLE = "backbone.", "last_layer_style"

PLAIN = Weights(
    own_name="CSD-ViT-L",
    repository="yuxi-liu-wired/CSD",
    files=("model.safetensors",),
    size=1_219_000_000,
    host_folders=FOLDERS,
)
AUTHORS = Weights(
    own_name="CSD-ViT-L",
    repository="tomg-group-umd/CSD-ViT-L",
    files=("pytorch_model.bin",),
    size=2_438_228_893,
    sha256="40e92fad63a361b8136100cd234c42d401ef9b34ff1748234318929ebcc7e7a1",
    host_folders=FOLDERS,
)
FIRST = Weights(own_name="csd_vit-l", repository="", files=("csd_vit-l.pth",), host_folders=FOLDERS)


class CsdNetwork(torch.nn.Module):
    """Pictures (n, 3, side, side) to style descriptors (n, D) of unit length."""

    def __init__(self, state: Mapping[str, torch.Tensor]) -> None:
        super().__init__()
        width, _, _, patch = state["conv1.weight"].shape
        self.dimension = state["proj"].shape[1]
        self.side = patch * round((len(state["positional_embedding"]) - 1) ** 0.5)
        self.tower = VisionTransformer(
            image_size=self.side,
            patch_size=patch,
            width=width,
            layers=1 + max(int(name.split(".")[2]) for name in state if name.startswith("transformer.resblocks.")),
            heads=width // HEAD_WIDTH,
            mlp_ratio=len(state["transformer.resblocks.0.mlp.c_fc.bias"]) / width,
            output_dim=self.dimension,
            act_layer=QuickGELU,
        )
        self.tower.load_state_dict(dict(state))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return functional.normalize(self.tower(pictures), dim=1)


def find_csd() -> Path | None:
    """The weights, if they are on disk."""
    return next(_on_disk(), None)


def csd_file(*, may_download: bool = True, progress: Progress | None = None) -> Path:
    """The weights on disk, downloaded if need be. MissingWeightsError."""
    return find_csd() or weights_file(PLAIN, may_download=may_download, progress=progress)


def csd_name(file: Path) -> str:
    """What the features of these weights are called: the file's digest tells them apart."""
    return f"csd:{digest_of(file, str(file.stat().st_size).encode())}"


def same_csd(name: str, last_seen: Path) -> Path:
    """The file of the weights with this name, where it was or anywhere else. MissingWeightsError."""
    known = (path for path in (last_seen, *_on_disk()) if path.is_file())
    if found := next((path for path in known if csd_name(path) == name), None):
        return found
    raise MissingWeightsError(
        f"the weights {name}, on whose features the style encoder was trained, are no longer at {last_seen}; put "
        "them back, or `modelsearch train style` again"
    )


def open_csd(file: Path, device: str = "auto") -> StyleEncoder:
    """ModelSearchError where the file holds something else."""
    state = tower_state(_tensors(file), file)
    try:
        network = CsdNetwork(state)
    except (KeyError, ValueError, ArithmeticError, AssertionError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise _other_weights(file, f"{type(error).__name__}: {reason}") from error
    return StyleEncoder(network, csd_name(file), device, Preparation(size=network.side), network.dimension)


def _on_disk() -> Iterator[Path]:
    return (file for weights in (PLAIN, AUTHORS, FIRST) if (file := find(weights)))


def _tensors(file: Path) -> dict[str, torch.Tensor]:
    if not file.is_file():
        raise MissingWeightsError(f"there is no file {file} with the weights of CSD")
    return read_tensors(file)


def tower_state(state: Mapping[str, torch.Tensor], file: Path) -> dict[str, torch.Tensor]:
    """The tower's tensors under their names in CLIP, the projection to styles in the place of CLIP's own."""
    state = {name.removeprefix("model."): tensor.float() for name, tensor in state.items()}
    if STYLE not in state:
        raise _other_weights(file, f"there is no {STYLE}")
    tower = {name.removeprefix(BACKBONE): tensor for name, tensor in state.items() if name.startswith(BACKBONE)}
    return {**tower, "proj": state[STYLE]}


def _other_weights(file: Path, reason: str) -> ModelSearchError:
    return ModelSearchError(
        f"{file} does not hold the weights of CSD ({reason}); take {PLAIN.files[0]} of {PLAIN.repository}"
    )
