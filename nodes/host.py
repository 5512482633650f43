"""What ComfyUI lends to the panel and to the nodes; one of each for the whole server."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ..modelsearch_core.classifiers.ultralytics_files import LoadTrusted
from ..modelsearch_core.embedding import Encoder
from ..modelsearch_core.errors import ModelSearchError
from ..modelsearch_core.panel import Folder, Panel
from . import places, probing_places, requirements, settings
from .job import QueueIndexer


class ComfyHost:
    """Searches encode on the processor: they need milliseconds there, and no memory of the card's."""

    name = "comfyui"
    may_change_folders = False

    def __init__(self) -> None:
        self._encoders: dict[str, Encoder] = {}
        self._lock = threading.Lock()
        self.indexer = QueueIndexer(self.encoder)

    def folders(self) -> Sequence[Folder]:
        return [Folder(path, label) for path, label in places.model_folders().items()]

    def classifier_folders(self) -> Sequence[Path]:
        return [folder for kind in probing_places.PLACES for folder in probing_places.roots(kind)]

    def trusted_pickles(self) -> LoadTrusted | None:
        return probing_places.loader_of_detectors()

    def picture_folders(self) -> Sequence[Path]:
        return places.picture_folders()

    def change_folders(self, folders: Sequence[Path]) -> None:
        raise ModelSearchError("the folders are those of ComfyUI; change extra_model_paths.yaml")

    def encoder(self, source: str, *, may_download: bool = False) -> Encoder:
        """ModelSearchError with the command to run where packages are missing."""
        with self._lock:
            if source not in self._encoders:
                self._encoders[source] = self._opened(source, may_download)
            return self._encoders[source]

    def _opened(self, source: str, may_download: bool) -> Encoder:
        from ..modelsearch_core.encoders import open_encoder

        try:
            return open_encoder(  # brings open_clip along
                source,
                device="cpu",
                folders=places.weights_folders(),
                may_download=may_download,
                progress=self.indexer.downloading,
            )
        except ImportError as error:
            lacking = requirements.missing() or [error.name or str(error)]
            raise ModelSearchError(requirements.how_to_install(lacking)) from error

    def listed(self, path: Path, kind: str) -> Mapping[str, Any]:
        """The name for a loader, and what stands in `<lora:…>`, where ComfyUI lists the file."""
        if kind in probing_places.PLACES:
            known = probing_places.name_of(path, kind)
            return {} if known is None else {"name": known}
        name = places.listed_now(kind).get(path) if kind in places.FOLDERS else None
        if name is None:
            return {}
        return {"name": name, "tag": name.rsplit(".", 1)[0]} if kind == "lora" else {"name": name}


@cache
def host() -> ComfyHost:
    return ComfyHost()


@cache
def panel() -> Panel:
    return Panel(places.catalog_path(), host(), lambda: settings.load().search_server)
