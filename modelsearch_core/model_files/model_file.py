"""What is known of a model before anything is generated from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

MODEL_ENDINGS = {".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".sft"}


class Kind(str, Enum):
    """What sort of model a file is."""

    CHECKPOINT = "checkpoint"
    LORA = "lora"
    DIFFUSION_MODEL = "diffusion_model"
    CLASSIFIER = "classifier"
    DETECTOR = "detector"
    PICTURES = "pictures"  # a folder of pictures, of a model that is not here


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A model on disk: what its header and the files beside it say.

    `path` is a file, or the folder of a model in the diffusers layout or of a set of pictures. `architecture` is one of
    `families.ARCHITECTURES`, `variant` one of that family's. `fingerprint` stays the same when the file is renamed,
    moved or copied; as it is read it is a claim, which indexing settles where other weights make the same one.
    `by_hand` names what the user has set.
    """

    path: Path
    kind: Kind
    architecture: str
    fingerprint: str
    size: int  # bytes
    modified: int  # nanoseconds since the epoch
    title: str
    trigger_words: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()  # most frequent first
    description: str = ""
    base_hint: str | None = None  # what the author says it was trained on
    preview: Path | None = None  # a picture beside the file
    variant: str | None = None  # which of the family's widths: klein-4b, 14b, ...
    unknown_because: str = ""  # why the architecture is unknown
    network: str | None = None  # lora, dora, loha, lokr, ...: how a LoRA is written
    preferred_weight: float | None = None  # LoRA strength that its user or author noted
    base: Path | None = None  # the checkpoint that the user wants under this LoRA
    by_hand: tuple[str, ...] = ()  # fields that the user has set
    stamp: str = ""  # changes when the file or what lies beside it does

    @property
    def name(self) -> str:
        """The file name without its ending; a folder's whole name."""
        return self.path.stem if self.path.suffix.lower() in MODEL_ENDINGS else self.path.name


@dataclass(frozen=True, kw_only=True)
class SkippedFile:
    """A file that looked like a model and is none to index, with the reason."""

    path: Path
    reason: str
    stamp: str = ""  # as of ModelFile
