"""Similar Models, Pick Match, Show Matches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..modelsearch_core.contact_sheet import Cell, Row, contact_sheet
from ..modelsearch_core.errors import ModelSearchError
from ..modelsearch_core.search import Query
from . import places
from .catalogue import state
from .found import LOW_NOISE, Found, Wanted, at_rank, search
from .images import to_images, to_pictures
from .messages import listed_in, tell
from .sockets import CATEGORY, MODEL_MATCHES, MODEL_NAME, MODEL_QUERY

SHOWN = {"lora": "LoRA", "checkpoint": "checkpoint", "diffusion_model": "diffusion model"}
COLUMNS, CELL = 4, 256
RANK = ("INT", {"default": 1, "min": 1, "max": 100, "tooltip": "1 is the best match."})


class SimilarModels:
    CATEGORY = CATEGORY
    DESCRIPTION = "Models that make pictures like those of the model you name."
    SEARCH_ALIASES = ("more like this", "similar lora")
    FUNCTION = "find"
    RETURN_TYPES = (MODEL_NAME, "FLOAT", "IMAGE", MODEL_MATCHES, MODEL_QUERY)
    RETURN_NAMES = ("name", "score", "evidence", "matches", "query")
    OUTPUT_TOOLTIPS = (
        "Wire it into a loader of that kind of model.",
        "How alike it is, 0 to 1; below 0.5 it is a weak match.",
        "Pictures that the found model made.",
        "All matches.",
        "The same question for a Find node or Combine Queries.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        names = [name for kind in places.FOLDERS for name in places.listed(kind).values()]
        return {
            "required": {
                "model": (
                    list(dict.fromkeys(names)),
                    {"tooltip": "What the others shall be like."},
                ),
                "kind": (list(SHOWN), {"tooltip": "Find models of this kind."}),
                "rank": RANK,
            },
            "hidden": {"unique_id": "UNIQUE_ID"},
        }

    @classmethod
    def IS_CHANGED(cls, **_: Any) -> str:
        return state()

    @classmethod
    def VALIDATE_INPUTS(cls, kind: str) -> bool | str:
        if kind not in (None, *SHOWN):
            return f"kind must be one of {', '.join(SHOWN)}, not {kind!r}"
        return listed_in(kind) if kind else True

    def find(self, model: str, kind: str, rank: int, unique_id: str | None = None) -> tuple[Any, ...]:
        query = Query(like=[model])
        found = search(query, Wanted(kind=kind))
        best = at_rank(found, rank)
        tell(unique_id, best.line())
        return (best.name, best.score, best.images(), found, query)


class PickMatch:
    CATEGORY = CATEGORY
    DESCRIPTION = "One of the models that a search found, and the names of the first few as a list, for grids."
    FUNCTION = "pick"
    RETURN_TYPES = (MODEL_NAME, "STRING", "STRING", "FLOAT", "FLOAT", "IMAGE", MODEL_NAME, MODEL_NAME)
    RETURN_NAMES = ("name", "trigger_words", "lora_tag", "score", "strength", "evidence", "names", "low_noise_name")
    OUTPUT_IS_LIST = (False, False, False, False, False, False, True, False)
    OUTPUT_TOOLTIPS = (
        "Wire it into a loader of that kind of model.",
        "What the model was trained to react to; for the prompt.",
        "<lora:name:strength>; empty for what is no LoRA.",
        "How relevant it is, 0 to 1; below 0.5 it is a weak match.",
        "The suggested strength; 1 for what is no LoRA.",
        "Pictures that the model made, the nearest to the query first.",
        "The first `count` names: what they are wired into runs once for each.",
        LOW_NOISE,
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        count = {"default": 4, "min": 1, "max": 100, "tooltip": "How many names the list has."}
        return {"required": {"matches": (MODEL_MATCHES,), "rank": RANK, "count": ("INT", count)}}

    def pick(self, matches: Sequence[Found], rank: int, count: int) -> tuple[Any, ...]:
        one = at_rank(matches, rank)
        tag = one.tag if one.match.kind == "lora" else ""
        names = [found.name for found in matches[:count]]
        return (one.name, one.trigger_words, tag, one.score, one.strength, one.images(), names, one.low_noise)


class ShowMatches:
    CATEGORY = CATEGORY
    DESCRIPTION = "Pictures, names and scores of what was found. With pictures of your own: these, under the names."
    FUNCTION = "show"
    OUTPUT_NODE = True
    INPUT_IS_LIST = True
    RETURN_TYPES = ("IMAGE", "STRING")
    RETURN_NAMES = ("sheet", "text")
    OUTPUT_TOOLTIPS = ("The sheet as one picture.", "Rank, name and score, a line each.")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        count = {"default": 8, "min": 1, "max": 64, "tooltip": "How many are shown."}
        pictures = {"tooltip": "What you made with the matches, in their order, in place of the index's samples."}
        return {
            "required": {"matches": (MODEL_MATCHES,), "count": ("INT", count)},
            "optional": {"pictures": ("IMAGE", pictures)},
        }

    def show(self, matches: list[Sequence[Found]], count: list[int], pictures: list[Any] | None = None) -> Any:
        from nodes import PreviewImage  # ComfyUI's own

        found = matches[0][: count[0]]
        own = [picture for batch in pictures or [] for picture in to_pictures(batch)[:1]]
        image = to_images([contact_sheet(rows(found, own), cell=CELL)])
        text = "\n".join(one.line() for one in found)
        shown = PreviewImage().save_images(image, filename_prefix="model_search")["ui"]
        return {"ui": {**shown, "text": [text]}, "result": (image, text)}


def rows(found: Sequence[Found], own: Sequence[Any]) -> list[Row]:
    """Cells in rows of `COLUMNS`. ModelSearchError where the pictures are not one for each."""
    if own and len(own) != len(found):
        raise ModelSearchError(f"{len(own)} pictures for {len(found)} models; set count to the number of pictures.")
    images = own or [one.pictures[0] if one.pictures else None for one in found]
    cells = [
        Cell(image=image, title=f"{one.match.rank}. {one.name}", note=f"relevance {one.score:.2f}")
        for image, one in zip(images, found, strict=True)
    ]
    return [Row("", cells[start : start + COLUMNS]) for start in range(0, len(cells), COLUMNS)]
