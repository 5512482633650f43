"""Find LoRA, Find Checkpoint, Find Diffusion Model."""

from __future__ import annotations

from typing import Any

from ..modelsearch_core.collection import FILTERS, Filter, Filters
from ..modelsearch_core.errors import ModelSearchError
from ..modelsearch_core.families import FAMILIES_AND_LINEAGES
from ..modelsearch_core.search import METHODS
from . import places
from .catalogue import state
from .found import LOW_NOISE, Found, Wanted, at_rank, search
from .graph_model import family_of, family_of_graph
from .messages import listed_in, tell
from .querying import EMPTY_QUERY, MIDDLE, STYLE, query_of
from .renewing import renew
from .sockets import CATEGORY, MODEL_MATCHES, MODEL_NAME, MODEL_QUERY

AS_MODEL = "as the model"
TEXT = {"multiline": True, "default": "", "tooltip": "What the model should make, in your own words."}
ANY = "any"
OWN = ("kind", "architecture", "folder")  # filters that a node says in its own way
ASKED = {
    "images": ("IMAGE", {"tooltip": "Pictures like those wanted; several count together."}),
    "sketch": ("IMAGE", {"tooltip": "A drawing of what is wanted."}),
    "query": (MODEL_QUERY, {"tooltip": "From Model Query or Combine Queries; added to what is asked here."}),
    "style": STYLE,
}


def widget_of(filter: Filter) -> tuple[Any, dict[str, Any]]:
    tooltip = {"tooltip": f"{filter.help}."}
    return ([ANY, *filter.choices], tooltip) if filter.choices else ("STRING", {"default": "", **tooltip})


FURTHER = {name: widget_of(of) for name, of in FILTERS.items() if name not in OWN}


def filters(kind: str) -> dict[str, Any]:
    """The widgets that say what may be found."""
    return {
        "architecture": (
            [ANY, *FAMILIES_AND_LINEAGES],
            {"tooltip": "Only models of this family, or of this line within one."},
        ),
        "folder": ("STRING", {"default": "", "tooltip": f"Only models in this folder below {places.FOLDERS[kind]}."}),
        "minimum_relevance": (
            "FLOAT",
            {"default": 0.0, "min": 0.0, "max": 1.0, "step": 0.05, "tooltip": "From 0.5 on a match is a good one."},
        ),
        "method": (list(METHODS), {"tooltip": "How models are compared; auto suits every sort of query."}),
        "rank": ("INT", {"default": 1, "min": 1, "max": 100, "tooltip": "1 is the best match."}),
    }


class Find:
    """What the three have in common. `kind` is the core's word."""

    kind: str
    CATEGORY = CATEGORY
    FUNCTION = "find"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        required = {"text": ("STRING", TEXT), **filters(cls.kind)}
        return {"required": required, "optional": cls.optional(), "hidden": {"unique_id": "UNIQUE_ID"}}

    @classmethod
    def optional(cls, **sockets: Any) -> dict[str, Any]:
        """Further filters come last: a saved workflow has its widgets' values in their order."""
        return {**ASKED, **sockets, **FURTHER}

    @classmethod
    def IS_CHANGED(cls, unique_id: str | None = None, **_: Any) -> str:
        renew(cls.kind)
        return f"{state()} {hash(tuple(places.listed(cls.kind)))}"

    @classmethod
    def VALIDATE_INPUTS(cls, folder: str | None) -> bool | str:
        """ComfyUI puts the name of the input before what is said."""
        return listed_in(cls.kind, folder or "")

    def find(self, text: str, rank: int, unique_id: str | None = None, **given: Any) -> tuple[Any, ...]:
        found = self.search(text, **given)
        best = at_rank(found, rank)
        tell(unique_id, best.line())
        return self.outputs(best, found)

    def search(
        self,
        text: str,
        architecture: str,
        folder: str,
        minimum_relevance: float,
        method: str,
        images: Any = None,
        sketch: Any = None,
        query: Any = None,
        style: float = MIDDLE,
        **further: str,
    ) -> list[Found]:
        said = {name: value for name, value in {"architecture": architecture, **further}.items() if value != ANY}
        wanted = Wanted(
            kind=self.kind, folder=folder, filters=Filters.of(said), minimum=minimum_relevance, method=method
        )
        asked = query_of(text=text, images=images, sketch=sketch, style=style, also=query)
        if asked is None:
            raise ModelSearchError(EMPTY_QUERY)
        return search(asked, wanted)

    def outputs(self, best: Found, found: list[Found]) -> tuple[Any, ...]:
        return (best.name, best.trigger_words, best.score, best.images(), found)


class FindLora(Find):
    kind = "lora"
    DESCRIPTION = "The LoRA of your own folders that makes what you describe, show or sketch."
    SEARCH_ALIASES = (
        "lora search",
        "lora finder",
        "find lora by image",
    )
    RETURN_TYPES = (MODEL_NAME, "STRING", "STRING", "FLOAT", "FLOAT", "IMAGE", MODEL_MATCHES, MODEL_NAME)
    RETURN_NAMES = (
        "lora_name",
        "trigger_words",
        "lora_tag",
        "score",
        "strength",
        "evidence",
        "matches",
        "low_noise_name",
    )
    OUTPUT_TOOLTIPS = (
        "Wire it into lora_name of any LoRA loader.",
        "What the LoRA was trained to react to; for the prompt.",
        "<lora:name:strength>, for nodes that read it from the prompt.",
        "How relevant it is, 0 to 1; below 0.5 it is a weak match.",
        "The suggested strength.",
        "Pictures that the LoRA made, the nearest to the query first.",
        "All matches, for Pick Match, Show Matches and Load Found LoRA(s).",
        LOW_NOISE,
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        types = super().INPUT_TYPES()
        families, told = types["required"]["architecture"]
        tooltip = f"{told['tooltip']} {AS_MODEL}: that of the model wired in, or of the graph's checkpoint."
        types["required"]["architecture"] = ([AS_MODEL, *families], {"tooltip": tooltip})
        model = {"tooltip": "The LoRA fits this model. Left out, the checkpoint under the LoRA's loader is looked at."}
        return {**types, "optional": cls.optional(model=("MODEL", model))}

    @classmethod
    def IS_CHANGED(cls, unique_id: str | None = None, **given: Any) -> str:
        return f"{super().IS_CHANGED()} {family_of_graph(str(unique_id))}"

    def find(
        self, text: str, rank: int, architecture: str, model: Any = None, unique_id: str | None = None, **given: Any
    ) -> tuple[Any, ...]:
        if architecture == AS_MODEL:
            known = family_of_graph(str(unique_id)) if model is None else family_of(model)
            architecture = known or ANY
        return super().find(text, rank, unique_id, architecture=architecture, **given)

    def outputs(self, best: Found, found: list[Found]) -> tuple[Any, ...]:
        name, words, score, images, matches = super().outputs(best, found)
        return (name, words, best.tag, score, best.strength, images, matches, best.low_noise)


class FindCheckpoint(Find):
    kind = "checkpoint"
    DESCRIPTION = "The checkpoint of your own folders that makes what you describe, show or sketch."
    SEARCH_ALIASES = (
        "checkpoint search",
        "model search",
    )
    RETURN_TYPES = (MODEL_NAME, "STRING", "FLOAT", "IMAGE", MODEL_MATCHES)
    RETURN_NAMES = ("ckpt_name", "trigger_words", "score", "evidence", "matches")
    OUTPUT_TOOLTIPS = (
        "Wire it into ckpt_name of any checkpoint loader.",
        "Words that its author suggests; for the prompt.",
        "How relevant it is, 0 to 1; below 0.5 it is a weak match.",
        "Pictures that the checkpoint made, the nearest to the query first.",
        "All matches, for Pick Match, Show Matches and Load Found Checkpoint.",
    )


class FindDiffusionModel(Find):
    kind = "diffusion_model"
    DESCRIPTION = "The diffusion model (UNet, transformer) of your own folders that makes what you describe or show."
    SEARCH_ALIASES = (
        "unet search",
        "model search",
    )
    RETURN_TYPES = (*FindCheckpoint.RETURN_TYPES, MODEL_NAME)
    RETURN_NAMES = ("unet_name", *FindCheckpoint.RETURN_NAMES[1:], "low_noise_name")
    OUTPUT_TOOLTIPS = (
        "Wire it into unet_name of a diffusion model loader.",
        "Words that its author suggests; for the prompt.",
        "How relevant it is, 0 to 1; below 0.5 it is a weak match.",
        "Pictures that the model made, the nearest to the query first.",
        "All matches, for Pick Match and Show Matches.",
        LOW_NOISE,
    )

    def outputs(self, best: Found, found: list[Found]) -> tuple[Any, ...]:
        return (*super().outputs(best, found), best.low_noise)
