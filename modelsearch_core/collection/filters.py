"""Which models a question is about: one record for the core, the panel, the nodes and the command line.

A filter is declared once, as a field of `Filters`: options, parameters, their description, nodes' widgets and the
panel's lists are made of `FILTERS`, which is read from the fields.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelSearchError
from ..families import ARCHITECTURES
from ..model_files import Kind
from ..places import expanded


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


Test = Callable[[Filterable], bool]


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What a user can say of the models that are meant, as a text. `values` are the texts that a model answers to, and
    what lists offer; `choices` all that there are, where they are few. `test` makes a test of a text, where it is more
    than being one of these; ModelSearchError for what it cannot read."""

    help: str  # a sentence without its full stop
    values: Callable[[Filterable], Iterable[str]]
    choices: tuple[str, ...] = ()
    test: Callable[[str], Test] | None = None

    def passing(self, wanted: str) -> Test:
        if self.test is not None:
            return self.test(wanted)
        return lambda model: wanted in self.values(model)

    def counts(self, models: Iterable[Filterable]) -> dict[str, int]:
        """How many models answer to each text, most first."""
        counts = Counter(value for model in models for value in self.values(model))
        return dict(counts.most_common())


def _of_architecture(wanted: str) -> Test:
    """An architecture, or a line within one (pony); only then is the line looked for."""
    if wanted in ARCHITECTURES:
        return lambda model: model.architecture == wanted
    return lambda model: wanted in (model.architecture, model.lineage)


def _below(folder: str) -> Test:
    """Any of a model's copies."""
    prefix = _comparable(expanded(folder).absolute()).rstrip(os.sep) + os.sep
    return lambda model: any(_comparable(path).startswith(prefix) for path in model.paths)


def _comparable(path: str | Path) -> str:
    """As the file system tells paths apart."""
    return os.path.normcase(os.fspath(path))


def _told(help: str, values: Callable[[Filterable], Iterable[str]], **more: Any) -> dict[str, Filter]:
    return {"filter": Filter(help=help, values=values, **more)}


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Models that pass each filter that says something (not None or empty), and are one of `among`, each by any of its
    copies; `among` is a host's own list, of which an empty one lets none through."""

    kind: str | None = field(
        default=None,
        metadata=_told(
            "Only models of this kind",
            lambda model: [Kind(model.kind).value],
            choices=tuple(kind.value for kind in Kind),
            test=lambda wanted: lambda model: model.kind == wanted,
        ),
    )
    architecture: str | None = field(
        default=None,
        metadata=_told(
            "Only models of this family (sd15, sdxl, flux, ...), or of this line within one (pony, illustrious, ...)",
            lambda model: filter(None, (model.architecture, model.lineage)),
            test=_of_architecture,
        ),
    )
    folder: str | Path | None = field(
        default=None,
        metadata=_told(
            "Only models below this folder", lambda model: {str(path.parent) for path in model.paths}, test=_below
        ),
    )
    among: Iterable[Path] | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Filters:
        """By the filters' names; other names are passed over. ModelSearchError that names a filter and its value."""
        said: dict[str, Any] = {name: _read(name, values.get(name)) for name in FILTERS}
        return cls(**said)

    @property
    def said(self) -> dict[str, str]:
        """The filters that say something, by name, as `of` reads them."""
        return {name: os.fspath(value) for name in FILTERS if (value := getattr(self, name))}

    def passing(self, models: Sequence[Filterable]) -> NDArray[np.bool_]:
        """(M,)"""
        passes = self._prepared()
        return np.fromiter(map(passes, models), bool, len(models))

    def passes(self, model: Filterable) -> bool:
        return self._prepared()(model)

    @property
    def is_open(self) -> bool:
        """Whether everything passes."""
        return self.among is None and not self.said

    def _prepared(self) -> Test:
        tests = [FILTERS[name].passing(wanted) for name, wanted in self.said.items()]
        if self.among is not None:
            among = {_comparable(path) for path in self.among}
            tests.append(lambda model: not among.isdisjoint(map(_comparable, model.paths)))
        return tests[0] if len(tests) == 1 else lambda model: all(test(model) for test in tests)


FILTERS: Mapping[str, Filter] = {
    field.name: field.metadata["filter"] for field in fields(Filters) if "filter" in field.metadata
}


def _read(name: str, value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ModelSearchError(f"{name} must be a text, not {value!r}"[:300])
    if (choices := FILTERS[name].choices) and value not in choices:
        raise ModelSearchError(f"{name} must be one of {', '.join(choices)}, not {value!r}"[:400])
    return value
