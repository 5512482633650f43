"""Folders of classifiers: every one below them, once; what did not change is not opened again."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path

from ..errors import ModelSearchError, UnreadableModelError
from ..model_files import Kind, SkippedFile
from ..model_files.annotations import clean_title
from ..model_files.candidates import INDEX_NAME, SKIPPED_FOLDERS
from ..model_files.fingerprint import file_fingerprint, joint_fingerprint
from ..model_files.opening import open_regular
from ..model_files.strangers import plain_line
from .configs import (
    Config,
    detector_input,
    is_timm,
    is_transformers,
    labels_beside,
    labels_of,
    read_config,
    tagger_input,
    tags_beside,
    timm_input,
    transformers_input,
)
from .files import ClassifierFile, Form, Input
from .folders import CONFIG, weights_in
from .onnx_files import Understood, open_session, signature_of, understood
from .tensorflow_js import WEIGHTS, is_tensorflow_js, refuse

log = logging.getLogger(__name__)

NO_NAMES = ("model", "model_optimized", "model_quantized", "model_fp16", "best", "last")
PREPARATION = "preprocessor_config.json"
DETECTOR_FOLDERS = ("ultralytics", "adetailer", "bbox", "segm")

Known = Mapping[Path, tuple[str, ClassifierFile | SkippedFile]]  # with the stamp that it had


def find_classifiers(folders: Iterable[Path], known: Known | None = None) -> Iterator[ClassifierFile | SkippedFile]:
    """What is in `folders` (folders, or files given as such). ModelSearchError for a folder that is missing."""
    places = [Path(folder) for folder in folders]
    for place in places:
        if not place.exists():
            raise ModelSearchError(f"{place} does not exist; give a folder of classifiers, or a file")
    return _found(places, known or {})


def stamp_of(path: Path) -> str:
    """Changes when the file does, or what lies beside it and may name its outputs."""
    folder = path if path.is_dir() else path.parent
    beside = [entry for entry in os.scandir(folder) if entry.name.endswith((".json", ".csv", ".txt", ".names"))]
    own = weights_in(path) if path.is_dir() else path
    named = sorted((entry for entry in beside if entry.is_file()), key=lambda entry: entry.name)
    states = [(own or path).stat(), *(entry.stat() for entry in named)]
    facts = [(state.st_size, state.st_mtime_ns) for state in states]
    return blake2b(repr(facts).encode(), digest_size=8).hexdigest()


def _found(places: Iterable[Path], known: Known) -> Iterator[ClassifierFile | SkippedFile]:
    seen: set[Path] = set()
    for place in places:
        for path in [place] if place.is_file() else _walk(place):
            if path not in seen:
                seen.add(path)
                yield _read(path, known)


def _walk(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder, followlinks=False):
        place = Path(here)
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in SKIPPED_FOLDERS)
        if INDEX_NAME in files:
            folders.clear()
            continue
        if CONFIG in files and _is_model_folder(place):
            yield place
        if any(name.lower().endswith(WEIGHTS) for name in files):
            yield from (place / name for name in sorted(files) if is_tensorflow_js(place / name))
        endings = (".onnx", ".pt") if _of_detectors(place) else (".onnx",)
        yield from (place / name for name in sorted(files) if name.lower().endswith(endings) and name[0] != ".")


def _of_detectors(folder: Path) -> bool:
    """Whether a .pt here is a detector; elsewhere it may be an embedding or a checkpoint."""
    return any(part.lower() in DETECTOR_FOLDERS for part in folder.parts)


def _is_model_folder(folder: Path) -> bool:
    config = read_config(folder / CONFIG)
    return weights_in(folder) is not None and (is_timm(config) or is_transformers(config))


def _read(path: Path, known: Known) -> ClassifierFile | SkippedFile:
    stamp = ""
    try:
        stamp = stamp_of(path)
        if path in known and known[path][0] == stamp:
            return known[path][1]
        return read_classifier(path, stamp)
    except UnreadableModelError as error:
        reason = str(error)
    except OSError as error:
        reason = f"the file cannot be read: {error.strerror or error}"
    except Exception as error:  # whatever a file makes the libraries raise, the next one is read
        log.exception("%s", path)
        reason = f"reading it failed ({type(error).__name__}: {str(error)[:200]}); please report this"
    return SkippedFile(path=path, reason=plain_line(reason), stamp=stamp)


def read_classifier(path: Path, stamp: str = "") -> ClassifierFile:
    """The classifier at `path`. UnreadableModelError with the reason, OSError."""
    if path.is_dir():
        return _of_folder(path, stamp)
    open_regular(path).close()
    if is_tensorflow_js(path):
        refuse(path)
    if path.suffix.lower() == ".pt":
        from .pickled import read_pickled

        return read_pickled(path, stamp)
    return _of_onnx(path, stamp)


def _of_folder(folder: Path, stamp: str) -> ClassifierFile:
    config, weights = read_config(folder / CONFIG), weights_in(folder)
    if weights is None:
        raise UnreadableModelError(f"there are no weights beside its {CONFIG}")
    timm = is_timm(config)
    seen = timm_input(config) if timm else transformers_input(config, read_config(folder / PREPARATION))
    return ClassifierFile(
        path=folder,
        kind=Kind.CLASSIFIER,
        form=Form.TIMM if timm else Form.TRANSFORMERS,
        fingerprint=joint_fingerprint([(p.name, _fingerprint(p)) for p in (weights, folder / CONFIG)]),
        size=weights.stat().st_size,
        stamp=stamp,
        title=clean_title(folder.resolve().name),
        labels=labels_of(config),
        task="classify",
        input=seen or Input(mean=(0.5,) * 3, std=(0.5,) * 3),
    )


def _of_onnx(path: Path, stamp: str) -> ClassifierFile:
    found = understood(signature_of(open_session(path)))
    config, folder = _config_near(path)
    return ClassifierFile(
        path=path,
        kind=found.kind,
        form=Form.ONNX,
        fingerprint=_fingerprint(path),
        size=path.stat().st_size,
        stamp=stamp,
        title=clean_title(folder.resolve().name if path.stem.lower() in NO_NAMES else path.stem),
        labels=found.labels or labels_beside(path.parent, path.stem, config),
        task=found.task,
        input=_input_of(path, found, config, folder),
    )


def _config_near(path: Path) -> tuple[Config, Path]:
    """config.json beside the file, or above a folder `onnx`, as exporters leave it; and the model's own folder."""
    folder = path.parent.parent if path.parent.name.lower() == "onnx" else path.parent
    for place in (path.parent, folder):
        config = read_config(place / CONFIG)
        if is_timm(config) or is_transformers(config):
            return config, place
    return {}, folder


def _input_of(path: Path, found: Understood, config: Config, folder: Path) -> Input | None:
    """What is said about pictures; None where nobody says anything."""
    width, height = found.size
    if tags_beside(path.parent, path.stem):
        return tagger_input(width, height, found.layout)
    if found.kind is Kind.DETECTOR and found.labels:
        return detector_input(width, height)
    if is_timm(config):
        return timm_input(config).but(layout=found.layout)
    taken = transformers_input(config, read_config(folder / PREPARATION))
    return taken.but(layout=found.layout) if taken else None


def _fingerprint(path: Path) -> str:
    with open_regular(path) as file:
        return file_fingerprint(file)
