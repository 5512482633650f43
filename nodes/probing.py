"""Find Detector, Find Classifier/Tagger."""

from __future__ import annotations

from typing import Any, ClassVar

from ..modelsearch_core.catalog import Catalog
from ..modelsearch_core.classifiers import ClassifierIndex, ConceptQuery, OutputMatch, ProbeSettings, index_classifiers
from ..modelsearch_core.encoders import DEFAULT_ENCODER
from ..modelsearch_core.errors import EmptyCatalogError, ModelSearchError
from ..modelsearch_core.model_files import Kind
from .catalogue import state
from .host import host
from .images import to_images, to_pictures
from .messages import tell
from .places import catalog_path
from .probing_places import PLACES, name_of, roots
from .sockets import CATEGORY, MODEL_NAME

MOST = 50


class FindOutput:
    """What the two have in common. `kind` is the core's word."""

    kind: str
    shows: str
    CATEGORY = CATEGORY
    FUNCTION = "find"
    RETURN_TYPES: tuple[Any, ...] = (MODEL_NAME, "STRING", "INT", "FLOAT", "FLOAT", "IMAGE", "STRING")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "text": ("STRING", {"default": "", "tooltip": f"What it should {cls.shows}, in a word or two: a hat."}),
                "probe_new": (
                    "BOOLEAN",
                    {"default": True, "tooltip": "Ask files that are new in the folders first; seconds for each."},
                ),
                "minimum_relevance": (
                    "FLOAT",
                    {"default": 0.0, "min": 0.0, "max": 1.0, "step": 0.05, "tooltip": "From 0.5 on a match is good."},
                ),
                "rank": ("INT", {"default": 1, "min": 1, "max": MOST, "tooltip": "1 is the best match."}),
            },
            "optional": {"images": ("IMAGE", {"tooltip": "Pictures that all show it, with or without a text."})},
            "hidden": {"unique_id": "UNIQUE_ID"},
        }

    @classmethod
    def IS_CHANGED(cls, **_: Any) -> str:
        files = sorted(str(file) for root in roots(cls.kind) for file in root.rglob("*"))
        return f"{state()} {hash(tuple(files))}"

    def find(
        self,
        text: str,
        probe_new: bool,
        minimum_relevance: float,
        rank: int,
        images: Any = None,
        unique_id: str | None = None,
    ) -> tuple[Any, ...]:
        if not text.strip() and images is None:
            raise ModelSearchError(f"Say in text what it should {self.shows}, or wire images that show it.")
        if probe_new:
            probe(self.kind)
        query = ConceptQuery(text=[text] if text.strip() else [], images=to_pictures(images))
        matches, pictures = search(self.kind, query, rank)
        best = at_rank(matches, rank, minimum_relevance)
        lines = "\n".join(line(match) for match in matches)
        tell(unique_id, line(best))
        name = name_of(best.path, self.kind) or best.name
        threshold = 0.5 if best.threshold is None else round(best.threshold, 4)
        return (name, best.label or "", best.output, threshold, round(best.relevance, 4), to_images(pictures), lines)


class FindDetector(FindOutput):
    kind = "detector"
    shows = "find in pictures"
    DESCRIPTION = "The detector of your own folders that finds what you name, whatever its file is called."
    SEARCH_ALIASES: ClassVar[tuple[str, ...]] = ("detector search", "ultralytics", "adetailer")
    RETURN_NAMES = ("detector_name", "label", "class_number", "threshold", "score", "evidence", "matches")
    OUTPUT_TOOLTIPS = (
        "Wire it into model_name of UltralyticsDetectorProvider or ONNXDetectorProvider.",
        "What the file itself calls this class; empty if it does not say.",
        "Which of its classes it is.",
        "From which confidence on a find is probably one.",
        "How relevant it is, 0 to 1; below 0.5 it is a weak match.",
        "The pictures in which it is surest to find something.",
        "All matches, a line each.",
    )


class FindClassifier(FindOutput):
    kind = "classifier"
    shows = "tell"
    DESCRIPTION = "The classifier, tagger or rater of your own folders one of whose outputs tells what you name."
    SEARCH_ALIASES: ClassVar[tuple[str, ...]] = ("tagger search", "classifier search")
    RETURN_NAMES = ("classifier_name", "label", "output_number", "threshold", "score", "evidence", "matches")
    OUTPUT_TOOLTIPS = (
        "The file, for nodes that take a tagger's or a classifier's name.",
        "What the file itself calls this output; empty if it does not say.",
        "Which of its outputs it is.",
        "From which value on a picture probably shows it.",
        "How relevant it is, 0 to 1; below 0.5 it is a weak match.",
        "The pictures that excite this output most.",
        "All matches, a line each.",
    )


def probe(kind: str) -> None:
    """Asks what is new in the folders. ModelSearchError where there is no folder."""
    folders = list(roots(kind))
    if not folders:
        names = ", ".join(place.folder for place in PLACES[kind])
        raise ModelSearchError(f"There is no folder of a {kind} (models/{names}).")
    with Catalog(catalog_path()) as catalog:
        known = catalog.encoders()
        source = known[0][1] if known else DEFAULT_ENCODER
        encoder = host().encoder(source, may_download=True)
        settings = ProbeSettings(kinds=[Kind(kind)])
        index_classifiers(catalog, folders, encoder, source, settings, trusted=host().trusted_pickles())


def search(kind: str, query: ConceptQuery, rank: int) -> tuple[list[OutputMatch], list[Any]]:
    """The matches in ComfyUI's folders, and the probe pictures of the one at `rank`."""
    try:
        index = ClassifierIndex.open(catalog_path(), open_encoder=host().encoder)
    except EmptyCatalogError as error:
        raise ModelSearchError(f"No {kind} is in the index; switch probe_new on.") from error
    with index:
        places = set(roots(kind))
        inside = [m.file.path for m in index.outputs.models if places.intersection(m.file.path.parents)]
        matches = index.search(query, kind=kind, among=inside, k=max(rank, 10))
        pictures = [index.probe(number) for number in matches[rank - 1].probes] if rank <= len(matches) else []
    return matches, pictures


def at_rank(matches: list[OutputMatch], rank: int, minimum: float) -> OutputMatch:
    if rank > len(matches):
        raise ModelSearchError(f"Only {len(matches)} outputs were found; rank {rank} is beyond them.")
    if matches[rank - 1].relevance < minimum:
        raise ModelSearchError(
            f"Nothing is relevant enough: {line(matches[rank - 1])}, and at least {minimum:.2f} is asked for."
        )
    return matches[rank - 1]


def line(match: OutputMatch) -> str:
    return f"{match.rank}. {match.name}: {match.what}  {match.relevance:.2f}{' (weak)' if match.weak else ''}"
