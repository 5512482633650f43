"""What a driver sends to workers and what they send back; plain data, whatever carries it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path, PurePath

from .. import __version__
from ..catalog.parcels import Parcel
from ..errors import ModelSearchError
from ..generators import GeneratorSettings
from ..indexing import IndexSettings
from ..model_files import ModelFile
from ..places import expanded
from ..probes import Probe
from ..reference_set import ReferenceSet

PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is the same for all models of a run."""

    encoder_source: str
    encoder: str  # its name
    dimension: int
    probes: tuple[Probe, ...]
    settings: IndexSettings
    generation: GeneratorSettings
    candidates: tuple[ModelFile, ...]  # at their places on the workers
    references: ReferenceSet | None = None  # whose drawings are asked, in place of prompts


@dataclass(frozen=True, kw_only=True)
class Task:
    """One model, with what is known of it and of its base. `digest` is what the driver has planned to ask."""

    model: ModelFile
    base: ModelFile | None
    digest: str
    known: Parcel


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it. `error` in words, `images` that were made."""

    parcel: Parcel = field(default_factory=dict)
    images: int = 0
    strength: float | None = None
    error: str | None = None


@dataclass(frozen=True)
class Description:
    """What a worker is. `device`: cuda, mps, cpu."""

    host: str
    program: str
    device: str


@cache
def program() -> str:
    """The version, and a digest of the program's text: two machines with equal ones do the same."""
    text = hashlib.blake2b(digest_size=6)
    for file in sorted(PACKAGE.rglob("*.py")):
        text.update(file.relative_to(PACKAGE).as_posix().encode() + file.read_bytes())
    return f"{__version__} ({text.hexdigest()})"


def check_program(worker: Description) -> None:
    """ModelSearchError where a worker has another version."""
    if worker.program != program():
        raise ModelSearchError(
            f"the worker {worker.host} has Model Search {worker.program}, this machine {program()}; install the same "
            "on both, and start the worker again"
        )


class PathMap:
    """Where workers see what lies here: the longest prefix that fits is replaced."""

    def __init__(self, prefixes: Mapping[Path, PurePath]) -> None:
        self._prefixes = sorted(prefixes.items(), key=lambda pair: -len(pair[0].parts))

    @classmethod
    def of(cls, words: Sequence[str]) -> PathMap:
        """Of `HERE=THERE`, as a command line has them."""
        pairs = [word.partition("=") for word in words]
        for word, (here, _, there) in zip(words, pairs, strict=True):
            if not here or not there:
                raise ModelSearchError(f"--map {word} must say where a folder is here and on the workers: HERE=THERE")
        return cls({expanded(here).absolute(): PurePath(there) for here, _, there in pairs})

    def __call__(self, path: Path) -> Path:
        for here, there in self._prefixes:
            if path == here or here in path.parents:
                return Path(there / path.relative_to(here))
        return path

    def model(self, model: ModelFile) -> ModelFile:
        return replace(model, path=self(model.path), base=self(model.base) if model.base else None)

    def generation(self, settings: GeneratorSettings) -> GeneratorSettings:
        base = self(expanded(settings.base).absolute()) if settings.base else None
        return replace(settings, base=base, decoders=tuple(self(each.absolute()) for each in settings.decoders))

    def source(self, source: str) -> str:
        """Of an encoder, where that is a folder."""
        return str(self(Path(source).absolute())) if Path(source).exists() else source
