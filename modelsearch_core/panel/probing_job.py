"""Asking classifiers and detectors from the panel: in a thread of its own, through a connection of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..catalog import Catalog
from ..classifiers import ClassifierReport, ProbeSettings, index_classifiers
from ..classifiers.ultralytics_files import LoadTrusted
from ..embedding import Encoder
from ..encoders import DEFAULT_ENCODER
from ..errors import ModelSearchError
from ..indexing.progress import Step
from ..places import Place
from .refusals import RefusedError

log = logging.getLogger(__name__)


class ProbingJob:
    """Runs once at a time, and keeps what the last run said."""

    def __init__(
        self,
        catalog_path: Place,
        open_encoder: Callable[[str], Encoder],
        folders: Callable[[], Sequence[Path]],
        trusted: Callable[[], LoadTrusted | None] = lambda: None,
    ) -> None:
        """`folders`: where the host keeps classifiers; `trusted`: what loads pickled ones, where it lends that."""
        self._path, self._open_encoder = catalog_path, open_encoder
        self._folders, self._trusted = folders, trusted
        self._lock = threading.Lock()
        self._state: dict[str, Any] = {"state": "idle"}

    def folders(self) -> Sequence[Path]:
        return self._folders()

    def state(self) -> dict[str, Any]:
        """`state` is idle, running (`stage`, `done` of `total`, `model`), done (`report`) or failed (`message`)."""
        with self._lock:
            return {**self._state, "folders": [str(folder) for folder in self._folders()]}

    def start(self) -> None:
        """RefusedError: 409 while one runs, 400 where the host has no folder of classifiers."""
        folders = self._folders()
        if not folders:
            raise RefusedError(400, "there is no folder of detectors or classifiers; give one to `modelsearch index`")
        with self._lock:
            if self._state["state"] == "running":
                raise RefusedError(409, "classifiers are being asked already")
            self._state = {"state": "running", "stage": "scan", "done": 0, "total": None, "model": ""}
        threading.Thread(target=self._run, args=(folders,), name="modelsearch-classifiers", daemon=True).start()

    def _run(self, folders: Sequence[Path]) -> None:
        try:
            self._set(state="done", report=_to_json(self._indexed(folders)))
        except ModelSearchError as error:
            self._set(state="failed", message=str(error))
        except Exception as error:  # a bug must reach the user as a message, and the log as a trace
            log.exception("asking classifiers into %s", self._path)
            self._set(state="failed", message=f"{type(error).__name__}: {error}")

    def _indexed(self, folders: Sequence[Path]) -> ClassifierReport:
        with Catalog(self._path) as catalog:
            known = catalog.encoders()
            source = known[0][1] if known else DEFAULT_ENCODER
            encoder = self._open_encoder(source)
            trusted = self._trusted()
            return index_classifiers(catalog, folders, encoder, source, ProbeSettings(), self._on_step, trusted)

    def _on_step(self, step: Step) -> None:
        self._set(state="running", stage=step.stage, done=step.done, total=step.total, model=step.model)

    def _set(self, **state: Any) -> None:
        with self._lock:
            self._state = state


def _to_json(report: ClassifierReport) -> dict[str, Any]:
    return {
        "models": report.models,
        "probed": len(report.probed),
        "outputs": report.outputs,
        "probes": report.probes,
        "failed": {str(path): reason for path, reason in report.failed.items()},
    }
