"""What this WebUI lends to the panel."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelsearch_core.classifiers.ultralytics_files import LoadTrusted, load_trusted
from modelsearch_core.embedding import Encoder
from modelsearch_core.encoders import open_encoder
from modelsearch_core.errors import ModelSearchError
from modelsearch_core.panel import Folder, Indexer

from . import places, settings
from .indexing import WebUIIndexer


class WebUIHost:
    """A `panel.Host`. The encoder stays on the processor: the graphics card's memory is the user's pictures'."""

    name = "webui"
    may_change_folders = False

    def __init__(self, catalog_path: Path) -> None:
        self.indexer: WebUIIndexer = WebUIIndexer(catalog_path, self.encoder)
        self._encoders: dict[str, Encoder] = {}
        self._lock = threading.Lock()

    def folders(self) -> Sequence[Folder]:
        return places.folders()

    def classifier_folders(self) -> Sequence[Path]:
        return places.classifier_folders()

    def trusted_pickles(self) -> LoadTrusted | None:
        return load_trusted if settings.value("trust_pickled") else None

    def picture_folders(self) -> Sequence[Path]:
        return places.picture_folders()

    def change_folders(self, folders: Sequence[Path]) -> None:
        raise ModelSearchError("the folders are those of the WebUI's own settings")

    def encoder(self, source: str, *, may_download: bool = True) -> Encoder:
        with self._lock:
            if source not in self._encoders:
                folders = places.weights_folders()
                self._encoders[source] = open_encoder(source, device="cpu", folders=folders, may_download=may_download)
            return self._encoders[source]

    def listed(self, path: Path, kind: str) -> Mapping[str, Any]:
        return places.listed(path, kind)

    def stop(self, seconds: float) -> None:
        """Ends an index run at its next step, without forgetting that it was wanted."""
        self.indexer.stop(seconds)


_: type[Indexer] = WebUIIndexer
