"""What a host lends to the panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from ..classifiers.ultralytics_files import LoadTrusted
from ..embedding import Encoder


class State(str, Enum):
    """Where an index run stands."""

    IDLE = "idle"  # never started
    RUNNING = "running"
    WAITING = "waiting"  # for the host's own work to end; goes on by itself
    PAUSED = "paused"
    CANCELLING = "cancelling"  # the picture in progress is still finished
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"  # as a whole; `message` says why

    @property
    def active(self) -> bool:
        return self in (State.RUNNING, State.WAITING, State.PAUSED, State.CANCELLING)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A moment of an index run, or its end. `failures` counts this run's."""

    state: State = State.IDLE
    stage: str = ""  # start, scan, words, previews, pictures, looks, generate, references
    done: int = 0
    total: int | None = None
    model: str = ""
    images: int = 0
    failures: int = 0
    seconds: float = 0.0  # since the start, without pauses
    left: float | None = None  # seconds, as far as can be told
    message: str = ""
    run: int = 0  # which one of this process

    @property
    def ended(self) -> int:
        """Runs of this process that have ended."""
        return self.run - self.state.active

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "state": self.state.value, "active": self.state.active}


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to index. Empty `paths`: all the host's folders; else these folders or model files only."""

    paths: Sequence[Path] = ()
    quick: bool = False  # words and previews only
    samples: int | None = None  # pictures a model; None: as many as it takes
    refresh: bool = False  # again, where settings have changed
    style: bool = False  # LoRA paint drawings too, for search by style
    pictures: bool | None = None  # look at those that the user has made; None: as the last time, False: forget them
    download: bool = False  # the encoder, where it is nowhere on disk, though the order is `quick`


class Indexer(Protocol):
    """Runs indexing; every method returns at once."""

    @property
    def paints_drawings(self) -> bool:
        """Whether an order may ask for `style`."""
        ...

    def progress(self) -> Progress: ...

    def start(self, order: Order) -> None:
        """ModelSearchError when it cannot start, or is running already."""
        ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def cancel(self) -> None: ...


@dataclass(frozen=True)
class Folder:
    """A folder that is indexed. `label`: what the host calls it (loras, checkpoints, ...)."""

    path: Path
    label: str = ""


class Host(Protocol):
    """Who shows the panel."""

    @property
    def name(self) -> str:
        """serve, comfyui, webui."""
        ...

    @property
    def indexer(self) -> Indexer: ...

    def folders(self) -> Sequence[Folder]: ...

    def picture_folders(self) -> Sequence[Path]:
        """Where pictures lie that the user has made with the host, for an order that asks for `pictures`."""
        ...

    def classifier_folders(self) -> Sequence[Path]:
        """Where detectors, taggers and classifiers lie."""
        ...

    def trusted_pickles(self) -> LoadTrusted | None:
        """What loads pickled detectors (`classifiers.ultralytics_files`), where the host trusts the files."""
        ...

    @property
    def may_change_folders(self) -> bool:
        """False where the host's own settings say where models lie."""
        ...

    def change_folders(self, folders: Sequence[Path]) -> None:
        """ModelSearchError for a folder that is not there. Not called unless `may_change_folders`."""
        ...

    def encoder(self, source: str) -> Encoder:
        """The encoder of that source, opened once and kept."""
        ...

    def listed(self, path: Path, kind: str) -> Mapping[str, Any]:
        """What the host calls this model; goes with each match to the browser as `listed`. `name` (as its loaders list
        it) and `tag` (what stands in `<lora:tag:weight>`) are used by the panel, which adds `halves` (names for `high`
        and `low` noise) to a model of two files; empty where it does not know it."""
        ...
