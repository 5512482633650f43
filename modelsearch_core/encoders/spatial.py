"""Where things are in a picture: the last feature map of a ConvNeXt, 7×7 places, flattened and of unit length.

Liu et al., "A ConvNet for the 2020s", arXiv 2201.03545; used on generative models in appendix A of arXiv 2210.03116,
with weights of ImageNet-22k. Global features (CLIP) were trained to forget which way a thing faces; a map has not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from PIL import Image
from timm.data import create_transform, resolve_data_config

from ..embedding import Features, unit
from ..errors import MissingWeightsError, ModelSearchError
from ..places import expanded
from .device import best_device
from .preparation import rgb
from .weights import Weights, digest_of, read_tensors, weights_file

CONFIG = "config.json"
LOCAL = "local-dir:"
FILES = ("model.safetensors", "pytorch_model.bin")
HEAD = ("head.", "classifier.", "fc.", "norm_head.")  # what follows the map and is not needed
DEFAULT = "convnext_tiny.fb_in22k"  # 7×7×768; small, base, large and xlarge have more channels
BATCH = 16


@dataclass(frozen=True, kw_only=True)
class SpatialSource:
    """An architecture of timm with its arguments, how its pictures are prepared, and the file with its weights."""

    architecture: str
    arguments: Mapping[str, Any]
    settings: Mapping[str, Any]  # timm's `pretrained_cfg`
    weights: Path

    def model(self) -> Any:
        """Without its classifier. ModelSearchError where weights and architecture do not belong together."""
        model = _built(self.architecture, {**self.arguments, "num_classes": 0})
        state = {name: tensor.float() for name, tensor in read_tensors(self.weights).items()}
        try:
            missing, unknown = model.load_state_dict(state, strict=False)
        except RuntimeError as error:
            raise ModelSearchError(self._foreign(str(error)[:300])) from error
        if odd := [name for name in (*missing, *unknown) if not name.startswith(HEAD)]:
            raise ModelSearchError(self._foreign(f"{len(odd)} layers differ, for instance {odd[0]}"))
        return model

    def _foreign(self, reason: str) -> str:
        return (
            f"{self.weights} does not hold timm's weights of {self.architecture} ({reason}); use the model.safetensors "
            "that is published with it"
        )


class SpatialEncoder:
    """A convolutional network up to its last map, in evaluation mode."""

    def __init__(self, model: Any, settings: Mapping[str, Any], name: str, device: str = "auto") -> None:
        self.name = name
        self._device = best_device(device)
        self._model = model.eval().requires_grad_(False).to(self._device)
        self.side, self._prepare = _transform(settings)
        self.dimension = int(self._maps([Image.new("RGB", (self.side, self.side))]).shape[1])

    @classmethod
    def of(cls, source: SpatialSource, device: str = "auto") -> SpatialEncoder:
        facts = source.weights.stat().st_size, dict(source.arguments), _seen(source.settings)
        digest = digest_of(source.weights, json.dumps(facts, sort_keys=True, default=str).encode())
        return cls(source.model(), source.settings, f"{source.architecture}-map:{digest}", device)

    def encode_images(self, images: Sequence[Image.Image]) -> Features:
        """(n, C·H·W) float32, unit rows."""
        parts = [self._maps(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
        return np.concatenate(parts) if parts else np.empty((0, self.dimension), np.float32)

    @torch.inference_mode()
    def _maps(self, images: Sequence[Image.Image]) -> Features:
        pictures = torch.stack([self._prepare(rgb(image)) for image in images])
        maps = self._model.forward_features(pictures.to(self._device))
        if maps.ndim != 4 or maps.shape[-1] < 2:
            raise ModelSearchError(
                f"{self.name} ends in features of shape {tuple(maps.shape[1:])}, not in a map of places; "
                f"choose a ConvNeXt, for instance {DEFAULT}"
            )
        return unit(maps.flatten(1).float().cpu().numpy()).astype(np.float32)


def open_spatial_encoder(
    name: str,
    *,
    device: str = "auto",
    may_download: bool = True,
) -> SpatialEncoder:
    """By timm's name with its tag, or from a folder with config.json and model.safetensors (timm's `local-dir:`)."""
    source = find_spatial_source(name, may_download=may_download)
    return SpatialEncoder.of(source, device)


def find_spatial_source(name: str, *, may_download: bool = True) -> SpatialSource:
    """MissingWeightsError where the weights cannot be had, ModelSearchError for a name that nothing has."""
    folder = expanded(name.removeprefix(LOCAL))
    if (folder / CONFIG).is_file():
        return _of_folder(folder)
    settings = _published(name)
    file = weights_file(_weights(name, settings), may_download=may_download)
    return SpatialSource(architecture=name.partition(".")[0], arguments={}, settings=settings, weights=file)


def _of_folder(folder: Path) -> SpatialSource:
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        architecture, settings = config["architecture"], config["pretrained_cfg"]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelSearchError(
            f"{folder / CONFIG} is not one of timm's ({type(error).__name__}: {error}); it names an `architecture` "
            "and a `pretrained_cfg`"
        ) from error
    weights = next((folder / file for file in FILES if (folder / file).is_file()), None)
    if weights is None:
        raise MissingWeightsError(f"{folder} has a {CONFIG} but no weights; put {FILES[0]} beside it")
    arguments = {key: value for key, value in config.get("model_args", {}).items() if key != "num_classes"}
    return SpatialSource(architecture=architecture, arguments=arguments, settings=settings, weights=weights)


def _published(name: str) -> dict[str, Any]:
    """timm's record of pretrained weights. ModelSearchError that lists those of a like name."""
    architecture, _, tag = name.partition(".")
    found = timm.models.get_pretrained_cfg(name, allow_unregistered=False) if tag and name in _known() else None
    if found is not None:
        return _with_a_map(name, found.to_dict())
    like = [known for known in _known() if known.startswith(architecture)][:8] or [DEFAULT]
    raise ModelSearchError(
        f"{name!r} is neither a folder with timm's {CONFIG} nor weights that timm knows; choose for instance "
        f"{', '.join(like)}"
    )


def _with_a_map(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Refused before its weights are downloaded, where the last layer has no places."""
    if not settings.get("pool_size"):
        raise ModelSearchError(f"{name} has no last map of places; choose a ConvNeXt, for instance {DEFAULT}")
    return settings


def _known() -> list[str]:
    return timm.list_models(pretrained=True)


def _weights(name: str, settings: Mapping[str, Any]) -> Weights:
    repository = str(settings.get("hf_hub_id") or f"timm/{name}")
    size = _size(name.partition(".")[0], int(settings.get("num_classes") or 1000))
    return Weights(own_name=name, repository=repository, files=FILES, size=size)


def _size(architecture: str, classes: int) -> int | None:
    """Bytes of the weights in single precision, without making them."""
    with torch.device("meta"):
        try:
            model = timm.create_model(architecture, num_classes=classes)
            return 4 * sum(parameter.numel() for parameter in model.parameters())
        except Exception:  # an architecture that needs real tensors; the size is for a message
            return None


def _built(architecture: str, arguments: Mapping[str, Any]) -> Any:
    try:
        return timm.create_model(architecture, pretrained=False, **arguments)
    except Exception as error:  # timm raises whatever an architecture's constructor does
        raise ModelSearchError(
            f"timm {timm.__version__} cannot make {architecture!r} with {dict(arguments)} ({type(error).__name__}: "
            f"{str(error)[:200]}); another version of timm may, or choose {DEFAULT}"
        ) from error


def _transform(settings: Mapping[str, Any]) -> tuple[int, Any]:
    """(pixels that go in, timm's own preparation of a picture)."""
    config = resolve_data_config(pretrained_cfg=_seen(settings))
    return int(config["input_size"][-1]), create_transform(**config, is_training=False)


def _seen(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What of a `pretrained_cfg` decides how a picture is seen."""
    keys = ("input_size", "interpolation", "crop_pct", "crop_mode", "mean", "std")
    found = {key: settings[key] for key in keys if settings.get(key) is not None}
    return {key: tuple(value) if isinstance(value, list) else value for key, value in found.items()}
