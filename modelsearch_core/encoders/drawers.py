"""Line drawings by trained edge detectors, through controlnet_aux, as the sketches of content-based search were made.

HED (Xie and Tu, arXiv 1504.06375) in ControlNet's version, which sees RGB; PiDiNet (Su et al., arXiv 2108.07009), whose
weights are for research only and therefore never chosen unasked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageOps

from ..drawing import WITHOUT_WEIGHTS, Drawer
from ..errors import ModelSearchError
from .device import best_device
from .downloading import Progress
from .preparation import rgb
from .weights import Weights, find, read_tensors, weights_file

REPOSITORY = "lllyasviel/Annotators"
FOLDERS = (
    "extensions/sd-webui-controlnet/annotator/downloads/{}",
    "models/ControlNetPreprocessor/{}",
    "models/ControlNetPreprocessor",
    "custom_nodes/comfyui_controlnet_aux/ckpts/lllyasviel/Annotators",
)
SMALLEST, LARGEST, STEP = 256, 512, 64  # pixels of the short side that a detector sees

HED = Weights(
    own_name="ControlNetHED",
    repository=REPOSITORY,
    files=("ControlNetHED.pth",),
    size=29_444_406,
    sha256="5ca93762ffd68a29fee1af9d495bf6aab80ae86f08905fb35472a083a4c7a8fa",
    host_folders=tuple(folder.format("hed") for folder in FOLDERS),
    known_by_file=True,
)
PIDINET = Weights(
    own_name="table5_pidinet",
    repository=REPOSITORY,
    files=("table5_pidinet.pth",),
    size=2_871_148,
    sha256="80860ac267258b5f27486e0ef152a211d0b08120f62aeb185a050acc30da486c",
    host_folders=tuple(folder.format("pidinet") for folder in FOLDERS),
    known_by_file=True,
)
Detector = Callable[..., Image.Image]


def open_drawer(
    name: str = "auto",
    *,
    device: str = "auto",
    folders: Sequence[Path] = (),
    may_download: bool = True,
    progress: Progress | None = None,
) -> Drawer:
    """hed, pidinet, outlines, pencil or canny. `auto` is HED where its weights are on disk, else outlines; it never
    downloads. MissingWeightsError where the weights cannot be had."""
    if name == "auto":
        return _best(device, folders)
    if name in WITHOUT_WEIGHTS:
        return WITHOUT_WEIGHTS[name]
    if name not in DETECTORS:
        raise ValueError(f"{name!r} draws nothing; choose one of auto, {', '.join([*DETECTORS, *WITHOUT_WEIGHTS])}")
    weights, make = DETECTORS[name]
    file = weights_file(weights, folders=folders, may_download=may_download, progress=progress)
    return Drawer(name, partial(_draw, make(file, best_device(device))))


def _best(device: str, folders: Sequence[Path]) -> Drawer:
    file = find(HED, folders)
    if file is None:
        return WITHOUT_WEIGHTS["outlines"]
    try:
        return Drawer("hed", partial(_draw, _hed(file, best_device(device))))
    except ModelSearchError:  # controlnet_aux is missing, or the file is damaged
        return WITHOUT_WEIGHTS["outlines"]


def _draw(detector: Detector, image: Image.Image) -> Image.Image:
    """The detector's bright edges as dark lines, in the picture's size."""
    image = rgb(image)
    side = min(max(min(image.size) // STEP * STEP, SMALLEST), LARGEST)
    edges = detector(image, detect_resolution=side, image_resolution=side).convert("L")
    return ImageOps.invert(edges.resize(image.size, Image.Resampling.BICUBIC)).convert("RGB")


def _hed(file: Path, device: torch.device) -> Detector:
    hed = _controlnet_aux("hed")
    return hed.HEDdetector(_filled(hed.ControlNetHED_Apache2(), file, device))


def _pidinet(file: Path, device: torch.device) -> Detector:
    pidi = _controlnet_aux("pidi")
    return pidi.PidiNetDetector(_filled(pidi.pidinet(), file, device))


def _filled(network: torch.nn.Module, file: Path, device: torch.device) -> torch.nn.Module:
    try:
        network.load_state_dict(read_tensors(file))
    except RuntimeError as error:
        raise ModelSearchError(f"{file} does not hold the weights of {type(network).__name__}; delete it") from error
    return network.float().eval().to(device)


def _controlnet_aux(module: str) -> Any:
    from importlib import import_module

    try:
        return import_module(f"controlnet_aux.{module}")
    except Exception as error:  # it imports much that may be missing or too new
        raise ModelSearchError(
            f"controlnet_aux does not start ({type(error).__name__}: {str(error)[:200]}); "
            "`pip install -U controlnet_aux`, or draw with outlines"
        ) from error


DETECTORS: dict[str, tuple[Weights, Callable[[Path, torch.device], Detector]]] = {
    "hed": (HED, _hed),
    "pidinet": (PIDINET, _pidinet),
}
