"""Model files as users have them: what a file is, from its header, its neighbours and nothing else."""

from .header import Header, Tensor, read_header
from .model_file import Kind, ModelFile, SkippedFile
from .previews import embedded_preview, previews_of
from .reading import read_model_file
from .scanning import scan

__all__ = [
    "Header",
    "Kind",
    "ModelFile",
    "SkippedFile",
    "Tensor",
    "embedded_preview",
    "previews_of",
    "read_header",
    "read_model_file",
    "scan",
]
