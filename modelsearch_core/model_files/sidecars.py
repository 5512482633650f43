"""Files that other tools leave beside a model, read and never written.

Who is believed first, field by field: what the user typed (A1111's `.json`, SwarmUI's `.swarm.json`, Lora-Manager's
`.metadata.json`), then what tools copied from Civitai (`.civitai.info`, Stability Matrix's `.cm-info.json`, rgthree's
`.rgthree-info.json`, Civitai Browser+'s `.api_info.json`), then a `.txt`. All come before the file's own header. One
that cannot be read says nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from ..errors import UnreadableModelError
from .annotations import Annotations, clean_text, clean_title, clean_weight, clean_words, first_of
from .candidates import Neighbour
from .names import base_name
from .opening import read_bounded

LARGEST_SIDECAR = 8 * 2**20  # bytes
Fields = Mapping[str, Any]


def sidecar_annotations(folder: Path, neighbours: tuple[Neighbour, ...]) -> Annotations:
    """What the sidecars among a model's neighbours say."""
    by_suffix = {each.suffix.removeprefix(".safetensors"): each for each in neighbours}
    return first_of(
        _read(reader, _text(folder / by_suffix[suffix].name), _stem(by_suffix[suffix]))
        for suffix, reader in READERS
        if suffix in by_suffix
    )


def _stem(sidecar: Neighbour) -> str:
    """Of the model that it lies beside."""
    return sidecar.name[: len(sidecar.name) - len(sidecar.suffix)]


def _text(path: Path) -> str:
    try:
        return read_bounded(path, LARGEST_SIDECAR).decode("utf-8-sig", "replace")
    except (UnreadableModelError, OSError):
        return ""


def _read(reader: Callable[[Fields, str], Annotations] | None, text: str, stem: str) -> Annotations:
    if reader is None:
        return Annotations(description=clean_text(text))
    try:
        return reader(_object(json.loads(text)), stem)
    except (ValueError, RecursionError):
        return Annotations()


def _object(value: object) -> Fields:
    return cast("Fields", value) if isinstance(value, dict) else {}


def _a1111(fields: Fields, stem: str) -> Annotations:
    """The WebUI's "edit metadata" card. A Civitai answer saved under the same name (SD.Next does) is read as one."""
    if "trainedWords" in fields or "modelVersions" in fields:
        return (_civitai_model if "modelVersions" in fields else _civitai)(fields, stem)
    return Annotations(
        trigger_words=clean_words(fields.get("activation text")),
        description=clean_text(fields.get("description")) or clean_text(fields.get("notes")),
        base_hint=base_name(fields.get("sd version")),
        preferred_weight=clean_weight(fields.get("preferred weight")),
    )


def _swarm(fields: Fields, _: str) -> Annotations:
    """What was edited in SwarmUI: ModelSpec's fields, in older files without its prefix."""

    def said(name: str) -> object:
        return fields.get(f"modelspec.{name}", fields.get(name))

    return Annotations(
        title=clean_title(said("title")),
        trigger_words=clean_words(said("trigger_phrase")),
        tags=clean_words(said("tags")),
        description=clean_text(said("description")),
    )


def _civitai_model(fields: Fields, stem: str) -> Annotations:
    """Civitai's answer for a model with all its versions: that of this file, or the only one."""
    versions = fields.get("modelVersions")
    known = [_object(each) for each in cast("list[Any]", versions)] if isinstance(versions, list) else []
    named = [version for version in known if stem.casefold() in _file_stems(version)]
    version = (named or known)[0] if named or len(known) == 1 else {}
    own = Annotations(description=_joined(fields.get("description"), version.get("description")))
    return first_of([own, _civitai({**version, "model": fields}, stem)])


def _file_stems(version: Fields) -> set[str]:
    """Names without endings, in lower case, of a version's files."""
    files = version.get("files")
    names = [_object(each).get("name") for each in cast("list[Any]", files)] if isinstance(files, list) else []
    return {name.rpartition(".")[0].casefold() for name in names if isinstance(name, str)}


def _civitai(fields: Fields, _: str) -> Annotations:
    """Civitai's answer for one version of a model, as Civitai Helper and others save it."""
    model = _object(fields.get("model"))
    return Annotations(
        title=clean_title(model.get("name")) or clean_title(fields.get("name")),
        trigger_words=clean_words(fields.get("trainedWords")),
        tags=clean_words(model.get("tags") or fields.get("tags")),
        description=_joined(model.get("description"), fields.get("description")),
        base_hint=base_name(fields.get("baseModel")),
    )


def _lora_manager(fields: Fields, stem: str) -> Annotations:
    """Words of a model that is not on Civitai stand at the top."""
    own = Annotations(
        title=clean_title(fields.get("model_name")),
        trigger_words=clean_words(fields.get("trainedWords")),
        tags=clean_words(fields.get("tags")),
        description=_joined(fields.get("notes"), fields.get("modelDescription")),
        base_hint=base_name(fields.get("base_model")),
        preferred_weight=clean_weight(_usage_tips(fields).get("strength")),
    )
    return first_of([own, _civitai(_object(fields.get("civitai")), stem)])


def _usage_tips(fields: Fields) -> Fields:
    """JSON within JSON."""
    try:
        return _object(json.loads(fields.get("usage_tips") or "{}"))
    except (TypeError, ValueError, RecursionError):
        return {}


def _stability_matrix(fields: Fields, _: str) -> Annotations:
    return Annotations(
        title=clean_title(fields.get("UserTitle")) or clean_title(fields.get("ModelName")),
        trigger_words=clean_words(fields.get("TrainedWords")),
        tags=clean_words(fields.get("Tags")),
        description=_joined(fields.get("ModelDescription"), fields.get("VersionDescription")),
        base_hint=base_name(fields.get("BaseModel")),
    )


def _rgthree(fields: Fields, _: str) -> Annotations:
    entries = fields.get("trainedWords")
    words = [_object(entry).get("word") for entry in cast("list[Any]", entries)] if isinstance(entries, list) else []
    return Annotations(
        title=clean_title(fields.get("name")),
        trigger_words=clean_words(words),
        base_hint=base_name(fields.get("baseModel")),
        preferred_weight=clean_weight(fields.get("strengthMax")),
    )


def _joined(*texts: object) -> str:
    return "\n\n".join(dict.fromkeys(text for text in map(clean_text, texts) if text))


READERS: tuple[tuple[str, Callable[[Fields, str], Annotations] | None], ...] = (  # who is believed first
    (".json", _a1111),
    (".swarm.json", _swarm),
    (".metadata.json", _lora_manager),
    (".civitai.info", _civitai),
    (".cm-info.json", _stability_matrix),
    (".rgthree-info.json", _rgthree),
    (".api_info.json", _civitai_model),
    (".txt", None),
)
