"""The other end of `separate.py`: reads a line of JSON for each request, writes a line for each batch of pictures."""

from __future__ import annotations

import base64
import io
import json
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from PIL import Image

from ..errors import ModelSearchError
from ..model_files.written import model_from_json
from ..probes import Probe
from .diffusers import DiffusersGenerator
from .settings import GeneratorSettings


def main() -> None:
    """Until its input ends. What libraries print goes to the error output."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    generator: DiffusersGenerator | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            generator = generator_for(request, generator)
            for batch in batches(request, generator):
                reply(replies, {"pictures": batch})
            reply(replies, {"done": True})
        except ModelSearchError as error:
            reply(replies, {"error": str(error), "kind": type(error).__name__})
        except Exception as error:
            traceback.print_exc()
            reply(replies, {"error": f"{type(error).__name__}: {error}", "kind": ""})


def generator_for(request: Mapping[str, Any], old: DiffusersGenerator | None) -> DiffusersGenerator:
    """The one that is there while it knows all the models, so that a base is loaded once."""
    models = [model_from_json(text) for text in request["candidates"]]
    if old is not None and all(model in old.known.models for model in models):
        return old
    if old is not None:
        old.close()
    return DiffusersGenerator(models, settings_from(request["settings"]))


def batches(request: Mapping[str, Any], generator: DiffusersGenerator) -> Iterator[list[str]]:
    """PNG in base64. ModelSearchError where this process would ask the model something else than was planned."""
    model = model_from_json(request["model"])
    probe_set = generator.plan(model, [Probe(**probe) for probe in request["probes"]])
    if probe_set.digest != request["digest"]:
        raise ModelSearchError("the model or its base was changed meanwhile; run the index again")
    for pictures in generator.generate(model, probe_set, request["numbers"]):
        yield [encoded(picture) for picture in pictures]


def settings_to(settings: GeneratorSettings) -> dict[str, Any]:
    return {
        **vars(settings),
        "base": str(settings.base) if settings.base else None,
        "decoders": [str(folder) for folder in settings.decoders],
    }


def settings_from(values: Mapping[str, Any]) -> GeneratorSettings:
    paths: dict[str, Any] = {
        "base": Path(values["base"]) if values["base"] else None,
        "decoders": tuple(Path(folder) for folder in values["decoders"]),
    }
    return GeneratorSettings(**{**values, **paths})


def encoded(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def decoded(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text)), formats=["PNG"]).convert("RGB")


def reply(replies: TextIO, message: Mapping[str, Any]) -> None:
    replies.write(json.dumps(message) + "\n")
    replies.flush()
