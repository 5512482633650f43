"""Identify Model."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import folder_paths
from PIL import Image, ImageOps, UnidentifiedImageError

from ..modelsearch_core.choosing import SURE
from ..modelsearch_core.errors import ModelSearchError
from ..modelsearch_core.identifying import Identification, identify
from ..modelsearch_core.raster import known_formats
from . import places
from .catalogue import reading, state
from .found import Found, found_of
from .images import to_pictures
from .messages import tell
from .renewing import renew
from .sockets import CATEGORY, MODEL_MATCHES, MODEL_NAME

KINDS = list(places.FOLDERS)


class IdentifyModel:
    CATEGORY = CATEGORY
    DESCRIPTION = "Which of your models made this picture: what its file says first, then what it looks like."
    SEARCH_ALIASES = ("which lora", "which checkpoint", "what model made this")
    FUNCTION = "identify"
    RETURN_TYPES = (MODEL_NAME, "FLOAT", "STRING", MODEL_MATCHES)
    RETURN_NAMES = ("name", "confidence", "report", "matches")
    OUTPUT_TOOLTIPS = (
        "The likeliest model; wire it into a loader of that kind.",
        "1 where the file names it; else how far it stands out, 0 to 1.",
        "All candidates, and the models named that are not in your folders.",
        "All candidates, for Show Matches and the loaders.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "picture": (
                    pictures_there(),
                    {"image_upload": True, "tooltip": "With what its file says."},
                ),
                "kind": (KINDS, {"tooltip": "Which kind of model to name."}),
                "count": ("INT", {"default": 5, "min": 1, "max": 50, "tooltip": "How many candidates."}),
            },
            "optional": {"image": ("IMAGE", {"tooltip": "In place of the file; only its looks count then."})},
            "hidden": {"unique_id": "UNIQUE_ID"},
        }

    @classmethod
    def IS_CHANGED(cls, picture: str | None = None, image: Any = None, **_: Any) -> str:
        return f"{state()} {_digest(picture) if picture and image is None else ''}"

    @classmethod
    def VALIDATE_INPUTS(cls, picture: str | None) -> bool | str:
        if picture and not folder_paths.exists_annotated_filepath(picture):
            return f"There is no picture {picture!r} in ComfyUI's input folder."
        return True

    def identify(
        self, picture: str, kind: str, count: int, image: Any = None, unique_id: str | None = None
    ) -> tuple[Any, ...]:
        renew(kind)
        names = places.listed(kind)
        with reading() as index:
            found = identify(index, _opened(picture, image), kind=kind, among=names, k=count)
            matches = [
                replace(found_of(one.match, names, {}), wanted=0.0 if one.named else SURE) for one in found.models
            ]
        text = report(found, matches)
        if not matches:
            raise ModelSearchError(f"No {kind} of your folders is in the index. {text}".strip())
        tell(unique_id, text)
        return (matches[0].name, matches[0].score, text, matches)


def report(found: Identification, matches: list[Found]) -> str:
    lines = [
        f"{one.match.rank}. {match.name}  {'named in the file' if one.named else f'{match.score:.2f} by its looks'}"
        for one, match in zip(found.models, matches, strict=True)
    ]
    absent = [f"named in the file, not in your folders: {mention.name}" for mention in found.absent]
    return "\n".join([*lines, *absent])


def pictures_there() -> list[str]:
    folder = Path(folder_paths.get_input_directory())
    files = [path.name for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    return sorted(folder_paths.filter_files_content_types(files, ["image"]))


def _opened(picture: str, image: Any) -> Image.Image:
    """Upright, with what its file says. ModelSearchError for what is no picture."""
    if image is not None:
        return to_pictures(image)[0]
    try:
        opened = Image.open(folder_paths.get_annotated_filepath(picture), formats=known_formats())
        upright = ImageOps.exif_transpose(opened) or opened
        upright.info = opened.info
        return upright
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise ModelSearchError(f"{picture} cannot be read as a picture: {_why(error)}") from error


def _why(error: Exception) -> str:
    """Without numbers and paths."""
    if isinstance(error, UnidentifiedImageError):
        return "it is none"
    return (getattr(error, "strerror", None) or str(error)).lower()


def _digest(picture: str) -> str:
    path = Path(folder_paths.get_annotated_filepath(picture))
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
