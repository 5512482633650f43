"""Model Query, Combine Queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..modelsearch_core.search import Query, combined
from .images import to_pictures
from .sockets import CATEGORY, MODEL_QUERY

EMPTY_QUERY = "Ask for something: a text, an image, a sketch, or a query."
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
    without: str = "",
    without_images: Any = None,
    style: float = MIDDLE,
    also: Query | None = None,
) -> Query | None:
    """One query of a node's inputs, None where nothing is asked. A `style` off the middle counts for `also`, too."""
    parts: dict[str, Any] = {
        "text": [text.strip()] if text.strip() else [],
        "images": to_pictures(images),
        "sketches": to_pictures(sketch),
        "without": [*([without.strip()] if without.strip() else []), *to_pictures(without_images)],
    }
    own = Query(**parts) if any(parts.values()) else None
    asked = together([(own, 1.0), (also, 1.0)])
    return asked if asked is None or style == MIDDLE else replace(asked, style=style)


def together(parts: Sequence[tuple[Query | None, float]]) -> Query | None:
    """Those that ask for something, each with its weight, as one."""
    asking = [(query, weight) for query, weight in parts if query is not None]
    return combined(asking) if asking else None


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

    def ask(self, text: str, without: str, **given: Any) -> tuple[Query | None]:
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

    def combine(
        self, query_1: Query | None, weight_1: float, query_2: Query | None, weight_2: float
    ) -> tuple[Query | None]:
        return (together([(query_1, weight_1), (query_2, weight_2)]),)
