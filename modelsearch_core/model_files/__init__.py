"""Model files as users have them: what a file is, from its header, its neighbours and nothing else."""

from .model_file import Kind, ModelFile, SkippedFile

__all__ = ["Kind", "ModelFile", "SkippedFile"]
