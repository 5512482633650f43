"""Generic texts as a query is made of them: what scores of texts are compared with (docs/methods.md 10).

Indexing stores them in one row for each set of templates, in place of what it encoded for it. Before, every text behind
every template was kept, from which they are worked out still.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..background import background_texts, compared_texts, form_of
from ..embedding import Features
from ..prompt_templates import behind, behind_all
from ..prompt_templates import templates as templates_of
from . import arrays
from .catalog import Catalog
from .columns import text, words

VERSION = 1


class Compared(NamedTuple):
    """Unit features h (B, D) of the texts, what each adds to the templates (B, D), and its `background.Form` (B,)."""

    h: Features
    added: Features
    forms: NDArray[np.intp]


def is_known(catalog: Catalog, encoder: str, templates: Sequence[str]) -> bool:
    """Whether indexing has measured what unrelated texts add to these templates."""
    is_there = partial(catalog.statistics.has_of_collection, encoder, _name_of(templates), VERSION)
    if is_there():
        return True
    in_texts = _is_in_texts(catalog, encoder, templates)
    return in_texts or is_there()  # asked again: another process stores the row as it drops the texts


def compared(catalog: Catalog, encoder: str, dimension: int, templates: Sequence[str]) -> Compared:
    """As stored; else of those texts that the index knows."""
    found = _stored(catalog, encoder, templates)
    if found is None:
        of_texts = _worked_out(catalog, encoder, dimension, templates)
        found = _stored(catalog, encoder, templates) or of_texts  # another process may have dropped them meanwhile
    return found[1]


def is_stored(catalog: Catalog, encoder: str, templates: Sequence[str]) -> bool:
    """Of the texts that are compared with now."""
    stored = _stored(catalog, encoder, templates)
    return stored is not None and stored[0] == compared_texts()


def store(catalog: Catalog, encoder: str, dimension: int, templates: Sequence[str]) -> None:
    """Of texts whose features are all in the catalog; these are dropped there, alone and behind the templates, but for
    what models and classifiers are asked. So are those behind other templates, which an index from before has of what
    it was asked: alone, they would be missed. A row that another process has stored meanwhile stays."""
    with catalog.transaction():
        in_texts = [each for each in _asked_with(catalog) if _is_in_texts(catalog, encoder, each)]
        for each in (templates, *in_texts):
            if not is_stored(catalog, encoder, each):
                _put(catalog, encoder, dimension, each)
        stored = {*compared_texts()}.union(*(behind_all(compared_texts(), each) for each in (templates, *in_texts)))
        needed = {*templates, *_prompts(catalog), *background_texts()}
        catalog.drop_text_features(encoder, sorted(stored - needed))


def _put(catalog: Catalog, encoder: str, dimension: int, templates: Sequence[str]) -> None:
    texts, (h, added, _) = _worked_out(catalog, encoder, dimension, templates)
    halves = {"h": h.astype(np.float16), "added": added.astype(np.float16)}  # what adds nothing stays nothing
    blob = arrays.to_blob({"texts": text(texts), **halves})
    catalog.statistics.put_of_collection(encoder, _name_of(templates), VERSION, blob)


def _asked_with(catalog: Catalog) -> Iterable[tuple[str, ...]]:
    """Templates of all recipes, and the default ones, each once."""
    recipes = catalog.probe_sets().recipes.values()
    return dict.fromkeys(tuple(templates_of(of and of.probe_set.probes)) for of in (None, *recipes))


def _is_in_texts(catalog: Catalog, encoder: str, templates: Sequence[str]) -> bool:
    return bool(catalog.text_features(encoder, [behind(templates[0], compared_texts()[0])]))


def _prompts(catalog: Catalog) -> set[str]:
    """Of all recipes."""
    return {probe.prompt for recipe in catalog.probe_sets().recipes.values() for probe in recipe.probe_set.probes}


def _name_of(templates: Sequence[str]) -> str:
    return f"compared.{sha256(chr(0).join(templates).encode()).hexdigest()[:16]}"


def _stored(catalog: Catalog, encoder: str, templates: Sequence[str]) -> tuple[list[str], Compared] | None:
    blob = catalog.statistics.of_collection(encoder, _name_of(templates), VERSION)
    if blob is None:
        return None
    found = arrays.from_blob(blob)
    texts = words(found["texts"])
    h, added = (found[name].astype(np.float32) for name in ("h", "added"))
    return texts, Compared(h, added, _forms(texts))


def _worked_out(catalog: Catalog, encoder: str, dimension: int, templates: Sequence[str]) -> tuple[list[str], Compared]:
    texts = compared_texts()
    found = catalog.text_features(encoder, [*texts, *templates, *behind_all(texts, templates)])
    told = [(each, [c for c in templates if {c, behind(c, each)} <= found.keys()]) for each in texts if each in found]
    most = max((len(of) for _, of in told), default=0)  # of an index from before, one each
    known = [(each, of) for each, of in told if of and len(of) == most]
    h = [found[each] for each, _ in known]
    added = [np.mean([found[behind(c, each)].astype(np.float32) - found[c] for c in of], axis=0) for each, of in known]
    names, shape = [each for each, _ in known], (len(known), dimension)
    all_h, all_added = (np.array(array, np.float32).reshape(shape) for array in (h, added))
    return names, Compared(all_h, all_added, _forms(names))


def _forms(texts: Sequence[str]) -> NDArray[np.intp]:
    return np.array([form_of(each) for each in texts], np.intp)
