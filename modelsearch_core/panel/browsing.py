"""All models, a page at a time; those whose names a text says; the folders they lie in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import compress, islice
from pathlib import Path
from typing import Any

from ..collection import FILTERS, Filter
from ..search import Description, Filters
from ..search.description import spaced
from .queries import Search
from .refusals import RefusedError

LARGEST_PAGE = 500
MOST_NAMED = 12
MOST_CHOICES = 200

ORDERS: dict[str, Callable[[Description], Any]] = {
    "name": lambda model: model.name.casefold(),
    "folder": lambda model: str(model.path).casefold(),
    "size": lambda model: -model.size,
}


def page(models: Sequence[Description], query: Mapping[str, str]) -> tuple[list[Description], list[Description]]:
    """(all that pass the filters, those of the page)."""
    order = query.get("sort", "name")
    if order not in ORDERS:
        raise RefusedError(400, f"sort must be one of {', '.join(ORDERS)}, not {order!r}")
    filters = Filters.of(query)
    passed = compress(models, filters.passing(models))
    found = [model for model in passed if says(model, query.get("name", ""))]
    found.sort(key=ORDERS[order])
    start, limit = _whole(query, "offset", 0), min(LARGEST_PAGE, _whole(query, "limit", 100))
    return found, found[start : start + limit]


def says(model: Description, text: str) -> bool:
    """Whether all words of the text stand in the model's names or trigger words."""
    return all(word in model.called for word in spaced(text).split())


def described(models: Sequence[Description], texts: Sequence[str], filters: Filters) -> list[tuple[float, Description]]:
    """Models with words of the texts in their names, trigger words, tags or descriptions, each with its share of them,
    0 to 1; the largest first."""
    words = [word for text in texts for word in spaced(text).split()]
    fitting = compress(models, filters.passing(models))
    found = [(share, model) for model in fitting if (share := _share(model, words))]
    return sorted(found, key=lambda each: (-each[0], each[1].name))


def _share(model: Description, words: Sequence[str]) -> float:
    """How much of the words a model has; what its name has counts more than what is said of it."""
    names = model.called
    said = spaced(" ".join([*model.tags, model.description]))
    return sum(1.0 if word in names else 0.5 if word in said else 0.0 for word in words) / max(1, len(words))


def named(models: Sequence[Description], wanted: Search) -> list[Description]:
    """Models that are called what the text says; the shortest names first."""
    texts = [words for text in wanted.query.text if len(text) > 1 and (words := spaced(text).split())]
    ids = {id(model) for words in texts for model in _called(models, words)}
    named_so = [model for model in models if id(model) in ids] if ids else []
    found = compress(named_so, wanted.filters.passing(named_so))
    return sorted(found, key=lambda model: (len(model.name), model.name))[:MOST_NAMED]


def _called(models: Sequence[Description], words: Sequence[str]) -> Sequence[Description]:
    """Those whose names or trigger words have all these words; of thousands, so the words one by one."""
    for word in words:
        models = [model for model in models if word in model.called]
    return models


def offered(models: Sequence[Description], folders: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """By filter what can be chosen, `value`, `label` and number of `models`, and what it does in English; `folders` are
    those of `folder_tree`."""
    below = [{"value": each["path"], "label": each["label"], "models": each["models"]} for each in folders]
    return {
        name: {"help": of.help, "choices": below if name == "folder" else _choices(of, models)}
        for name, of in FILTERS.items()
    }


def _choices(of: Filter, models: Sequence[Description]) -> list[dict[str, Any]]:
    counts = islice(of.counts(models).items(), MOST_CHOICES)
    return [{"value": value, "label": value, "models": n} for value, n in counts]


def folder_tree(models: Sequence[Description], roots: Sequence[Path]) -> list[dict[str, Any]]:
    """Folders with models below them: path, label (relative to the folder that is indexed) and number of models."""
    counts: Counter[Path] = Counter()
    for model in models:
        root = next((root for root in roots if root in model.path.parents), model.path.parent)
        inside = [parent for parent in model.path.parents if parent == root or root in parent.parents]
        counts.update(inside)
    shown = sorted(counts, key=lambda path: str(path).casefold())[:MOST_CHOICES]
    return [{"path": str(path), "label": _label(path, roots), "models": counts[path]} for path in shown]


def _label(path: Path, roots: Sequence[Path]) -> str:
    root = next((root for root in roots if root == path or root in path.parents), None)
    return path.name if root is None else str(path.relative_to(root.parent))


def _whole(query: Mapping[str, str], name: str, usual: int) -> int:
    text = query.get(name, str(usual))
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise RefusedError(400, f"{name} must be a whole number, not {text[:50]!r}")
    return int(text)
