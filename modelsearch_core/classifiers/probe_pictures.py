"""The pictures that every classifier is asked: fixed, in an order that counts, kept in a folder beside the catalog.

Default: what base models made of the default prompts, the bundled subjects, and the user's own pictures; thinned by
k-centre in the encoder's space. Kept as large as detectors need them, which a catalog's thumbnails are not.
"""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..catalog import Catalog
from ..embedding import Encoder, Features
from ..encoders.preparation import rgb
from ..errors import ModelSearchError
from ..indexing.large_pictures import BASES, QUALITY, SIDE, folder_of, large_pictures, reduced
from ..indexing.progress import Progress, Step
from ..model_files.opening import open_regular
from ..pictures import walk
from ..raster import open_raster
from ..reference_set import BUNDLED, ENDINGS, read_subjects
from ..specification import Evidence

MOST = 4000
SETTING = "classifier_probes"  # of a catalog: the digest of the set in use
STAGE = "probes"
BATCH = 32


@dataclass(frozen=True, kw_only=True)
class ProbePictures:
    """n pictures in their order."""

    folder: Path
    digest: str
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.sources)

    def picture(self, number: int) -> Image.Image:
        """ModelSearchError where the folder lost it."""
        try:
            with Image.open(self.folder / file_name(number)) as image:
                return image.convert("RGB")
        except OSError as error:
            raise ModelSearchError(
                f"probe picture {number} is missing from {self.folder} ({error}); "
                "run `modelsearch index FOLDER --kind classifier --refresh` to choose them anew"
            ) from error


def file_name(number: int) -> str:
    return f"{number:05}.webp"


def probes_in_use(catalog: Catalog) -> ProbePictures | None:
    """The set that this catalog's classifiers were asked; None before the first."""
    digest = catalog.setting(SETTING)
    sources = catalog.classifiers.probes(digest) if digest else None
    if digest is None or sources is None:
        return None
    return ProbePictures(folder=folder_of(catalog.beside) / digest, digest=digest, sources=tuple(sources))


def choose_probes(
    catalog: Catalog,
    encoder: Encoder,
    own: Path | None,
    progress: Progress,
    most: int = MOST,
    *,
    beside: Sequence[Path] = (),
) -> ProbePictures:
    """A new set, kept in its folder and named in the catalog: the pictures of `own`, or the default with those in the
    folders `beside`. ModelSearchError where there is none."""
    work = folder_of(catalog.beside) / f"making-{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        sources, features = _keep(
            _pictures_of(own) if own else _default(catalog, beside, most), work, encoder, progress
        )
        chosen = sorted(k_centre(features, most)) if len(sources) > most else list(range(len(sources)))
        digest = _arranged(work, chosen)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    folder = folder_of(catalog.beside) / digest
    shutil.rmtree(folder, ignore_errors=True)
    work.rename(folder)
    found = ProbePictures(folder=folder, digest=digest, sources=tuple(sources[i] for i in chosen))
    with catalog.transaction():
        catalog.classifiers.put_probes(digest, found.sources)
        catalog.classifiers.put_probe_features(digest, encoder.name, features[chosen])
        catalog.put_setting(SETTING, digest)
    return found


def probe_features(catalog: Catalog, probes: ProbePictures, encoder: Encoder) -> Features:
    """(n, D) of the encoder; computed once."""
    known = catalog.classifiers.probe_features(probes.digest, encoder.name, len(probes))
    if known is None:
        parts = [
            encoder.encode_images([probes.picture(i) for i in range(start, min(len(probes), start + BATCH))])
            for start in range(0, len(probes), BATCH)
        ]
        known = np.concatenate(parts).astype(np.float16)
        catalog.classifiers.put_probe_features(probes.digest, encoder.name, known)
    return known


def k_centre(features: Features, count: int) -> list[int]:
    """`count` rows, each the farthest from those before it (Gonzalez 1985); the first is the farthest from the mean."""
    rows = np.asarray(features, np.float32)
    nearest = rows @ rows.mean(axis=0)
    chosen = [int(nearest.argmin())]
    nearest = rows @ rows[chosen[0]]
    while len(chosen) < min(count, len(rows)):
        nearest[chosen[-1]] = np.inf
        chosen.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, rows @ rows[chosen[-1]])
    return chosen


def _default(catalog: Catalog, beside: Sequence[Path], most: int) -> Iterator[tuple[str, Image.Image]]:
    yield from _generated(catalog)
    for name, image in read_subjects(BUNDLED).items():
        yield f"subject {name}", image
    yield from _of_user(beside, most)


def _generated(catalog: Catalog) -> Iterator[tuple[str, Image.Image]]:
    """What base models made of the default prompts; as large as it was, where that was kept."""
    bases = {model.fingerprint: model.title for model in catalog.models() if model.kind in BASES}
    for encoder, _, _ in catalog.encoders()[:1]:
        for fingerprint, digest, evidence, _ in catalog.specification_keys(encoder):
            if evidence is not Evidence.GENERATED or fingerprint not in bases:
                continue
            large = large_pictures(catalog, fingerprint, digest)
            for number, image in catalog.sample_images(fingerprint, digest).items():
                source = f"{bases[fingerprint]} #{number}"
                yield source, _opened(large[number]) or image if number in large else image


def _of_user(folders: Sequence[Path], most: int) -> Iterator[tuple[str, Image.Image]]:
    """At most `most` of what lies below folders, spread evenly over paths; what cannot be read is left out."""
    paths = sorted({found.path for folder in folders for found in walk().below(str(folder))})
    step = max(1.0, len(paths) / most)
    for number in range(min(len(paths), most)):
        path = paths[int(number * step)]
        if (picture := _opened(Path(path))) is not None:
            yield path, picture


def _pictures_of(folder: Path) -> Iterator[tuple[str, Image.Image]]:
    """Those that can be read, in the order of their names."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS) if folder.is_dir() else []
    readable = 0
    for path in files:
        if (picture := _opened(path)) is not None:
            readable += 1
            yield path.relative_to(folder).as_posix(), picture
    if not readable:
        raise ModelSearchError(f"{folder} has no picture that can be read ({', '.join(ENDINGS)}) to probe with")


def _opened(path: Path) -> Image.Image | None:
    """None where it cannot be read."""
    try:
        with open_regular(path) as file:
            return open_raster(file, SIDE)
    except (ModelSearchError, OSError):
        return None


def _keep(
    pictures: Iterator[tuple[str, Image.Image]], folder: Path, encoder: Encoder, progress: Progress
) -> tuple[list[str], Features]:
    """Writes them as they will be seen, and encodes what was written."""
    sources: list[str] = []
    waiting: list[Image.Image] = []
    parts: list[Features] = []
    for source, image in pictures:
        content = _webp(image)
        (folder / file_name(len(sources))).write_bytes(content)
        waiting.append(_read(content))
        sources.append(source)
        if len(waiting) == BATCH:
            parts.append(encoder.encode_images(waiting))
            waiting = []
            progress(Step(stage=STAGE, done=len(sources), total=None, images=BATCH))
    parts += [encoder.encode_images(waiting)] if waiting else []
    return sources, np.concatenate(parts)


def _read(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as written:
        return written.convert("RGB")


def _webp(image: Image.Image) -> bytes:
    image = reduced(rgb(image))
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=QUALITY, lossless=max(image.size) <= 64)
    return buffer.getvalue()


def _arranged(folder: Path, chosen: Sequence[int]) -> str:
    """Only the chosen stay, numbered in their order; their digest."""
    digest = blake2b(digest_size=8)
    wanted = set(chosen)
    for number in range(len(list(folder.iterdir()))):
        if number not in wanted:
            (folder / file_name(number)).unlink()
    for place, number in enumerate(chosen):
        path = (folder / file_name(number)).replace(folder / file_name(place))
        digest.update(path.read_bytes())
    return digest.hexdigest()


def standardised_cosines(features: NDArray[np.floating], concepts: Features) -> NDArray[np.float32]:
    """z of φ_text: (n, D) probes and (C, D) concepts → (C, n)."""
    from ..scores.logits import standardised

    cosines = np.asarray(concepts, np.float32) @ np.asarray(features, np.float32).T
    return standardised(cosines).astype(np.float32)
