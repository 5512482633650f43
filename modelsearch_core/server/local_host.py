"""The host of `modelsearch serve`: folders that the user names, generation by diffusers in a thread."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..catalog import Catalog
from ..catalog.opening import is_there
from ..embedding import Encoder
from ..errors import ModelSearchError
from ..indexing import Engine
from ..panel import Folder, Indexer, IndexJob
from ..pictures import FOLDERS as PICTURE_FOLDERS
from ..places import Place, expanded

FOLDERS = "folders"  # the catalog's setting

EngineWith = Callable[[Catalog, Callable[[str], Encoder], bool], Engine]  # True: with drawings to ask LoRA with


class LocalHost:
    """`engine` makes what generates and encodes, with the encoder that searches use too."""

    name = "serve"

    def __init__(
        self,
        catalog_path: Place,
        engine: EngineWith,
        open_encoder: Callable[[str], Encoder],
        folders: Sequence[Path] = (),
        *,
        may_change_folders: bool = True,
        pictures: Sequence[Path] = (),
    ) -> None:
        self.may_change_folders = may_change_folders
        self._catalog_path = catalog_path
        self._open_encoder = open_encoder
        self._encoders: dict[str, Encoder] = {}
        self._lock = threading.Lock()
        self._folders = [expanded(folder).absolute() for folder in folders] or self._remembered(FOLDERS)
        chosen = [expanded(folder).absolute() for folder in pictures]
        self._pictures = chosen or self._remembered(PICTURE_FOLDERS)
        self._job = IndexJob(
            catalog_path,
            lambda catalog, order: engine(catalog, self.encoder, order.style),
            lambda: self._folders,
            paints_drawings=True,
            pictures=self.picture_folders,
        )

    @property
    def indexer(self) -> Indexer:
        return self._job

    def stop(self, timeout: float) -> None:
        """Ends an index run at its next step; what was finished is stored."""
        self._job.cancel()
        self._job.join(timeout)

    def folders(self) -> Sequence[Folder]:
        return [Folder(folder) for folder in self._folders]

    def classifier_folders(self) -> Sequence[Path]:
        return self._folders

    def trusted_pickles(self) -> None:
        """A page in a browser runs no files; the command line does, where it is told to."""

    def picture_folders(self) -> Sequence[Path]:
        return self._pictures

    def change_folders(self, folders: Sequence[Path]) -> None:
        missing = [str(folder) for folder in folders if not folder.exists()]
        if missing:
            raise ModelSearchError(f"{', '.join(missing)} does not exist; give a folder of models on this machine")
        self._folders = list(dict.fromkeys(folder.absolute() for folder in folders))
        with Catalog(self._catalog_path) as catalog:
            catalog.put_setting(FOLDERS, json.dumps([str(folder) for folder in self._folders]))

    def encoder(self, source: str) -> Encoder:
        with self._lock:
            if source not in self._encoders:
                self._encoders[source] = self._open_encoder(source)
            return self._encoders[source]

    def listed(self, path: Path, kind: str) -> Mapping[str, Any]:
        """`<lora:…>` takes the file's name without its ending."""
        return {"tag": path.stem} if kind == "lora" else {}

    def _remembered(self, setting: str) -> list[Path]:
        if not is_there(self._catalog_path):
            return []
        with Catalog(self._catalog_path, read_only=True) as catalog:
            return [Path(folder) for folder in json.loads(catalog.setting(setting) or "[]")]
