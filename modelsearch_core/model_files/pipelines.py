"""Models in the diffusers layout: a folder with `model_index.json` and a sub-folder for every component."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, cast

from ..errors import UnreadableModelError
from ..families import FAMILIES, UNKNOWN, family_of_class, known
from .bystanders import UPSCALER_CHANNELS, said_of
from .candidates import INDEX_NAME
from .fingerprint import file_fingerprint, joint_fingerprint, tensor_fingerprint
from .header import parse_header
from .opening import open_regular, read_bounded
from .unets import context_architecture

DENOISERS = ("unet", "transformer", "prior", "decoder")
NOT_WEIGHTS = ("safety_checker", "feature_extractor", "scheduler", "tokenizer", "tokenizer_2", "tokenizer_3")
LARGEST_CONFIG = 2**20  # bytes
_WEIGHTS = re.compile(r"\.(safetensors|bin)$")
_COMPONENT = re.compile(r"\w+")  # a folder right below the model's, and nothing else
_SHARD = re.compile(r"-\d{5}-of-\d{5}")
_UNET = "UNet2DCondition"  # a class that tells nothing: Stable Diffusion's, and that of others
_OTHER_UNETS = ("Kandinsky", "IF", "AnimateDiff")  # pipelines of those


class Pipeline(NamedTuple):
    """What the files of a folder say. `size` is that of the weights that would be loaded."""

    architecture: str
    variant: str | None
    fingerprint: str
    size: int
    title: str
    why: str  # why the architecture is unknown


def read_pipeline(folder: Path) -> Pipeline:
    """The model in the diffusers layout at `folder`. Raises UnreadableModelError with the reason."""
    index = {name: entry for name, entry in _config(folder / INDEX_NAME).items() if _COMPONENT.fullmatch(name)}
    component = next((name for name in DENOISERS if name in index and (folder / name).is_dir()), None)
    if component is None:
        raise UnreadableModelError(f"its {INDEX_NAME} names none of {', '.join(DENOISERS)}: it generates nothing")
    weights = _all_weights(folder, index)
    if not any(path.parent.name == component for path in weights):
        raise UnreadableModelError(f"no weights in {component}; download the model again")
    config = _config(folder / component / "config.json")
    architecture = _architecture(str(index.get("_class_name", "")), config)
    return Pipeline(
        architecture=architecture,
        variant=_variant(architecture, config),
        fingerprint=joint_fingerprint((path.relative_to(folder).as_posix(), _fingerprint(path)) for path in weights),
        size=sum(path.stat().st_size for path in weights),
        title=_title(folder),
        why=f"its {component} is a {_class_of(config)} of a {_class_of(index)}" if architecture == UNKNOWN else "",
    )


def _class_of(config: dict[str, Any]) -> str:
    return str(config.get("_class_name", "model without a name"))[:100]


def weights_of(folder: Path) -> list[Path]:
    """The files that would be loaded of a model in the diffusers layout. Raises UnreadableModelError."""
    return _all_weights(folder, _config(folder / INDEX_NAME))


def _all_weights(folder: Path, index: dict[str, Any]) -> list[Path]:
    return [path for name in sorted(index) if name not in NOT_WEIGHTS for path in _weights(folder / name)]


def _config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(read_bounded(path, LARGEST_CONFIG).decode())
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError) as error:
        raise UnreadableModelError(f"{path.parent.name}/{path.name} is not JSON; download the model again") from error
    return cast("dict[str, Any]", config) if isinstance(config, dict) else {}


def _architecture(pipeline: str, config: dict[str, Any]) -> str:
    name = str(config.get("_class_name", ""))
    family = family_of_class(pipeline if name.startswith(_UNET) else name)
    if family:
        return family.name
    return _unet_architecture(pipeline, config) if name.startswith(_UNET) else UNKNOWN


def _unet_architecture(pipeline: str, config: dict[str, Any]) -> str:
    if pipeline.startswith(_OTHER_UNETS) or str(config.get("encoder_hid_dim_type") or "").endswith("image_proj"):
        return UNKNOWN
    if config.get("in_channels") == UPSCALER_CHANNELS:
        raise UnreadableModelError(said_of("an upscaler"))
    width, labels = config.get("cross_attention_dim"), config.get("projection_class_embeddings_input_dim")
    width = cast("list[Any]", width)[0] if isinstance(width, list) and width else width
    return context_architecture(*(each if isinstance(each, int) else None for each in (width, labels)))


def _variant(architecture: str, config: dict[str, Any]) -> str | None:
    """The family's variant that is as wide as the configuration says, if it says that in one of the usual ways."""
    heads, each = config.get("num_attention_heads"), config.get("attention_head_dim")
    width = heads * each if isinstance(heads, int) and isinstance(each, int) else None
    width = width or next((config[key] for key in ("hidden_size", "model_dim", "dim") if key in config), None)
    family = FAMILIES.get(architecture)
    fitting = [variant.name for variant in known(family.variants) if variant.width == width] if family else []
    return fitting[0] if len(fitting) == 1 else None


def _weights(folder: Path) -> list[Path]:
    """The files that diffusers would load: safetensors before pickles, full precision before a variant."""
    if not folder.is_dir():
        return []
    files = sorted(path for path in folder.iterdir() if _WEIGHTS.search(path.name))
    for wanted in (_is_plain_safetensors, _is_safetensors):
        if any(wanted(path) for path in files):
            return _one_set(path for path in files if wanted(path))
    return _one_set(files)


def _is_safetensors(path: Path) -> bool:
    return path.suffix == ".safetensors"


def _is_plain_safetensors(path: Path) -> bool:
    return _is_safetensors(path) and "." not in _SHARD.sub("", path.stem)


def _one_set(files: Iterable[Path]) -> list[Path]:
    """One file, or the shards of one; a repository may hold other sets (fp16, ema) beside them."""
    known = list(files)
    first = _SHARD.sub("", known[0].name) if known else ""
    return [path for path in known if _SHARD.sub("", path.name) == first]


def _fingerprint(path: Path) -> str:
    with open_regular(path) as file:
        return tensor_fingerprint(file, parse_header(file)) if _is_safetensors(path) else file_fingerprint(file)


def _title(folder: Path) -> str:
    """The folder's name; in the hub's cache, where that is a digest, the repository's."""
    if folder.parent.name == "snapshots" and folder.parent.parent.name.startswith("models--"):
        return folder.parent.parent.name.split("--")[-1]
    return folder.name
