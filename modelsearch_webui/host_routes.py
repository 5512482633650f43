"""Routes that only a WebUI's page asks for: whose card this is, what made a picture, previews for LoRA without one."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from PIL import Image

from modelsearch_core.errors import ModelSearchError
from modelsearch_core.identifying import identify
from modelsearch_core.panel import Panel, Reply, Request, Route
from modelsearch_core.panel import previews as preview_files
from modelsearch_core.panel.pictures import open_picture
from modelsearch_core.panel.refusals import RefusedError
from modelsearch_core.panel.routes import PICTURES_LIMIT

from . import places

MOST_MAKERS = 8


def listed(panel: Panel, query: Any) -> dict[str, Any]:
    """The model that an Extra Networks card shows. Query: kind, name (as the card has it)."""
    kind, name = str(query.get("kind")), str(query.get("name"))
    path = places.path_of(kind, name)
    found = next((m for m in panel.library.newest().models if path in (m.path, *m.copies)), None) if path else None
    if found is None:
        raise RefusedError(404, f"{name!r} is not in the index yet; open the Model Search tab and update it")
    return panel.model(found.id)


def makers(panel: Panel, request: Request) -> dict[str, Any]:
    """Which models made a picture: those that its file names, then by likeness. A form's `image`."""
    contents = request.pictures.get("image", ())
    if len(contents) != 1:
        raise RefusedError(400, f"send one picture as `image`, not {len(contents)}")
    picture = open_picture(contents[0])
    with Image.open(io.BytesIO(contents[0])) as original:
        picture.info.update(original.info)  # what it says of itself
    with panel.library.reading() as snapshot:
        found = identify(snapshot.index, picture, k=MOST_MAKERS)
    return {
        "models": [{**one.match.to_json(), "named": one.named} for one in found.models],
        "absent": [mention.name for mention in found.absent],
    }


def previews(panel: Panel) -> dict[str, Any]:
    """How many LoRA have pictures of their own in the index and no preview beside them."""
    return {"lacking": len(list(_lacking(panel)))}


def write_previews(panel: Panel) -> dict[str, Any]:
    """Puts a sample beside each of these as its preview, the same probe's for all. Never over a picture of the
    user's; what cannot be written stops no other."""
    written, refused = 0, {}
    for id, name, number in list(_lacking(panel)):
        try:
            panel.save_preview(id, {"number": number, "replace": False})
            written += 1
        except ModelSearchError as error:
            refused[name] = str(error)
    return {"written": written, "refused": refused}


def _lacking(panel: Panel) -> Iterator[tuple[str, str, int]]:
    snapshot = panel.library.newest()
    for model in snapshot.models:
        if model.kind == "lora" and model.evidence == "generated" and not preview_files.existing(model.path):
            numbers = panel.model(model.id)["thumbnails"]
            if numbers:
                yield model.id, model.name, numbers[0]


def _json(value: object) -> Reply:
    return Reply(200, json.dumps(value, ensure_ascii=False).encode())


HOST_ROUTES: tuple[Route, ...] = (
    Route("GET", "webui/listed", lambda panel, r: _json(listed(panel, r.query))),
    Route("POST", "webui/makers", lambda panel, r: _json(makers(panel, r)), PICTURES_LIMIT),
    Route("GET", "webui/previews", lambda panel, _: _json(previews(panel))),
    Route("POST", "webui/previews", lambda panel, _: _json(write_previews(panel))),
)
