"""What the panel's index view asks of the host's indexer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..places import expanded
from .host import Host, Order
from .refusals import RefusedError

MOST_FOLDERS = 100


class Indexing:
    """Starts, holds and ends index runs, and says how they stand."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._actions: dict[str, Callable[[Mapping[str, Any], Sequence[Path]], None]] = {
            "start": self._start,
            "retry": self._start,
            "pause": lambda _, __: host.indexer.pause(),
            "resume": lambda _, __: host.indexer.resume(),
            "cancel": lambda _, __: host.indexer.cancel(),
            "folders": self._change_folders,
        }

    def state(self) -> dict[str, Any]:
        folders = [{"path": str(f.path), "label": f.label, "there": f.path.exists()} for f in self._host.folders()]
        indexer = self._host.indexer
        return {
            "progress": indexer.progress().to_json(),
            "folders": folders,
            "paints_drawings": indexer.paints_drawings,
            "picture_folders": [str(folder) for folder in self._host.picture_folders()],
        }

    def change(self, body: Mapping[str, Any], only: Sequence[Path]) -> None:
        """`only`: the models to retry; all that failed without it."""
        action = body.get("action")
        if not isinstance(action, str) or action not in self._actions:
            raise RefusedError(400, f"action must be one of {', '.join(self._actions)}, not {action!r}"[:300])
        self._actions[action](body, only)

    def _start(self, body: Mapping[str, Any], only: Sequence[Path]) -> None:
        samples = body.get("samples")
        if samples is not None and (type(samples) is not int or not 1 <= samples <= 1024):
            raise RefusedError(400, f"samples must be a number from 1 to 1024, not {samples!r}"[:200])
        if not only and not self._host.folders():
            raise RefusedError(409, "no folder to index yet; add one first")
        quick, refresh, style, download = (body.get(name) is True for name in ("quick", "refresh", "style", "download"))
        if style and not self._host.indexer.paints_drawings:
            raise RefusedError(400, "this host's models take prompts only; run `modelsearch index FOLDER --style`")
        pictures = body.get("pictures")
        if pictures is not None and type(pictures) is not bool:
            raise RefusedError(400, f"pictures must be true or false, not {pictures!r}"[:200])
        order = Order(
            paths=only,
            quick=quick,
            samples=samples,
            refresh=refresh,
            style=style,
            pictures=pictures,
            download=download,
        )
        self._host.indexer.start(order)

    def _change_folders(self, body: Mapping[str, Any], _: Sequence[Path]) -> None:
        if not self._host.may_change_folders:
            raise RefusedError(403, "the folders are those of the host's own settings")
        folders = body.get("folders")
        if not isinstance(folders, list) or not all(isinstance(folder, str) and folder for folder in folders):
            raise RefusedError(400, f"folders must be a list of paths, not {folders!r}"[:300])
        if len(folders) > MOST_FOLDERS:
            raise RefusedError(413, f"{len(folders)} folders are too many; {MOST_FOLDERS} at most")
        try:
            places = [expanded(folder.strip().strip('"')) for folder in folders]
            for place in places:
                place.exists()  # raises for what can be no path at all
        except (ValueError, OSError) as error:
            raise RefusedError(400, f"{str(folders)[:200]} cannot all be paths: {error}") from error
        self._host.change_folders(places)
