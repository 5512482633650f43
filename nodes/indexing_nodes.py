"""Index Models, and the node that indexes one model for the background job."""

from __future__ import annotations

from typing import Any, NoReturn

from ..modelsearch_core.indexing import IndexSettings, Report
from ..modelsearch_core.model_files import Kind
from .host import host
from .messages import tell
from .places import FOLDERS
from .sockets import CATEGORY

KINDS = ("everything", *FOLDERS)
DRAWINGS = "Every LoRA also fills out thirty line drawings, for search by style."


class IndexModels:
    CATEGORY = CATEGORY
    DESCRIPTION = "Brings the index up to date here and now: reads new files, and generates pictures with new models."
    OUTPUT_NODE = True
    FUNCTION = "index"
    RETURN_TYPES = ("STRING",)
    RETURN_NAMES = ("report",)
    OUTPUT_TOOLTIPS = ("What was done, and what failed and why.",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        zero = "0: as many as it takes."
        return {
            "required": {
                "kind": (list(KINDS), {"tooltip": "Which models to generate from."}),
                "generate": ("BOOLEAN", {"default": True, "tooltip": "Off: names, words and previews only."}),
                "samples": ("INT", {"default": 0, "min": 0, "max": 1024, "tooltip": f"Pictures a model. {zero}"}),
                "refresh": ("BOOLEAN", {"default": False, "tooltip": "Again, where settings have changed."}),
            },
            "optional": {"style": ("BOOLEAN", {"default": False, "tooltip": DRAWINGS})},
            "hidden": {"unique_id": "UNIQUE_ID"},
        }

    @classmethod
    def IS_CHANGED(cls, **_: Any) -> float:
        return float("nan")

    def index(
        self,
        kind: str,
        generate: bool,
        samples: int,
        refresh: bool,
        style: bool = False,
        unique_id: str | None = None,
    ) -> dict[str, Any]:
        from .engine import index_all

        kinds = None if kind == "everything" else [Kind(kind)]
        wanted = IndexSettings(samples=samples or None, quick=not generate, refresh=refresh, kinds=kinds)
        report = index_all(wanted, style=style)
        if report is None:
            raise_interrupted()
        text = in_lines(report)
        tell(unique_id, text)
        return {"ui": {"text": [text]}, "result": (text,)}


def in_lines(report: Report) -> str:
    """A report in lines."""
    lines = [
        f"{report.models} models: {len(report.generated)} generated from now ({report.images} pictures), "
        f"{report.unchanged} as they were, {len(report.failed)} failed"
    ]
    if report.rendered or report.prompts_only:
        lines.append(f"{len(report.rendered)} LoRA painted drawings; {len(report.prompts_only)} take prompts only")
    lines += [f"prompts only: {path.name}: {reason}" for path, reason in report.prompts_only.items()]
    lines += [f"failed: {path.name}: {reason}" for path, reason in report.failed.items()]
    return "\n".join(lines)


class IndexOne:
    """Not for people: the job queues it."""

    CATEGORY = f"{CATEGORY}/internal"
    DESCRIPTION = "Generates one model's pictures for the index. Model Search queues it by itself."
    DEPRECATED = True  # keeps it out of the node search
    DEV_ONLY = True
    OUTPUT_NODE = True
    FUNCTION = "work"
    RETURN_TYPES = ()

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "model": ("STRING", {"default": ""}),
                "samples": ("INT", {"default": 0, "min": 0, "max": 1024}),
                "refresh": ("BOOLEAN", {"default": False}),
                "style": ("BOOLEAN", {"default": False}),
            }
        }

    @classmethod
    def IS_CHANGED(cls, **_: Any) -> float:
        return float("nan")

    def work(self, model: str, samples: int, refresh: bool, style: bool) -> dict[str, Any]:
        outcome = host().indexer.work(model, IndexSettings(samples=samples or None, refresh=refresh), style=style)
        if outcome == "cancelled":
            raise_interrupted()
        return {"ui": {"text": [outcome]}}


def raise_interrupted() -> NoReturn:
    """What ComfyUI expects of a node that was cancelled."""
    from comfy.model_management import InterruptProcessingException

    raise InterruptProcessingException
