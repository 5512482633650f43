"""A candidate becomes a ModelFile: format, then kind and architecture, then words and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ..errors import UnreadableModelError
from .annotations import Annotations, clean_title, first_of
from .architecture import Recognised, recognise, recognise_header
from .candidates import UNFINISHED, Candidate, candidate_at
from .fingerprint import file_fingerprint, joint_fingerprint, tensor_fingerprint
from .gguf import recognise_gguf
from .header import parse_header
from .hints import settled_by_hint
from .metadata import header_annotations
from .model_file import Kind, ModelFile
from .names import own_name
from .opening import open_regular
from .pickles import pickle_shapes
from .pipelines import read_pipeline
from .previews import preview_paths
from .sidecars import sidecar_annotations
from .strangers import stranger_at


class Contents(NamedTuple):
    """What is in a model's own files."""

    recognised: Recognised
    fingerprint: str
    size: int
    said: Annotations


def read_model_file(path: Path) -> ModelFile:
    """The model at `path`, a file or a folder in the diffusers layout. Raises UnreadableModelError with the reason."""
    try:
        return read_candidate(candidate_at(path))
    except (UnreadableModelError, OSError) as error:
        raise UnreadableModelError(f"{path}: {error}") from error


def read_candidate(candidate: Candidate) -> ModelFile:
    """The model that a candidate is. Raises UnreadableModelError (without the path) and OSError."""
    path = candidate.path
    contents = _contents(candidate)
    folder = path if candidate.is_folder else path.parent
    named = Annotations(title=own_name(candidate.shards[0] if candidate.shards else path))
    words = first_of([sidecar_annotations(folder, candidate.neighbours), contents.said, named])
    recognised = settled_by_hint(contents.recognised, words.base_hint)
    previews = preview_paths(path, candidate.neighbours)
    return ModelFile(
        path=path,
        kind=recognised.kind,
        architecture=recognised.architecture,
        variant=recognised.variant,
        unknown_because=recognised.why,
        network=recognised.network,
        fingerprint=contents.fingerprint,
        size=contents.size,
        modified=candidate.modified,
        stamp=candidate.stamp,
        preview=previews[0] if previews else None,
        **vars(words),
    )


def _contents(candidate: Candidate) -> Contents:
    if candidate.is_folder:
        return _folder_contents(candidate.path)
    if part := next((each.name for each in candidate.neighbours if each.suffix.endswith(UNFINISHED)), None):
        raise UnreadableModelError(f"an unfinished download: {part} lies beside it; let it end, or start it again")
    if candidate.shards:
        return _sharded_contents(candidate)
    try:
        return _file_contents(candidate)
    except UnreadableModelError as error:
        what = stranger_at(candidate.path)
        raise UnreadableModelError(what or str(error)) from error


def _file_contents(candidate: Candidate) -> Contents:
    extension = candidate.path.suffix.lower()
    if extension in (".safetensors", ".sft"):
        return _safetensors_contents(candidate)
    return _gguf_contents(candidate) if extension == ".gguf" else _pickle_contents(candidate)


def _safetensors_contents(candidate: Candidate) -> Contents:
    with open_regular(candidate.path) as file:
        header = parse_header(file)
        recognised = recognise_header(header)
        fingerprint = tensor_fingerprint(file, header)
    return Contents(recognised, fingerprint, candidate.size, header_annotations(header.metadata, header.layout.shapes))


def _sharded_contents(candidate: Candidate) -> Contents:
    """A model in several files, each with a part of its tensors."""
    shapes: dict[str, tuple[int, ...]] = {}
    fingerprints: list[tuple[str, str]] = []
    for path in candidate.shards:
        try:
            with open_regular(path) as file:
                header = parse_header(file)
                fingerprints.append((path.name, tensor_fingerprint(file, header)))
        except UnreadableModelError as error:
            raise UnreadableModelError(f"its shard {path.name}: {error}") from error
        shapes |= header.layout.shapes
    return Contents(recognise(shapes), joint_fingerprint(fingerprints), candidate.size, Annotations())


def _gguf_contents(candidate: Candidate) -> Contents:
    with open_regular(candidate.path) as file:
        recognised = recognise_gguf(file)
        return Contents(recognised, file_fingerprint(file), candidate.size, Annotations())


def _pickle_contents(candidate: Candidate) -> Contents:
    if candidate.size == 0:
        raise UnreadableModelError("the file is empty; download it again")
    recognised = recognise(pickle_shapes(candidate.path))
    with open_regular(candidate.path) as file:
        return Contents(recognised, file_fingerprint(file), candidate.size, Annotations())


def _folder_contents(folder: Path) -> Contents:
    pipeline = read_pipeline(folder)
    recognised = Recognised(
        kind=Kind.CHECKPOINT, architecture=pipeline.architecture, variant=pipeline.variant, why=pipeline.why
    )
    said = Annotations(title=clean_title(pipeline.title))
    return Contents(recognised, pipeline.fingerprint, pipeline.size, said)
