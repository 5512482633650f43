"""A diffusers pipeline from any model file that holds one, without asking the hub."""

from __future__ import annotations

import json
import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import diffusers

from ..errors import ModelSearchError
from ..model_files import ModelFile
from .layouts import is_sd_layout, layout_for
from .predictions import prediction_of
from .tensors import load_state, shapes_of

PREFIX = "model.diffusion_model."
LOADERS = {  # single files of these are tried with the configurations that the hub's cache may hold
    "sd3": "StableDiffusion3Pipeline",
    "flux": "FluxPipeline",
    "chroma": "ChromaPipeline",
    "pixart": "PixArtSigmaPipeline",
}
_PARTS = (
    ("UNet", (PREFIX,)),
    ("text encoder", ("cond_stage_model.", "conditioner.")),
    ("VAE", ("first_stage_model.",)),
)
_UNDONE = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, ImportError, IndexError)

log = logging.getLogger(__name__)


def load_pipeline(model: ModelFile, candidates: Sequence[ModelFile], dtype: Any) -> Any:
    """The pipeline of a checkpoint, on the CPU. Raises ModelSearchError with the reason."""
    try:
        with _quietly():
            pipe = _from_folder(model.path, dtype) if model.path.is_dir() else _from_file(model, candidates, dtype)
    except _UNDONE as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        raise ModelSearchError(f"{model.path.name} could not be loaded as {model.architecture} ({reason})") from error
    pipe.set_progress_bar_config(disable=True)
    if getattr(pipe, "watermark", None) is not None:
        pipe.watermark = None
    return pipe


def load_bare(model: ModelFile, pipe: Any, dtype: Any) -> Any:
    """The bare diffusion model in place of `pipe`'s own. Raises ModelSearchError when it does not fit."""
    if not hasattr(pipe, "unet"):
        raise ModelSearchError(f"{model.path.name}: a bare {model.architecture} model; index it inside ComfyUI")
    try:
        state = _with_prefix(load_state(model.path))
        with _quietly():
            pipe.unet = _unet_from(state, pipe.unet, dtype)
    except _UNDONE as error:
        raise ModelSearchError(
            f"{model.path.name} does not fit into its base model ({str(error)[:200]}); name another with --base CKPT"
        ) from error
    return pipe


def _unet_from(state: dict[str, Any], like: Any, dtype: Any) -> Any:
    import tempfile

    if not any(name.startswith(PREFIX) for name in state):
        unet = type(like).from_config(like.config)
        unet.load_state_dict(state)
        return unet.to(dtype)
    with tempfile.TemporaryDirectory(prefix="modelsearch-") as folder:
        like.save_config(folder)
        return type(like).from_single_file(state, config=folder, torch_dtype=dtype, local_files_only=True)


def _with_prefix(state: dict[str, Any]) -> dict[str, Any]:
    """Files of ComfyUI's `diffusion_models` have the original names, with or without the prefix of a checkpoint."""
    if "input_blocks.0.0.weight" in state:
        return {PREFIX + name: tensor for name, tensor in state.items()}
    return state


def _from_folder(folder: Path, dtype: Any) -> Any:
    index = json.loads((folder / "model_index.json").read_text("utf-8"))
    if not isinstance(index.get("_class_name"), str) or any(folder.rglob("*.py")):
        raise ModelSearchError(f"{folder.name} brings its own code, which is not run")
    options: dict[str, Any] = {"safety_checker": None} if "safety_checker" in index else {}
    variant = _variant(folder)
    if variant:
        options["variant"] = variant
    return diffusers.DiffusionPipeline.from_pretrained(
        str(folder), torch_dtype=dtype, local_files_only=True, use_safetensors=True, **options
    )


def _variant(folder: Path) -> str | None:
    """fp16, where a folder holds no other weights of the diffusion model."""
    names = [path.name for part in ("unet", "transformer") for path in (folder / part).glob("*.safetensors")]
    return "fp16" if names and all(".fp16" in name for name in names) else None


def _from_file(model: ModelFile, candidates: Sequence[ModelFile], dtype: Any) -> Any:
    options = {"torch_dtype": dtype, "local_files_only": True}
    if not is_sd_layout(model.architecture):
        return _from_cache(model, options)
    _check_parts(model.path, shapes_of(model.path))
    name = "StableDiffusionXLPipeline" if model.architecture == "sdxl" else "StableDiffusionPipeline"
    if name == "StableDiffusionPipeline":
        options["safety_checker"] = None
    prediction = prediction_of(model.path, model.architecture)
    with layout_for(model, candidates, prediction) as folder:
        return getattr(diffusers, name).from_single_file(str(model.path), config=str(folder), **options)


def _from_cache(model: ModelFile, options: dict[str, Any]) -> Any:
    """Other architectures bring neither configurations nor, mostly, text encoders."""
    pipeline = getattr(diffusers, LOADERS.get(model.architecture, ""), None)
    try:
        if pipeline is not None:
            return pipeline.from_single_file(str(model.path), **options)
    except _UNDONE as error:
        log.info("%s: %s", model.path, error)
    raise ModelSearchError(
        f"{model.path.name} ({model.architecture}) needs its text encoders and configurations; put the diffusers "
        "folder of this model among the indexed folders, or index it inside ComfyUI"
    )


def _check_parts(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> None:
    missing = [what for what, starts in _PARTS if not any(name.startswith(starts) for name in shapes)]
    if missing:
        raise ModelSearchError(f"{path.name} lacks its {' and '.join(missing)}; index it inside ComfyUI")
    inputs = shapes.get(f"{PREFIX}input_blocks.0.0.weight", (0, 4))[1]
    if inputs != 4:
        raise ModelSearchError(
            f"{path.name} takes {inputs} channels instead of 4: an inpainting or editing model, which makes no picture "
            "from text alone"
        )


@contextmanager
def _quietly() -> Generator[None]:
    """Without diffusers' own bars, which know nothing of whoever shows progress here."""
    bars = diffusers.utils.logging
    was_on = bars.is_progress_bar_enabled() if hasattr(bars, "is_progress_bar_enabled") else True
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if was_on:
            bars.enable_progress_bar()
