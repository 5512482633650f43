"""Model Query, Combine Queries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..modelsearch_core.errors import ModelSearchError
from ..modelsearch_core.search import Query, combined
from .images import to_pictures
from .sockets import CATEGORY, MODEL_QUERY

NOTHING_ASKED = "Ask for something: a text, an image, a sketch, or a query."
MIDDLE = 0.5  # of the slider: what suits the index
STYLE = (
    "FLOAT",
    {
        "default": MIDDLE,
        "min": 0.0,
        "max": 1.0,
        "step": 0.05,
        "tooltip": "What images ask for: 0 the same subject, 1 the same style; 0.5 leaves it to the index.",
    },
)


def query_of(
    *,
    text: str = "",
    images: Any = None,
    sketch: Any = None,
    like: str = "",
    without: str = "",
    without_images: Any = None,
    style: float = MIDDLE,
    also: Query | None = None,
) -> Query:
    """One query of a node's inputs. ModelSearchError where nothing is asked. A `style` off the middle counts for what
    is wired in as well."""
    parts: dict[str, Any] = {
        "text": [text.strip()] if text.strip() else [],
        "images": to_pictures(images),
        "sketches": to_pictures(sketch),
        "like": [like.strip()] if like.strip() else [],
        "without": [*([without.strip()] if without.strip() else []), *to_pictures(without_images)],
    }
    own = Query(**parts) if any(parts.values()) else None
    if own is None and also is None:
        raise ModelSearchError(NOTHING_ASKED)
    asked = combined([(query, 1.0) for query in (own, also) if query is not None])
    return asked if style == MIDDLE else replace(asked, style=style)


class ModelQuery:
    CATEGORY = CATEGORY
    DESCRIPTION = "What to look for, with everything that a query may have."
    FUNCTION = "ask"
    RETURN_TYPES = (MODEL_QUERY,)
    RETURN_NAMES = ("query",)
    OUTPUT_TOOLTIPS = ("For the Find nodes and Combine Queries.",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "text": ("STRING", {"multiline": True, "default": "", "tooltip": "What the model should make."}),
                "without": ("STRING", {"default": "", "tooltip": "What it should not make."}),
            },
            "optional": {
                "images": ("IMAGE", {"tooltip": "Pictures like those wanted; several count together."}),
                "sketch": ("IMAGE", {"tooltip": "A drawing of what is wanted."}),
                "without_images": ("IMAGE", {"tooltip": "Pictures unlike those wanted."}),
                "style": STYLE,
            },
        }

    def ask(self, text: str, without: str, **given: Any) -> tuple[Query]:
        return (query_of(text=text, without=without, **given),)


class CombineQueries:
    CATEGORY = CATEGORY
    DESCRIPTION = "Two queries as one, each with a weight. A negative weight asks for less of it."
    FUNCTION = "combine"
    RETURN_TYPES = (MODEL_QUERY,)
    RETURN_NAMES = ("query",)
    OUTPUT_TOOLTIPS = ("For the Find nodes and Combine Queries.",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        weight = {"default": 1.0, "min": -5.0, "max": 5.0, "step": 0.05, "tooltip": "Below 0: less of this."}
        return {
            "required": {
                "query_1": (MODEL_QUERY,),
                "weight_1": ("FLOAT", weight),
                "query_2": (MODEL_QUERY,),
                "weight_2": ("FLOAT", weight),
            }
        }

    def combine(self, query_1: Query, weight_1: float, query_2: Query, weight_2: float) -> tuple[Query]:
        return (combined([(query_1, weight_1), (query_2, weight_2)]),)
