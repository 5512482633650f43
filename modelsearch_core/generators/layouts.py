"""The diffusers folder (configurations and tokenizer, no weights) that a single file is read with.

For the standard architectures it is made from `configs/`, which hold what the hub's stable-diffusion-v1-5,
stable-diffusion-2-1 and stable-diffusion-xl-base-1.0 say. A checkpoint of other widths borrows from a local model in
the diffusers layout whose parts have as many parameters.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import cast

from ..errors import ModelSearchError
from ..families import FAMILIES, No
from ..model_files import ModelFile
from .predictions import Prediction
from .tensors import shapes_of
from .tokenizer import write_clip_tokenizer

CONFIGS = Path(__file__).with_name("configs")
PARTS = {  # of a diffusers folder -> where a single file has them
    "unet": ("model.diffusion_model.",),
    "vae": ("first_stage_model.",),
    "text_encoder": ("cond_stage_model.", "conditioner.embedders.0."),
}

Sizes = dict[str, int]  # part -> number of its parameters


@contextmanager
def layout_for(model: ModelFile, candidates: Sequence[ModelFile], prediction: Prediction) -> Generator[Path]:
    """A folder for the `config` of `from_single_file`. Raises ModelSearchError when nothing fits."""
    sizes = single_file_sizes(shapes_of(model.path))
    pipeline = FAMILIES[model.architecture].pipeline
    if not isinstance(pipeline, No) and sizes["unet"] == pipeline.parameters:
        with tempfile.TemporaryDirectory(prefix="modelsearch-") as folder:
            _write_bundled(Path(folder), model.architecture, prediction)
            yield Path(folder)
    else:
        yield _borrowed(model, sizes, candidates)


def is_sd_layout(architecture: str) -> bool:
    """Whether single files of it are read with `layout_for`."""
    return architecture in FAMILIES and FAMILIES[architecture].classic


def _write_bundled(folder: Path, architecture: str, prediction: Prediction) -> None:
    files = cast("dict[str, dict[str, object]]", json.loads((CONFIGS / f"{architecture}.json").read_text("utf-8")))
    files["scheduler/scheduler_config.json"] |= prediction.scheduler_config
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    for path in folder.glob("tokenizer*"):
        write_clip_tokenizer(path)


def _borrowed(model: ModelFile, wanted: Sizes, candidates: Sequence[ModelFile]) -> Path:
    folders = [other.path for other in candidates if other.architecture == model.architecture and other.path.is_dir()]
    for folder in sorted(folders):
        if folder_sizes(folder) == wanted:
            return folder
    raise ModelSearchError(
        f"{model.path.name} ({model.architecture}) needs its text encoders and configurations, and none of the "
        f"{len(folders)} {model.architecture} folders in the diffusers layout at hand fits its shapes. "
        "Put the diffusers folder of the model it was made from among the indexed folders, or index it inside ComfyUI"
    )


def single_file_sizes(shapes: Mapping[str, tuple[int, ...]]) -> Sizes:
    """Parameters of each part of a checkpoint in the original layout."""
    return {
        part: _parameters(item for item in shapes.items() if item[0].startswith(prefixes))
        for part, prefixes in PARTS.items()
    }


def folder_sizes(folder: Path) -> Sizes:
    """Parameters of each part of a model in the diffusers layout."""
    return {
        part: sum(_parameters(shapes_of(path).items()) for path in (folder / part).glob("*.safetensors"))
        for part in PARTS
    }


def _parameters(tensors: Iterable[tuple[str, tuple[int, ...]]]) -> int:
    """Position ids are a constant that only some savers write."""
    return sum(prod(shape) for name, shape in tensors if not name.endswith("position_ids"))
