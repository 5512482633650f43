"""Pictures of a user's taste beside generated ones: of half of what was generated, those of some subjects are taken to be
the user's, the first of the other half are what was generated so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.honesty import questions as asked
from benchmarks.zoo.world import BASE_SUBJECTS, PLURALS
from modelsearch_core.catalog import Catalog
from modelsearch_core.embedding import unit
from modelsearch_core.search import ModelIndex
from modelsearch_core.search.preparing import prepare
from modelsearch_core.specification import Evidence, Specification

from .asking import places, remembering
from .curve import after

GENERATED = (8, 16, 32)
HALF = 32  # pictures of a model that were generated at most; the others are its user's, if he likes the subject
LIKED = 7  # subjects of 14
SEEDS = (0, 1)  # of who likes what


def tastes(source: Path) -> list[dict[str, Any]]:
    """MRR of texts and pictures: of the models by which constants were chosen (*taught*), and of the others."""
    found = [_figures(source, 0, pictures=True)]
    for G in GENERATED:
        found += [_figures(source, G, pictures=pictures) for pictures in (False, True)]
    return found


def _figures(source: Path, G: int, *, pictures: bool) -> dict[str, Any]:
    drawn = [_of_seed(source, G, seed if pictures else None) for seed in (SEEDS if pictures else SEEDS[:1])]
    means = {name: round(float(np.mean([each[name] for each in drawn])), 3) for name in drawn[0]}
    return {"generated": G, "pictures": pictures, **means}


def _of_seed(source: Path, G: int, seed: int | None) -> dict[str, float]:
    with after(source, {}, least=G) as catalog:
        if seed is not None:
            _put_pictures(source, catalog, seed)
        prepare(catalog, refresh=True)
        with ModelIndex.open(catalog.path, encoder=remembering(), device="cpu") as index:
            found: dict[str, float] = {}
            for name, questions in (("text", asked.by_wordings()), ("image", asked.by_pictures())):
                of = 1 / np.array(places(index, questions))
                untaught = np.array([question.target in asked.untaught() for question in questions])
                found |= {f"{name}_taught": of[~untaught].mean(), f"{name}_untaught": of[untaught].mean()}
            return found


def _put_pictures(source: Path, catalog: Catalog, seed: int) -> None:
    rng = np.random.default_rng(seed)
    with Catalog(source, read_only=True) as whole:
        encoder = whole.encoders()[0][0]
        probe_sets = whole.probe_sets()
        base = next(model.fingerprint for model in whole.models() if model.path.name == "base")
        for fingerprint, digest, evidence, _ in whole.specification_keys(encoder):
            probe_set = probe_sets.get(digest)
            if evidence is not Evidence.GENERATED or probe_set is None or fingerprint == base:
                continue
            liked = set(rng.permutation(list(BASE_SUBJECTS))[:LIKED].tolist())
            of = whole.specification(fingerprint, digest, encoder)
            assert of is not None
            rows = [i for i, n in enumerate(of.numbers) if i >= HALF and _subject(probe_set.prompt(int(n))) in liked]
            catalog.put_specification(_as_users(of, rows))


def _as_users(of: Specification, rows: Sequence[int]) -> Specification:
    Z, numbers = unit(np.asarray(of.Z, np.float32))[rows], np.arange(len(rows), dtype=np.int32)
    told = {"strength": None, "consistency": None, "drawings": None, "evidence": Evidence.PICTURES}
    return replace(of, digest=f"pictures:{len(rows)}", Z=Z, numbers=numbers, **told)


def _subject(prompt: str) -> str:
    words = set(prompt.split())
    return next(name for name in BASE_SUBJECTS if {name, f"{name}s", PLURALS.get(name, name)} & words)
