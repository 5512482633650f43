"""Folders of timm and of transformers: a config.json and weights, as safetensors or as tensors of PyTorch.

No code of the folder is run; weights that do not fit the config are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import UnreadableModelError
from .configs import Config, read_config
from .files import ClassifierFile, Form, Input
from .pictures import batch_of

CONFIG = "config.json"
WEIGHTS = ("model.safetensors", "pytorch_model.bin")


def weights_in(folder: Path) -> Path | None:
    return next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)


class FolderClassifier:
    """A network in evaluation mode."""

    def __init__(self, file: ClassifierFile, device: str = "auto") -> None:
        from ..encoders.device import best_device  # brings torch along

        weights = weights_in(file.path)
        if weights is None:
            raise UnreadableModelError(f"no {' or '.join(WEIGHTS)} beside its {CONFIG}")
        config = read_config(file.path / CONFIG)
        self._device = best_device(device)
        network = _timm(config, weights) if file.form is Form.TIMM else _transformers(file.path, weights)
        self._network = network.eval().requires_grad_(False).to(self._device)

    def respond(self, images: Sequence[Image.Image], wanted: Input) -> NDArray[np.float32]:
        """(n, L): a response of each output to each picture."""
        import torch

        with torch.inference_mode():
            answer: Any = self._network(torch.from_numpy(batch_of(images, wanted)).to(self._device))
        logits = getattr(answer, "logits", answer)
        if logits.ndim != 2:
            raise UnreadableModelError(f"its answer to {len(images)} pictures has shape {tuple(logits.shape)}")
        return logits.float().cpu().numpy()


def _timm(config: Config, weights: Path) -> Any:
    import timm

    from ..encoders.weights import read_tensors

    arguments: Mapping[str, Any] = config.get("model_args") or {}
    classes = config.get("num_classes") or config["pretrained_cfg"].get("num_classes", 1000)
    try:
        network = timm.create_model(config["architecture"], num_classes=classes, **arguments)
    except Exception as error:  # a name or an argument that this timm does not know
        reason = str(error)[:200]
        raise UnreadableModelError(f"timm makes no {config['architecture']} of this config ({reason})") from error
    try:
        missing, unknown = network.load_state_dict(read_tensors(weights), strict=False)
    except RuntimeError as error:
        raise UnreadableModelError(f"{weights.name} does not fit the config ({str(error)[:200]})") from error
    _check(weights, [name for name in (*missing, *unknown) if not name.endswith("num_batches_tracked")])
    return network


def _transformers(folder: Path, weights: Path) -> Any:
    """Its own loader renames what older versions called otherwise; a pickle it gets as tensors only."""
    from transformers import AutoModelForImageClassification

    from ..encoders.weights import read_tensors

    pickled = {} if weights.suffix == ".safetensors" else {"state_dict": read_tensors(weights)}
    try:
        network, found = AutoModelForImageClassification.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, output_loading_info=True, **pickled
        )
    except Exception as error:  # whatever transformers raises for a config that it does not know
        raise UnreadableModelError(f"transformers makes no model of this folder ({str(error)[:200]})") from error
    _check(weights, [str(name) for key in ("missing_keys", "mismatched_keys") for name in found.get(key) or ()])
    return network


def _check(weights: Path, odd: Sequence[str]) -> None:
    if odd:
        raise UnreadableModelError(f"{weights.name} does not fit the config: {len(odd)} layers, such as {odd[0]}")
