"""Which models a question is about: one record for the core, the panel, the nodes and the command line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..families import ARCHITECTURES
from ..model_files import Kind


class Filterable(Protocol):
    """A model as filters see it: an entry of a collection, or a description of one."""

    @property
    def kind(self) -> Kind | str: ...

    @property
    def architecture(self) -> str: ...

    @property
    def lineage(self) -> str | None: ...

    @property
    def paths(self) -> Sequence[Path]: ...


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Models of that kind and architecture, or line within one, below that folder, and one of `among`, each by any of
    its copies.

    Nothing (None or empty) lets all through, but for `among`: an empty list of files lets none.
    """

    kind: str | None = None
    architecture: str | None = None
    folder: str | Path | None = None
    among: Iterable[Path] | None = None

    @classmethod
    def of(cls, value_of: Callable[[str], Any]) -> Filters:
        """By what `value_of` says to the name of each; `among` is a host's own list."""
        return cls(**{name: value_of(name) for name in FILTERS})

    def passing(self, models: Sequence[Filterable]) -> NDArray[np.bool_]:
        """(M,)"""
        passes = self._prepared()
        return np.fromiter(map(passes, models), bool, len(models))

    def passes(self, model: Filterable) -> bool:
        return self._prepared()(model)

    @property
    def is_open(self) -> bool:
        """Whether everything passes."""
        return self.among is None and not any(getattr(self, name) for name in FILTERS)

    def _prepared(self) -> Callable[[Filterable], bool]:
        kind, architecture = self.kind or None, self.architecture or None
        folder = _prefix(self.folder) if self.folder else None
        among = None if self.among is None else {_comparable(path) for path in self.among}

        def passes(model: Filterable) -> bool:
            if kind is not None and model.kind != kind:
                return False
            if architecture is not None and not _is_of(model, architecture):
                return False
            if folder is None and among is None:
                return True
            names = [_comparable(path) for path in model.paths]
            return (folder is None or any(name.startswith(folder) for name in names)) and (
                among is None or not among.isdisjoint(names)
            )

        return passes


FILTERS = tuple(field.name for field in fields(Filters) if field.name != "among")  # what a user can say


def _is_of(model: Filterable, wanted: str) -> bool:
    """Whether a model is of an architecture, or of a line within one (pony); only then is the line looked for."""
    return model.architecture == wanted or (wanted not in ARCHITECTURES and model.lineage == wanted)


def _comparable(path: str | Path) -> str:
    """As the file system tells paths apart."""
    return os.path.normcase(os.fspath(path))


def _prefix(folder: str | Path) -> str:
    """What the paths of all files below a folder begin with."""
    return _comparable(Path(folder).expanduser().absolute()).rstrip(os.sep) + os.sep
