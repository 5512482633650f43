"""Models of TensorFlow.js: known as such and refused with the way out, since their operations run in a browser only."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from ..errors import UnreadableModelError
from .configs import Config, read_config

ENDING = ".json"
WEIGHTS = ".bin"  # of its shards, which lie beside the topology


def is_tensorflow_js(path: Path) -> bool:
    """Whether a file is the topology of such a model."""
    return path.suffix.lower() == ENDING and _is_one(read_config(path))


def refuse(path: Path) -> None:
    """UnreadableModelError that says what it is and how it becomes one that can be asked."""
    config = read_config(path)
    raise UnreadableModelError(
        f"a TensorFlow.js model ({_described(config)}), which is run in a browser only; make an ONNX file of it with "
        f"`python -m tf2onnx.convert --tfjs {path.name} --output {path.stem}.onnx`"
    )


def _is_one(config: Config) -> bool:
    return isinstance(config.get("modelTopology"), dict) and isinstance(config.get("weightsManifest"), list)


def _described(config: Config) -> str:
    kind = config.get("format")
    shape = _input_shape(config)
    words = [kind if kind in ("graph-model", "layers-model") else "of an older form"]
    return ", ".join([*words, f"for pictures of {shape}"] if shape else words)


def _input_shape(config: Config) -> str:
    """Width × height that its signature names; nothing where it is free or unsaid."""
    try:
        signature = config.get("signature") or config["userDefinedMetadata"]["signature"]
        first: Any = next(iter(cast("dict[str, Any]", signature["inputs"]).values()))
        sizes = [int(size["size"]) for size in first["tensorShape"]["dim"]]
    except (KeyError, TypeError, ValueError, StopIteration, AttributeError):
        return ""
    return f"{sizes[2]} × {sizes[1]}" if len(sizes) == 4 and min(sizes[1:3]) > 0 else ""
