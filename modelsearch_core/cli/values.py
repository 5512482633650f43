"""What an option may be: said at once, with the value and the way out, before anything is opened or loaded."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

from PIL import Image

from ..catalog import Catalog
from ..errors import ModelSearchError
from ..families import FAMILIES
from ..generators.bases import chosen_base
from ..places import Place, expanded
from ..raster import FORMATS, known_formats
from ..specification import Evidence

DEVICE = re.compile(r"auto|cpu|mps(:0)?|(cuda|xpu)(:\d{1,3})?")
PICTURE_NAMES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".avif")


def whole(least: int, most: int = 2**31) -> Callable[[str], int]:
    """A whole number of that range."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[-+]?\d{1,18}", text.strip()) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must be a whole number {_range(least, most)}, not {text!r:.80}")
        return int(text)

    return read


def number(least: float, most: float, more: str = "") -> Callable[[str], float]:
    """A number of that range; `more` says what else the user may have meant."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"must be a number from {least:g} to {most:g}, not {text!r:.80}{more}")
        return value

    return read


def words(text: str) -> str:
    """A text that says something."""
    if not text.strip():
        raise argparse.ArgumentTypeError("must not be empty")
    return text


def device(text: str) -> str:
    if not DEVICE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"must be auto, cpu, cuda, cuda:1, mps or xpu, not {text!r:.80}")
    return text


def pixels(text: str) -> int:
    """A side of generated pictures."""
    size = whole(64, 4096)(text)
    if size % 64:
        raise argparse.ArgumentTypeError(f"must be a multiple of 64, not {size}")
    return size


def check_folders(folders: list[Path]) -> None:
    """ModelSearchError for the first that is not there."""
    for folder in folders:
        if not expanded(folder).exists():
            raise ModelSearchError(f"{folder} does not exist; give a folder of models, or a model file")


def check_generation(args: argparse.Namespace) -> None:
    """What generation is asked for, before weights are looked for. ModelSearchError with the way out."""
    check_device(args.device)
    if args.base is not None:
        chosen_base(args.base)


def check_device(wanted: str) -> None:
    """ModelSearchError for a device that this machine has not; loads torch only where one is named."""
    if wanted not in ("auto", "cpu"):
        from ..encoders.device import best_device  # brings torch along

        best_device(wanted)


def check_picture_target(path: Path | None) -> None:
    """ModelSearchError where a picture cannot be written: no such folder, or an ending that names no format."""
    if path is None:
        return
    Image.init()
    if Image.EXTENSION.get(path.suffix.lower()) not in known_formats(FORMATS):
        raise ModelSearchError(f"{path} does not end in .png, .jpg or .webp; name the picture so")
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise ModelSearchError(f"{path} cannot be written: {path.absolute().parent} is no folder; make it first")


def save_picture(picture: Image.Image, path: Path) -> None:
    """ModelSearchError with the reason."""
    try:
        picture.save(path)
    except (OSError, ValueError) as error:
        raise ModelSearchError(f"{path} cannot be written as a picture: {error}") from error


def check_architecture(wanted: str | None, catalog: Place) -> None:
    """ModelSearchError for one that is neither known here nor in the index."""
    if wanted is None or wanted in FAMILIES:
        return
    with Catalog(catalog, read_only=True) as opened:
        there = sorted({model.architecture for model in opened.models()})
    if wanted not in there:
        near = get_close_matches(wanted, [*there, *FAMILIES], 1)
        known = ", ".join(there) or "nothing"
        raise ModelSearchError(
            f"--arch {wanted} is no architecture; {f'did you mean {near[0]}? ' if near else ''}The index has {known}"
        )


def check_searched_folder(wanted: str | None, catalog: Place) -> None:
    """ModelSearchError for one that is neither on this machine nor holds a model of the index."""
    if not wanted or expanded(folder := Path(wanted)).exists():
        return
    with Catalog(catalog, read_only=True) as opened:
        if not any(folder in model.path.parents for model in opened.models()):
            raise ModelSearchError(f"--folder {folder} does not exist, and no model of the index lies there")


def check_style(style: float | None, *, has_pictures: bool, catalog: Place) -> None:
    """ModelSearchError where `--style` would say nothing."""
    if style is None:
        return
    if not has_pictures:
        raise ModelSearchError("--style is about pictures; add --image F, or leave it out")
    with Catalog(catalog, read_only=True) as opened:
        keys = (key for name, _, _ in opened.encoders() for key in opened.specification_keys(name))
        if not any(evidence is Evidence.REFERENCE for _, _, evidence, _ in keys):
            raise ModelSearchError(
                "--style needs to know what LoRA make of line drawings; run `modelsearch index FOLDER --style` first"
            )


def is_meant_as_picture(text: str) -> bool:
    """Whether a word behind `--without` names a picture's file, there or not."""
    return Path(text).suffix.lower() in PICTURE_NAMES or text.startswith(("/", "./", "../", "~"))


def _range(least: int, most: int) -> str:
    return f"of at least {least}" if most >= 2**31 else f"from {least} to {most}"
