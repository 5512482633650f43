"""How good answers are after so many pictures: by the names' alphabet, and in the order and rounds of indexing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.zoo.built import FOLDER
from modelsearch_core.catalog import Catalog
from modelsearch_core.encoders import open_encoder
from modelsearch_core.indexing import silent
from modelsearch_core.indexing.ordering import in_order
from modelsearch_core.indexing.user_pictures import store_pictures
from modelsearch_core.indexing.weight_sketches import store_sketches
from modelsearch_core.model_files import Kind, ModelFile
from modelsearch_core.search.preparing import prepare
from modelsearch_core.specification import Evidence

from .asking import figures, save_outputs

EACH = 64  # pictures of a model in the end
SHARES = (0.0, 0.0625, 0.125, 0.25, 0.5, 0.75, 1.0)  # of all pictures
Counts = dict[str, int]  # pictures by fingerprint


@dataclass(frozen=True, kw_only=True)
class Course:
    """Of one zoo: how many pictures its models have after each round, what is asked of a catalog, and what saves
    pictures that users have made."""

    rounds: Sequence[int]
    figures: Callable[[Catalog], dict[str, float]]
    save_outputs: Callable[[Path], None]

    @property
    def each(self) -> int:
        return self.rounds[-1]


PROCEDURAL = Course(rounds=(8, 32, EACH), figures=figures, save_outputs=save_outputs)


def curves(source: Path) -> list[dict[str, Any]]:
    """MRR by texts and by pictures, for each share of the procedural zoo's pictures."""
    return list(rows(source, PROCEDURAL))


def rows(source: Path, course: Course, shares: Sequence[float] = SHARES) -> Iterator[dict[str, Any]]:
    ordered = courses(orders(source), course)
    for share in shares:
        row: dict[str, Any] = {"share": share}
        for name, (order, rounds) in ordered.items():
            counts = counts_of(order, rounds, share)
            with after(source, counts, each=course.each) as catalog, tempfile.TemporaryDirectory() as outputs:
                if name == "order and sources":
                    course.save_outputs(Path(outputs))
                    store_pictures(catalog, open_encoder(str(FOLDER / "clip"), device="cpu"), [Path(outputs)], silent)
                    store_sketches(catalog, catalog.models(), silent)
                prepare(catalog, refresh=True)
                row[name] = course.figures(catalog)
        yield row


def courses(orders: Mapping[str, list[str]], course: Course) -> dict[str, tuple[list[str], Sequence[int]]]:
    """Which models in which order, and how many pictures each has after each round."""
    return {
        "alphabet": (orders["alphabet"], (course.each,)),
        "order": (orders["order"], course.rounds),
        "order and sources": (orders["order"], course.rounds),
    }


def orders(source: Path) -> dict[str, list[str]]:
    """Fingerprints, by the names' alphabet and as they are indexed."""
    with after(source, {}) as catalog:
        models = catalog.models()
        base = next(model for model in models if model.path.name == "base")
        store_sketches(catalog, models, silent)
        encoder = open_encoder(str(FOLDER / "clip"), device="cpu")
        ordered = in_order(catalog, encoder, models, _Bases(base))  # type: ignore[arg-type]  # all that is asked of it
    alphabet = sorted(models, key=lambda model: str(model.path))
    return {name: [m.fingerprint for m in of] for name, of in (("alphabet", alphabet), ("order", ordered))}


class _Bases:
    def __init__(self, base: ModelFile) -> None:
        self._base = base

    def base_of(self, model: ModelFile) -> ModelFile | None:
        return self._base if model.kind is Kind.LORA else None


def counts_of(order: Sequence[str], rounds: Sequence[int], share: float) -> Counts:
    """What each model has once that share of all pictures was made."""
    left, counts = round(share * rounds[-1] * len(order)), dict.fromkeys(order, 0)
    for most in rounds:
        for fingerprint in order:
            more = min(most - counts[fingerprint], left)
            counts[fingerprint] += more
            left -= more
    return counts


@contextmanager
def after(source: Path, counts: Mapping[str, int], least: int = 0, each: int = EACH) -> Generator[Catalog]:
    """The catalog as it was when models had so many pictures, or `least`; the base and all that a LoRA is compared
    with have `each`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "catalog.sqlite")
        shutil.copy(source, path)
        with Catalog(path) as catalog:
            encoder = catalog.encoders()[0][0]
            base = next(model.fingerprint for model in catalog.models() if model.path.name == "base")
            for fingerprint, digest, evidence, samples in catalog.specification_keys(encoder):
                n = each if fingerprint == base else counts.get(fingerprint, least)
                if evidence is not Evidence.GENERATED or n >= samples:
                    continue
                whole = catalog.specification(fingerprint, digest, encoder)
                catalog.remove_specification(fingerprint, digest)
                if n and whole is not None:
                    drawings = None if whole.drawings is None else whole.drawings[:n]
                    catalog.put_specification(
                        replace(whole, Z=whole.Z[:n], numbers=whole.numbers[:n], drawings=drawings)
                    )
            yield catalog
