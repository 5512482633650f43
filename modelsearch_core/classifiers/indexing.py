"""Folders of classifiers into a catalog: found, asked all probes, described; a transaction for each model."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..catalog import Catalog
from ..catalog.classifiers import Descriptor, FileRow, Hubs
from ..embedding import Encoder, Features
from ..errors import ModelSearchError
from ..indexing.progress import Progress, Step, silent
from ..model_files import Kind, SkippedFile
from ..pictures import FOLDERS
from ..places import expanded
from ..scores.logits import R, Top, hubness, hubness_without_itself, most_exciting, truncated_distance
from .concepts import background_features
from .files import ClassifierFile, from_json, to_json
from .finding import find_classifiers
from .opening import Responding, open_classifier
from .probe_pictures import ProbePictures, choose_probes, probe_features, probes_in_use, standardised_cosines
from .probing import probe
from .ultralytics_files import LoadTrusted

KINDS = (Kind.CLASSIFIER, Kind.DETECTOR)
FEW = 500  # probes below which answers are coarse
STAGE = "classifiers"

log = logging.getLogger(__name__)
Open = Callable[[ClassifierFile], Responding]


@dataclass(frozen=True, kw_only=True)
class ProbeSettings:
    """`probes`: a folder of pictures in place of the default ones; `pictures`: folders of the user's own, in which some
    of the default ones are chosen (None: those that the index looks at); `refresh` chooses again and asks all again."""

    probes: Path | None = None
    pictures: Sequence[Path] | None = None
    refresh: bool = False
    kinds: Collection[Kind] = KINDS
    device: str = "auto"


@dataclass(kw_only=True)
class ClassifierReport:
    """What one run did, by path."""

    models: int = 0
    probed: list[Path] = field(default_factory=list[Path])
    outputs: int = 0
    unchanged: int = 0
    named_only: list[Path] = field(default_factory=list[Path])  # known by their labels alone
    notes: dict[Path, str] = field(default_factory=dict[Path, str])
    failed: dict[Path, str] = field(default_factory=dict[Path, str])
    skipped: list[SkippedFile] = field(default_factory=list[SkippedFile])
    removed: int = 0
    probes: int = 0


def index_classifiers(
    catalog: Catalog,
    folders: Sequence[Path],
    encoder: Encoder,
    encoder_source: str,
    settings: ProbeSettings | None = None,
    progress: Progress = silent,
    trusted: LoadTrusted | None = None,
) -> ClassifierReport:
    """`trusted` loads pickled modules where a host lends that, which runs what is in them; without, their class names
    are read and nothing else. ModelSearchError for a folder that is missing."""
    settings = settings or ProbeSettings()
    report = ClassifierReport()
    files = _scan(catalog, folders, settings, report, progress)
    if all(name != encoder.name for name, _, _ in catalog.encoders()):
        catalog.put_encoder(encoder.name, encoder_source, encoder.dimension)
    probes = _probes(catalog, encoder, settings, progress) if files else None
    if probes is None:
        return report
    report.probes = len(probes)
    known = catalog.classifiers.known(probes.digest)

    def opener(file: ClassifierFile) -> Responding:
        return open_classifier(file, settings.device, trusted)

    for done, file in enumerate(files):
        progress(Step(stage=STAGE, done=done, total=len(files), model=file.title))
        failure = None
        if file.fingerprint in known:
            report.unchanged += 1
        elif not file.readable and trusted is None:
            report.named_only.append(file.path)
        else:
            failure = _probe_one(catalog, file, opener, probes, report, progress, (done, len(files)))
        progress(Step(stage=STAGE, done=done + 1, total=len(files), model=file.title, failure=failure))
    store_hubs(catalog, probes, encoder)
    return report


def store_hubs(catalog: Catalog, probes: ProbePictures, encoder: Encoder) -> None:
    """How near background concepts are, for the models of which that is not known yet."""
    have = catalog.classifiers.hubs(probes.digest, encoder.name)
    missing = [d for d in catalog.classifiers.descriptors(probes.digest) if d.fingerprint not in have]
    if not missing:
        return
    z = background_z(catalog, probes, encoder, keep=True)
    for descriptor in missing:
        hubs = hubs_of(descriptor.top, z)
        catalog.classifiers.put_hubs(probes.digest, encoder.name, {descriptor.fingerprint: hubs})


def background_z(catalog: Catalog, probes: ProbePictures, encoder: Encoder, *, keep: bool) -> Features:
    """(B, n) of the background concepts."""
    features = probe_features(catalog, probes, encoder)
    return standardised_cosines(features, background_features(catalog, encoder, keep=keep))


def hubs_of(top: Top, z_background: Features) -> Hubs:
    distance = truncated_distance(top, z_background)
    alive = np.asarray(top.deviation) > 0
    best = (distance - hubness_without_itself(distance))[:, alive].min(axis=1, initial=np.inf)
    return Hubs(hubs=hubness(distance).astype(np.float32), best=best.astype(np.float32))


def _scan(
    catalog: Catalog,
    folders: Sequence[Path],
    settings: ProbeSettings,
    report: ClassifierReport,
    progress: Progress,
) -> list[ClassifierFile]:
    places = [expanded(folder).absolute() for folder in folders]
    rows = catalog.classifiers.files()
    known = {row.path: (row.stamp, from_json(row.record)) for row in rows}
    failures = {row.fingerprint: row.failure for row in rows if row.fingerprint}
    found: list[ClassifierFile | SkippedFile] = []
    for done, file in enumerate(find_classifiers(places, known)):
        found.append(file)
        progress(Step(stage="scan", done=done + 1, total=None, model=file.path.name))
    gone = [row.path for row in rows if _inside(row.path, places) and row.path not in {file.path for file in found}]
    with catalog.transaction():
        catalog.classifiers.remove_files(gone)
        catalog.classifiers.put_files(_row(file, failures) for file in found)
    report.removed = len(gone)
    report.skipped = [file for file in found if isinstance(file, SkippedFile)]
    models = [f for f in found if isinstance(f, ClassifierFile) and f.kind in settings.kinds]
    report.models = len(models)
    return list({file.fingerprint: file for file in reversed(models)}.values())[::-1]


def _probes(catalog: Catalog, encoder: Encoder, settings: ProbeSettings, progress: Progress) -> ProbePictures:
    known = probes_in_use(catalog)
    if known is not None and settings.probes is None and not settings.refresh:
        return known
    pictures = settings.pictures
    if pictures is None:
        pictures = [Path(folder) for folder in json.loads(catalog.setting(FOLDERS) or "[]")]
    return choose_probes(catalog, encoder, settings.probes, progress, beside=pictures)


def _probe_one(
    catalog: Catalog,
    file: ClassifierFile,
    opener: Open,
    probes: ProbePictures,
    report: ClassifierReport,
    progress: Progress,
    place: tuple[int, int],
) -> str | None:
    """Why it failed, or None; what a broken file raises does not stop the others."""
    try:
        descriptor = describe(
            file,
            opener(file),
            probes,
            lambda images: progress(Step(stage=STAGE, done=place[0], total=place[1], model=file.title, images=images)),
        )
    except ModelSearchError as error:
        reason = str(error)
    except Exception as error:  # a broken graph can raise anything from inside onnxruntime or torch
        log.exception("%s could not be probed", file.path)
        reason = f"{type(error).__name__}: {error}"
    else:
        with catalog.transaction():
            catalog.classifiers.put(descriptor)
            catalog.classifiers.put_failure(file.fingerprint, None)
        report.probed.append(file.path)
        report.outputs += len(descriptor.outputs)
        if descriptor.note:
            report.notes[file.path] = descriptor.note
        return None
    catalog.classifiers.put_failure(file.fingerprint, reason)
    report.failed[file.path] = reason
    return reason


def describe(
    file: ClassifierFile, opened: Responding, probes: ProbePictures, done: Callable[[int], None]
) -> Descriptor:
    """Asks a classifier all probes. One of a single output is described turned round as well: what it rates low."""
    responses = probe(file, opened, probes.picture, len(probes), done)
    phi, signs = responses.phi, np.ones(len(responses.phi), np.int8)
    outputs = np.arange(len(phi), dtype=np.int32)
    if len(phi) == 1:
        phi, signs, outputs = np.concatenate([phi, -phi]), np.array([1, -1], np.int8), np.zeros(2, np.int32)
    return Descriptor(
        fingerprint=file.fingerprint,
        digest=probes.digest,
        unit=responses.unit.value,
        note=responses.note,
        outputs=outputs,
        signs=signs,
        top=most_exciting(phi, kept_of(len(probes))),
    )


def kept_of(n: int) -> int:
    """r for n probes: the paper's 50 of 4,000, and not more than a quarter where there are few."""
    return max(1, min(R, n // 4))


def _row(file: ClassifierFile | SkippedFile, failures: dict[str, str | None]) -> FileRow:
    if isinstance(file, SkippedFile):
        return FileRow(path=file.path, fingerprint=None, kind=None, stamp=file.stamp, record=to_json(file))
    return FileRow(
        path=file.path,
        fingerprint=file.fingerprint,
        kind=file.kind.value,
        stamp=file.stamp,
        record=to_json(file),
        failure=failures.get(file.fingerprint),
    )


def _inside(path: Path, folders: Sequence[Path]) -> bool:
    return any(path == folder or folder in path.parents for folder in folders)
