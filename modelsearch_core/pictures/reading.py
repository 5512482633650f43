"""What a picture's file says, read without decoding it; and that as JSON, for the catalog."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

from PIL import Image

from ..errors import ModelSearchError
from ..model_files import Kind
from ..model_files.opening import open_regular
from ..picture_metadata import Account, Mention, account_of
from ..raster import known_formats

LONGEST_PROMPT = 1000  # characters; an encoder reads about three hundred


class Unreadable(Exception):  # noqa: N818  a finding
    """A file that is no picture, or a broken one."""


def account_at(path: str) -> Account:
    """Of the picture at that path. Raises Unreadable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # no pixel is decoded
            with open_regular(Path(path)) as file, Image.open(file, formats=known_formats()) as picture:
                return account_of(picture)
    except (OSError, ModelSearchError) as error:
        raise Unreadable(str(error)) from error
    except Exception as error:  # decoders raise what they like
        raise Unreadable(f"{type(error).__name__}: {error}") from error


def account_to_json(account: Account) -> str | None:
    """None for a picture that names no model: nothing of it is kept."""
    if not account.loras and not account.bases:
        return None
    told: dict[str, Any] = {
        "loras": [[each.name, each.weight, each.hash] for each in account.loras],
        "bases": [[each.name, each.kind.value if each.kind else "", each.hash] for each in account.bases],
        "prompt": account.prompt[:LONGEST_PROMPT],
        "seed": account.seed,
    }
    text = json.dumps({name: value for name, value in told.items() if value}, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode()  # half of a surrogate pair cannot be stored


def account_from_json(text: str) -> Account:
    told: dict[str, Any] = json.loads(text)
    return Account(
        loras=tuple(Mention(name, Kind.LORA, weight, hash) for name, weight, hash in told.get("loras", ())),
        bases=tuple(Mention(name, Kind(kind), hash=hash) for name, kind, hash in told.get("bases", ())),
        prompt=told.get("prompt", ""),
        seed=told.get("seed", ""),
    )
