"""A diffusers pipeline from any model file that holds one, without asking the hub."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import diffusers
from huggingface_hub import snapshot_download

from ..errors import ModelSearchError
from ..families import FAMILIES, No, Pipeline
from ..model_files import ModelFile
from .compatibility import DTYPE, quietly
from .layouts import is_sd_layout, layout_for
from .predictions import prediction_of
from .tensors import as_safetensors, load_state, shapes_of

PREFIX = "model.diffusion_model."
_PARTS = (
    ("UNet", (PREFIX,)),
    ("text encoder", ("cond_stage_model.", "conditioner.")),
    ("VAE", ("first_stage_model.",)),
)
_NOT_FROM_TEXT = (
    "{name} takes {inputs} channels, not 4: an inpainting or editing model, which makes no picture from text alone"
)
_UNDONE = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, ImportError, IndexError)


def load_pipeline(model: ModelFile, candidates: Sequence[ModelFile], dtype: Any) -> Any:
    """The pipeline of a checkpoint, on the CPU. Raises ModelSearchError with the reason."""
    try:
        with quietly():
            pipe = _from_folder(model.path, dtype) if model.path.is_dir() else _from_file(model, candidates, dtype)
    except _UNDONE as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        raise ModelSearchError(f"{model.path.name} could not be loaded as {model.architecture} ({reason})") from error
    _check_inputs(model.path, getattr(pipe, "unet", None))
    pipe.set_progress_bar_config(disable=True)
    if getattr(pipe, "watermark", None) is not None:
        pipe.watermark = None
    return pipe


def load_bare(model: ModelFile, pipe: Any, dtype: Any) -> Any:
    """The bare diffusion model in place of `pipe`'s own. Raises ModelSearchError when it does not fit."""
    if model.path.suffix.lower() == ".gguf":
        raise ModelSearchError(f"{model.path.name}: GGUF files are not read here; index it inside ComfyUI")
    part = "unet" if hasattr(pipe, "unet") else "transformer"
    try:
        with quietly():
            setattr(pipe, part, _denoiser(load_state(model.path), getattr(pipe, part), dtype))
    except _UNDONE as error:
        raise ModelSearchError(
            f"{model.path.name} does not fit into its base model ({str(error)[:200]}); choose another base model"
        ) from error
    return pipe


def _denoiser(state: dict[str, Any], like: Any, dtype: Any) -> Any:
    """`state` in a model configured like `like`, from diffusers' own names or the original ones."""
    if set(state) == set(like.state_dict()):
        model = type(like).from_config(like.config)
        model.load_state_dict(state)
        return model.to(dtype)
    if "input_blocks.0.0.weight" in state:  # ComfyUI's `diffusion_models`: without the prefix of a checkpoint
        state = {PREFIX + name: tensor for name, tensor in state.items()}
    with tempfile.TemporaryDirectory(prefix="modelsearch-") as folder:
        like.save_config(folder)
        return type(like).from_single_file(state, config=folder, **{DTYPE: dtype}, local_files_only=True)


def _from_folder(folder: Path, dtype: Any) -> Any:
    index = json.loads((folder / "model_index.json").read_text("utf-8"))
    if not isinstance(index.get("_class_name"), str) or any(folder.rglob("*.py")):
        raise ModelSearchError(f"{folder.name} brings its own code, which is not run")
    options: dict[str, Any] = {DTYPE: dtype, "variant": _variant(folder)}
    if "safety_checker" in index:
        options["safety_checker"] = None
    return diffusers.DiffusionPipeline.from_pretrained(
        str(folder), local_files_only=True, use_safetensors=True, **options
    )


def _variant(folder: Path) -> str | None:
    """fp16, where a folder holds no other weights of the diffusion model."""
    names = [path.name for part in ("unet", "transformer") for path in (folder / part).glob("*.safetensors")]
    return "fp16" if names and all(".fp16" in name for name in names) else None


def _from_file(model: ModelFile, candidates: Sequence[ModelFile], dtype: Any) -> Any:
    options = {DTYPE: dtype, "local_files_only": True}
    if not is_sd_layout(model.architecture):
        return _from_companions(model, candidates, options)
    _check_parts(model.path, shapes_of(model.path))
    name = _pipeline(model).name
    if name == "StableDiffusionPipeline":
        options["safety_checker"] = None
    prediction = prediction_of(model.path, model.architecture)
    with layout_for(model, candidates, prediction) as folder, as_safetensors(model.path) as file:
        return getattr(diffusers, name).from_single_file(str(file), config=str(folder), **options)


def _from_companions(model: ModelFile, candidates: Sequence[ModelFile], options: dict[str, Any]) -> Any:
    """With configurations and text encoders from a local folder of this architecture, or from the hub's cache."""
    pipeline = _pipeline(model)
    folders = sorted(other.path for other in candidates if other.architecture == model.architecture)
    folders = [folder for folder in folders if folder.is_dir()] + _cached(pipeline.repository)
    if not pipeline.name or not folders:
        raise ModelSearchError(
            f"{model.path.name} ({model.architecture}) needs its text encoders and configurations; put the diffusers "
            "folder of this model among the indexed folders, or index it inside ComfyUI"
        )
    with as_safetensors(model.path) as file:
        return getattr(diffusers, pipeline.name).from_single_file(str(file), config=str(folders[0]), **options)


def _pipeline(model: ModelFile) -> Pipeline:
    """The class that reads it; an empty one where none does."""
    pipeline = FAMILIES[model.architecture].pipeline if model.architecture in FAMILIES else No("unknown")
    return Pipeline(name="") if isinstance(pipeline, No) else pipeline


def _cached(repository: str) -> list[Path]:
    """Where the hub's cache has the repository, without asking the hub."""
    if not repository:
        return []
    try:
        return [Path(snapshot_download(repository, local_files_only=True))]
    except (OSError, ValueError):
        return []


def _check_parts(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> None:
    missing = [what for what, starts in _PARTS if not any(name.startswith(starts) for name in shapes)]
    if missing:
        raise ModelSearchError(f"{path.name} lacks its {' and '.join(missing)}; index it inside ComfyUI")
    if _inputs(shapes) != 4:
        raise ModelSearchError(_NOT_FROM_TEXT.format(name=path.name, inputs=_inputs(shapes)))


def _inputs(shapes: Mapping[str, tuple[int, ...]]) -> int:
    return shapes.get(f"{PREFIX}input_blocks.0.0.weight", (0, 4))[1]


def _check_inputs(path: Path, unet: Any) -> None:
    if unet is not None and unet.config["in_channels"] != 4:
        raise ModelSearchError(_NOT_FROM_TEXT.format(name=path.name, inputs=unet.config["in_channels"]))
