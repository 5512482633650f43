"""Audition: the best LoRA of a search, each heard with the user's own prompt, seed and sampler, and ranked by that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from ..modelsearch_core.contact_sheet import Cell, Row, contact_sheet
from ..modelsearch_core.embedding import Encoder
from ..modelsearch_core.errors import ModelSearchError
from ..modelsearch_core.search import Query
from .catalogue import reading
from .found import Found
from .images import to_images, to_pictures
from .loaders import applied, fitting
from .matches import CELL, COLUMNS
from .messages import tell
from .sockets import CATEGORY, MODEL_MATCHES, MODEL_NAME, MODEL_QUERY

PROMPT = {"multiline": True, "default": "", "tooltip": "Your own prompt; every LoRA gets the same."}
WORDS = {"default": True, "tooltip": "Puts each LoRA's trigger words behind the prompt."}
QUERY = {"tooltip": "What the pictures are compared with; the prompt where it is left out."}


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """As a KSampler has it."""

    seed: int
    steps: int
    cfg: float
    sampler_name: str
    scheduler: str
    denoise: float


class Audition:
    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Tries the best LoRA of a search with your own prompt, seed and sampler, and ranks them by what came out."
    )
    SEARCH_ALIASES = ("compare lora", "lora grid", "xy plot")
    FUNCTION = "audition"
    OUTPUT_NODE = True
    RETURN_TYPES = (MODEL_NAME, "IMAGE", "IMAGE", MODEL_MATCHES, "STRING")
    RETURN_NAMES = ("lora_name", "sheet", "pictures", "matches", "report")
    OUTPUT_TOOLTIPS = (
        "The winner; wire it into lora_name of any LoRA loader.",
        "All pictures in one, the winner first.",
        "The pictures as a batch, the winner first.",
        "The matches in their new order, for Load Found LoRA(s) and Show Matches.",
        "Place, name and likeness, a line each; what was left out and why.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        samplers, schedulers = _choices()
        return {
            "required": {
                "matches": (MODEL_MATCHES,),
                "model": ("MODEL", {"tooltip": "The base that every LoRA is put on."}),
                "clip": ("CLIP",),
                "vae": ("VAE",),
                "latent_image": ("LATENT", {"tooltip": "Its size is the pictures' size."}),
                "prompt": ("STRING", PROMPT),
                "negative": ("STRING", {"multiline": True, "default": "", "tooltip": "What shall not be seen."}),
                "trigger_words": ("BOOLEAN", WORDS),
                "count": ("INT", {"default": 4, "min": 1, "max": 16, "tooltip": "How many LoRA are tried."}),
                "seed": ("INT", {"default": 0, "min": 0, "max": 2**64 - 1, "control_after_generate": True}),
                "steps": ("INT", {"default": 20, "min": 1, "max": 1000}),
                "cfg": ("FLOAT", {"default": 7.0, "min": 0.0, "max": 100.0, "step": 0.1}),
                "sampler_name": (samplers,),
                "scheduler": (schedulers,),
                "denoise": ("FLOAT", {"default": 1.0, "min": 0.0, "max": 1.0, "step": 0.01}),
            },
            "optional": {"query": (MODEL_QUERY, QUERY)},
            "hidden": {"unique_id": "UNIQUE_ID"},
        }

    def audition(
        self,
        matches: Sequence[Found],
        model: Any,
        clip: Any,
        vae: Any,
        latent_image: Any,
        prompt: str,
        negative: str,
        trigger_words: bool,
        count: int,
        query: Query | None = None,
        unique_id: str | None = None,
        **sampling: Any,
    ) -> dict[str, Any]:
        chosen, misfits = fitting(matches, count, model, clip)
        if not chosen:
            raise ModelSearchError("; ".join(["no LoRA of the search fits the model", *misfits]))
        stage = Stage(model, clip, vae, latent_image, negative, Sampling(**sampling))
        pictures = [stage.take(found, said(prompt, found) if trigger_words else prompt) for found in chosen]
        with reading() as index:
            likeness = closeness(index.encoder, pictures, query or Query(text=[prompt]))
        order = np.argsort(-likeness, kind="stable")
        ranked = [
            replace(chosen[n], match=replace(chosen[n].match, rank=place), wanted=0.0)  # it was looked at
            for place, n in enumerate(map(int, order), 1)
        ]
        lines = [f"{one.match.rank}. {one.name}  {likeness[n]:.3f}" for one, n in zip(ranked, order, strict=True)]
        report = "\n".join([*lines, *misfits])
        tell(unique_id, report)
        best_first = [pictures[n] for n in order]
        sheet = to_images([_sheet(best_first, lines)])
        return {"ui": _shown(sheet, report), "result": (ranked[0].name, sheet, to_images(best_first), ranked, report)}


class Stage:
    """Everything but the LoRA."""

    def __init__(self, model: Any, clip: Any, vae: Any, latent: Any, negative: str, sampling: Sampling) -> None:
        self._model, self._clip, self._vae, self._latent = model, clip, vae, latent
        self._negative, self._sampling = negative, sampling

    def take(self, found: Found, prompt: str) -> Image.Image:
        """One picture with one LoRA at its suggested strength."""
        from nodes import CLIPTextEncode, VAEDecode, common_ksampler  # ComfyUI's own

        model, clip = applied(self._model, self._clip, found.name, found.strength, found.strength)
        positive, negative = (CLIPTextEncode().encode(clip, text)[0] for text in (prompt, self._negative))
        s = self._sampling
        (latent,) = common_ksampler(
            model,
            s.seed,
            s.steps,
            s.cfg,
            s.sampler_name,
            s.scheduler,
            positive,
            negative,
            self._latent,
            denoise=s.denoise,
        )
        return to_pictures(VAEDecode().decode(self._vae, latent)[0])[0]


def said(prompt: str, found: Found) -> str:
    """The prompt with a LoRA's trigger words behind it, those that it has already left out."""
    new = [word for word in found.match.trigger_words if word.casefold() not in prompt.casefold()]
    return ", ".join(filter(None, [prompt.strip(), *new]))


def closeness(encoder: Encoder, pictures: Sequence[Image.Image], query: Query) -> np.ndarray[Any, Any]:
    """(n,): the weighed mean of each picture's cosines with the query's texts and pictures; what is not wanted counts
    against it. Models that are named in the query say nothing here."""
    weights = list(query.weights or [1.0] * query.inputs)
    texts, images = list(query.text), [*query.images, *query.sketches]
    unwanted = list(query.without)
    w_text, w_image = weights[: len(texts)], weights[len(texts) : len(texts) + len(images)]
    w_without = weights[len(weights) - len(unwanted) :]
    wanted = [(text, weight) for text, weight in zip(texts, w_text, strict=True)]
    wanted += [(image, weight) for image, weight in zip(images, w_image, strict=True)]
    wanted += [(each, -abs(weight)) for each, weight in zip(unwanted, w_without, strict=True)]
    Z = encoder.encode_images(list(pictures)).astype(np.float64)
    total = np.zeros(len(pictures))
    for each, weight in wanted:
        h = encoder.encode_texts([each])[0] if isinstance(each, str) else encoder.encode_images([each])[0]
        total += weight * (Z @ h.astype(np.float64))
    return total / (sum(abs(weight) for _, weight in wanted) or 1.0)


def _choices() -> tuple[list[str], list[str]]:
    """Samplers and schedulers of this ComfyUI."""
    try:
        from comfy.samplers import KSampler
    except ImportError:  # no ComfyUI: only the schema is looked at
        return [], []
    return list(KSampler.SAMPLERS), list(KSampler.SCHEDULERS)


def _sheet(pictures: Sequence[Image.Image], lines: Sequence[str]) -> Image.Image:
    cells = [
        Cell(image=picture, title=line.rpartition("  ")[0], note=f"likeness {line.rpartition('  ')[2]}")
        for picture, line in zip(pictures, lines, strict=True)
    ]
    rows = [Row("", cells[start : start + COLUMNS]) for start in range(0, len(cells), COLUMNS)]
    return contact_sheet(rows, cell=CELL)


def _shown(sheet: Any, report: str) -> dict[str, Any]:
    from nodes import PreviewImage  # ComfyUI's own

    return {**PreviewImage().save_images(sheet, filename_prefix="audition")["ui"], "text": [report]}
