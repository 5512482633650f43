"""The paper's style encoder: VGG19 with ImageNet's weights and a head of 128 numbers (docs/methods.md 7).

Simonyan and Zisserman, arXiv 1409.1556. The last of its three dense layers is replaced; all layers are trained. Layers
are taken from the tensors' shapes, so that a narrower network of the same form does as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch.nn import functional

from ..embedding import Features
from ..errors import ModelSearchError
from .device import best_device
from .preparation import Preparation
from .style_head import RECORD, StyleFile, read_record
from .weights import Weights, find, read_tensors, weights_file

DIMENSION = 128
SIDE = 224  # pixels
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
BATCH = 16
State = Mapping[str, torch.Tensor]

TORCHVISION = Weights(own_name="vgg19-dcbb9e9d", repository="", files=("vgg19-dcbb9e9d.pth",), size=574_673_361)
TIMM = Weights(
    own_name="vgg19_tv_in1k", repository="timm/vgg19.tv_in1k", files=("model.safetensors",), size=574_675_000
)
TIMM_NAMES = {"pre_logits.fc1": "classifier.0", "pre_logits.fc2": "classifier.3", "head.fc": "classifier.6"}


class StyleNetwork(torch.nn.Module):
    """Pictures (n, 3, SIDE, SIDE) to style vectors (n, 128) of unit length."""

    def __init__(self, state: State) -> None:
        super().__init__()
        wide, inner = state["classifier.0.weight"].shape[1], state["classifier.3.weight"].shape[0]
        last = _convolutions(state)[-1][1]
        self.features = _features(state)
        self.avgpool = torch.nn.AdaptiveAvgPool2d(round((wide / last) ** 0.5))
        self.classifier = torch.nn.Sequential(
            torch.nn.Linear(wide, state["classifier.0.weight"].shape[0]), torch.nn.ReLU(), torch.nn.Dropout(),
            torch.nn.Linear(state["classifier.3.weight"].shape[1], inner), torch.nn.ReLU(), torch.nn.Dropout(),
            torch.nn.Linear(inner, DIMENSION),
        )  # fmt: skip

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return functional.normalize(self.classifier(self.avgpool(self.features(pictures)).flatten(1)), dim=1)


def untrained(state: State, seed: int = 0) -> StyleNetwork:
    """With ImageNet's weights of VGG19 and a new head. ModelSearchError where these are no such weights."""
    state = _in_torchvisions_names(state)
    torch.manual_seed(seed)
    try:
        network = StyleNetwork(state)
        kept = {name: tensor.float() for name, tensor in state.items() if not name.startswith("classifier.6.")}
        missing = network.load_state_dict(kept, strict=False).missing_keys
    except (KeyError, IndexError, ValueError, RuntimeError) as error:
        raise ModelSearchError(f"these are no weights of VGG19 ({type(error).__name__}: {str(error)[:200]})") from error
    if set(missing) != {"classifier.6.weight", "classifier.6.bias"}:
        raise ModelSearchError(f"these weights of VGG19 lack {', '.join(sorted(missing)[:3])}")
    return network


def imagenet_weights(*, may_download: bool = True) -> dict[str, torch.Tensor]:
    """torchvision's file where it is, else timm's of the same weights, else one download. MissingWeightsError."""
    file = find(TORCHVISION) or weights_file(TIMM, may_download=may_download)
    return read_tensors(file)


class StyleEncoder:
    """A network that sees styles in evaluation mode, as an encoder of pictures: `prepare`d ones to unit vectors."""

    def __init__(
        self, network: torch.nn.Module, name: str, device: str, prepare: Preparation, dimension: int = DIMENSION
    ) -> None:
        self.name = name
        self.dimension = dimension
        self._device = best_device(device)
        self._network = network.eval().requires_grad_(False).to(self._device)
        self._prepare = prepare

    def encode_images(self, images: Sequence[Image.Image]) -> Features:
        """(n, d) float32, unit rows."""
        parts = [self._encoded(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
        return np.concatenate(parts) if parts else np.empty((0, self.dimension), np.float32)

    @torch.inference_mode()
    def _encoded(self, images: Sequence[Image.Image]) -> Features:
        return self._network(torch.from_numpy(self._prepare(images)).to(self._device)).float().cpu().numpy()


def open_network(file: StyleFile, device: str = "auto") -> StyleEncoder:
    """A trained network from its file, under the name that its vectors bear."""
    state = read_tensors(file.path)
    network = StyleNetwork(state)
    network.load_state_dict({layer: tensor.float() for layer, tensor in state.items()})
    return StyleEncoder(network, file.name, device, preparation(int(read_record(file.path).get("side", SIDE))))


def preparation(side: int = SIDE) -> Preparation:
    """As VGG19's pictures were in its training."""
    return Preparation(size=side, mean=MEAN, std=STD)


def save_network(network: StyleNetwork, path: Path, record: Mapping[str, Any], side: int = SIDE) -> StyleFile:
    """One safetensors file in half precision, the training record in its header."""
    state = {name: tensor.detach().half().cpu().contiguous() for name, tensor in network.state_dict().items()}
    digest = hashlib.sha256(
        state["classifier.6.weight"].numpy().tobytes() + state["features.0.weight"].numpy().tobytes()
    )
    name = f"style-vgg19:{digest.hexdigest()[:8]}"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    save_file(state, part, {RECORD: json.dumps({"network": "vgg19", "name": name, "side": side, **record})})
    part.replace(path)
    return StyleFile(path, name)


def _in_torchvisions_names(state: State) -> dict[str, torch.Tensor]:
    """timm writes the dense layers as convolutions, under other names."""
    renamed: dict[str, torch.Tensor] = {}
    for name, tensor in state.items():
        layer, _, kind = name.rpartition(".")
        is_dense = layer in TIMM_NAMES and kind == "weight"
        renamed[f"{TIMM_NAMES.get(layer, layer)}.{kind}"] = tensor.flatten(1) if is_dense else tensor
    return renamed


def _convolutions(state: State) -> list[tuple[int, int, int]]:
    """(number, channels out, channels in) of each convolution, in order."""
    numbers = sorted(int(n.split(".")[1]) for n in state if n.startswith("features.") and n.endswith(".weight"))
    shapes = [state[f"features.{number}.weight"].shape for number in numbers]
    return [(number, shape[0], shape[1]) for number, shape in zip(numbers, shapes, strict=True)]


def _features(state: State) -> torch.nn.Sequential:
    """Convolutions with their ReLU; where the numbers skip one more, and at the end, the size is halved."""
    layers: list[torch.nn.Module] = []
    found = _convolutions(state)
    following = [number for number, _, _ in found[1:]] + [found[-1][0] + 3]
    for (number, channels, inputs), after in zip(found, following, strict=True):
        layers += [torch.nn.Conv2d(inputs, channels, 3, padding=1), torch.nn.ReLU()]
        layers += [torch.nn.MaxPool2d(2)] * (after - number == 3)
    return torch.nn.Sequential(*layers)
