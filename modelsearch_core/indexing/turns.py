"""A model is looked at again when its turn comes: hours may lie between, and trainers write over their files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from ..catalog import Catalog
from ..errors import ModelSearchError, UnreadableModelError
from ..model_files import ModelFile, read_model_file
from ..model_files.candidates import candidate_at
from ..model_files.weights import weights_state
from .identity import Identifier


class WeightsChangedError(ModelSearchError):
    """A file that was written while its pictures were made."""


class Turns:
    """Holds models to the weights that they had when their turn began. `models` are as they were scanned."""

    def __init__(self, catalog: Catalog, models: Iterable[ModelFile], check: Callable[[], None] = lambda: None) -> None:
        self._catalog = catalog
        self._identifier = Identifier(catalog, models, check)
        self._states: dict[Path, str] = {}

    def look(self, model: ModelFile) -> ModelFile:
        """The model as it is now, read again if it was written meanwhile. Raises ModelSearchError for what is none any
        more; one that is gone stays as it was: whoever opens it says so."""
        try:
            return self._read_again(model) if self._is_written(model) else model
        except FileNotFoundError:
            return model
        except OSError as error:
            raise UnreadableModelError(f"{model.path} cannot be read: {error.strerror or error}") from error

    def begin(self, model: ModelFile) -> ModelFile:
        """The same, with the hash of its weights known, as they are about to be read; from now on `check` watches."""
        current = self.look(model)
        try:
            self._states[model.path] = weights_state(model.path)
            return current if self._identifier.confirm(current) else self._read_again(current)
        except FileNotFoundError:
            return current
        except OSError as error:
            raise UnreadableModelError(f"{model.path} cannot be read: {error.strerror or error}") from error

    def check(self, model: ModelFile) -> None:
        """Raises WeightsChangedError where the file is not any more as it was when its turn began."""
        try:
            changed = self._states.get(model.path, "") not in ("", weights_state(model.path))
        except OSError:
            return  # it was open, so the pictures are of its weights
        if changed:
            raise WeightsChangedError(f"{model.path.name} was written while its pictures were made; index it again")

    def _is_written(self, model: ModelFile) -> bool:
        seen = self._catalog.identities.seen_at(model.path)
        if seen is None:
            return bool(model.stamp) and candidate_at(model.path).stamp != model.stamp
        return seen[0] != weights_state(model.path)

    def _read_again(self, model: ModelFile) -> ModelFile:
        settled = self._identifier.settle(read_model_file(model.path))
        self._catalog.put_files([settled])
        return self._catalog.by_hand.get(settled.fingerprint).on(settled)
