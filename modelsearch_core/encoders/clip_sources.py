"""Where an encoder comes from: a name of open_clip with one of its weights, a file, or a folder.

OpenAI's weights need the quick GELU: `ViT-B-32/openai` and `ViT-B-32-quickgelu/openai` are the same encoder here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.model import convert_to_custom_text_state_dict

from ..errors import MissingWeightsError, ModelSearchError
from ..places import expanded
from . import tokens
from .downloading import Progress
from .preparation import Preparation
from .weights import Weights, read_tensors, weights_file

CONFIG = "open_clip_config.json"
LOCAL = "local-dir:"
QUICK = "-quickgelu"
FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
FOLDERS = ("models/clip", "models/CLIP", "models/clip_vision", "models/text_encoders")
OPENAI = {  # where OpenAI's weights are safetensors; older versions of open_clip only know the TorchScript archives
    "ViT-B-32": "timm/vit_base_patch32_clip_224.openai",
    "ViT-B-16": "timm/vit_base_patch16_clip_224.openai",
    "ViT-L-14": "timm/vit_large_patch14_clip_224.openai",
    "ViT-L-14-336": "timm/vit_large_patch14_clip_336.openai",
}


@dataclass(frozen=True, kw_only=True)
class Source:
    """An architecture, the file with its weights, and what its pictures and texts go through before it."""

    architecture: str
    config: Mapping[str, Any]
    weights: Path
    preparation: Preparation
    folder: Path | None = None

    def model(self) -> torch.nn.Module:
        """ModelSearchError if the weights are another model's."""
        model = build(self.config)
        try:
            model.load_state_dict(_fitting(model, read_tensors(self.weights)))
        except RuntimeError as error:
            raise ModelSearchError(
                f"{self.weights} does not hold the weights of {self.architecture} ({str(error)[:300]}); "
                "name the architecture that it was trained with, as architecture/path of the file"
            ) from error
        return model

    def tokenizer(self) -> tokens.Tokenizer:
        """MissingWeightsError where transformers would have to download it and cannot."""
        try:
            if self.folder is not None:
                return tokens.of_folder(self.folder, self.config["text_cfg"])
            listed = self.architecture in open_clip.list_models()
            name = self.architecture if listed else self.architecture.removesuffix(QUICK)
            return tokens.of_architecture(name, self.config["text_cfg"])
        except (OSError, ImportError) as error:
            raise MissingWeightsError(f"{self.architecture} lacks its tokenizer: {str(error)[:300]}") from error


def find_source(
    name: str, *, folders: Sequence[Path] = (), may_download: bool = True, progress: Progress | None = None
) -> Source:
    """`folder`, `local-dir:folder`, `architecture/tag` or `architecture/path of a weights file`."""
    folder = expanded(name.removeprefix(LOCAL))
    if (folder / CONFIG).is_file():
        return _of_folder(folder)
    architecture, _, tag = name.partition("/")
    config = _config(architecture, name)
    file = expanded(tag)
    if tag and file.is_file():
        return _of_architecture(architecture, config, file, _shared_settings(architecture))
    settings = _settings(architecture, tag or "openai")
    wanted = clip_weights(architecture, tag or "openai", config)
    file = weights_file(wanted, folders=folders, may_download=may_download, progress=progress)
    return _of_architecture(architecture, config, file, {**settings, "openai": tag in ("", "openai")})


def build(config: Mapping[str, Any]) -> torch.nn.Module:
    """An open_clip model by its `model_cfg`, on the current device, nothing loaded."""
    settings: dict[str, Any] = deepcopy(dict(config))
    text = {key: value for key, value in settings["text_cfg"].items() if not key.startswith("hf_tokenizer")}
    text |= {"hf_model_pretrained": False} if "hf_model_name" in text else {}
    custom = settings.pop("custom_text", False) or "hf_model_name" in text
    kind: Any = open_clip.CustomTextCLIP if custom else open_clip.CLIP
    return kind(**{**settings, "text_cfg": text})


def clip_weights(architecture: str, tag: str, config: Mapping[str, Any]) -> Weights:
    """Where the weights of an open_clip tag are published."""
    plain = architecture.removesuffix(QUICK)
    repository, _, file = str(_settings(architecture, tag).get("hf_hub") or "").rpartition("/")
    if tag == "openai" and plain in OPENAI:
        repository = OPENAI[plain]
    return Weights(
        own_name=f"{plain}-{tag}",
        repository=repository,
        files=(file,) if file else FILES,
        size=_size(config),
        host_folders=FOLDERS,
    )


def _of_folder(folder: Path) -> Source:
    record = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    config = record["model_cfg"]
    weights = next((path for pattern in ("*.safetensors", "*.bin") for path in sorted(folder.glob(pattern))), None)
    if weights is None:
        raise MissingWeightsError(f"{folder} has an {CONFIG} but no weights; put {FILES[0]} beside it")
    return Source(
        architecture=_described(config),
        config=config,
        weights=weights,
        preparation=Preparation.of(_side(config), record.get("preprocess_cfg", {})),
        folder=folder,
    )


def _of_architecture(architecture: str, config: dict[str, Any], file: Path, settings: Mapping[str, Any]) -> Source:
    quick = config.get("quick_gelu") or settings.get("quick_gelu") or settings.get("openai")
    return Source(
        architecture=architecture.removesuffix(QUICK) + (QUICK if quick else ""),
        config={**config, "quick_gelu": True} if quick else config,
        weights=file,
        preparation=Preparation.of(_side(config), settings),
    )


def _config(architecture: str, name: str) -> dict[str, Any]:
    config = open_clip.get_model_config(architecture) if architecture in open_clip.list_models() else None
    if config is None:
        raise ModelSearchError(
            f"{name!r} is neither a folder with an {CONFIG} nor an open_clip model; write it as architecture/weights "
            "or architecture/path of a weights file, for instance ViT-B-32-quickgelu/openai"
        )
    return config


def _settings(architecture: str, tag: str) -> dict[str, Any]:
    """open_clip's record of a tag. ModelSearchError that lists the tags there are."""
    if found := open_clip.get_pretrained_cfg(architecture, tag):
        return found
    known = ", ".join(open_clip.list_pretrained_tags_by_model(architecture)) or "none"
    raise ModelSearchError(f"{architecture} has no weights {tag!r}, and no file is there; its weights are: {known}")


def _shared_settings(architecture: str) -> dict[str, Any]:
    """How all published weights of an architecture want their pictures, for a file of unknown origin."""
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    found = [_settings(architecture, tag) for tag in tags]
    keys = ("mean", "std", "interpolation", "resize_mode")
    return {key: found[0].get(key) for key in keys if found and all(f.get(key) == found[0].get(key) for f in found)}


def _fitting(model: torch.nn.Module, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A published state under the names and shapes of this version of open_clip."""
    if hasattr(model, "text") and "text_projection" in state:
        state = convert_to_custom_text_state_dict(state)
    own = model.state_dict()
    if "logit_bias" in own:
        state.setdefault("logit_bias", torch.zeros_like(own["logit_bias"]))
    if state.get("logit_scale") is not None:
        state["logit_scale"] = state["logit_scale"].reshape(own["logit_scale"].shape)
    extra = ("input_resolution", "context_length", "vocab_size", "text.transformer.embeddings.position_ids")
    return {key: value for key, value in state.items() if key not in extra or key in own}


def _side(config: Mapping[str, Any]) -> int:
    size = config["vision_cfg"].get("image_size", 224)
    return int(size if isinstance(size, int) else size[0])


def _described(config: Mapping[str, Any]) -> str:
    """A name for an architecture that has none."""
    vision = config["vision_cfg"]
    kind = vision.get("timm_model_name") or f"ViT-{vision.get('patch_size', 16)}"
    return f"{kind}-{_side(config)}-{config['embed_dim']}"


def _size(config: Mapping[str, Any]) -> int | None:
    """Bytes of the weights in single precision, without making them."""
    try:
        with torch.device("meta"):
            return 4 * sum(parameter.numel() for parameter in build(config).parameters())
    except Exception:  # an architecture that needs real tensors; the size is for a message
        return None
