"""Coarse densities of a whole collection (`scores.coarse`), stored by indexing: no sample is read to have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ..catalog import columns
from ..catalog.columns import Part, Who
from ..collection import Collection, Samples
from ..embedding import Features
from ..scores import coarse, gaussian
from ..scores.coarse import Coarse

VERSION = 1
AT_ONCE = 512  # models whose samples are held to work theirs out
MOST_NEW = 0.5  # share of a collection from which on what is stored is of another one

Models = NDArray[np.intp]
Densities = Callable[[Samples], gaussian.Factored]
Rows = coarse.Rows


def name_of(*, drawn: bool) -> str:
    return "coarse_drawn" if drawn else "coarse"


def store(collection: Collection, densities: Densities, *, drawn: bool) -> None:
    """Works it out of all samples."""
    rng = np.random.default_rng(0)
    some = rng.permutation(collection.all)[:AT_ONCE]
    axes, variances, _ = _axes(collection, densities, some, drawn=drawn)
    halves = coarse.basis(axes, variances).astype(np.float16)
    B = halves.astype(np.float32)  # as it will be read

    def parts() -> Iterator[Part]:
        who = whose(collection)
        for start in range(0, len(who), columns.PART):
            models = collection.all[start : start + columns.PART]
            rows = _worked_out(collection, densities, models, B, drawn=drawn)
            yield Part([who[m] for m in models], {"basis": halves, "rows": rows.view(np.uint8).reshape(len(rows), -1)})

    columns.put(collection.catalog.statistics, collection.encoder, name_of(drawn=drawn), VERSION, parts())


def is_stored(collection: Collection, *, drawn: bool) -> bool:
    """Whether enough of it is there to be used."""
    parts = columns.read(collection.catalog.statistics, collection.encoder, name_of(drawn=drawn), VERSION)
    known = {who for part in parts for who in part.who}
    return bool(parts) and sum(who not in known for who in whose(collection)) <= MOST_NEW * len(collection)


def whose(collection: Collection) -> list[Who]:
    """What rows are found again by."""
    return [(entry.fingerprint, entry.stamp) for entry in collection.entries]


def coarse_of(collection: Collection, densities: Densities, unit_means: Features, *, drawn: bool) -> Coarse | None:
    """As stored, with what has come since; None where nothing is, or of another collection."""
    parts = columns.read(collection.catalog.statistics, collection.encoder, name_of(drawn=drawn), VERSION)
    if not parts:
        return None
    B = np.asarray(parts[0].arrays["basis"], np.float32)
    stored = np.concatenate([part.arrays["rows"].view(coarse.row_type(len(B)))[:, 0] for part in parts])
    place = {who: row for row, who in enumerate(who for part in parts for who in part.who)}
    at = np.array([place.get(who, -1) for who in whose(collection)], np.intp)
    new = np.flatnonzero(at < 0)
    if len(new) > MOST_NEW * len(at):
        return None
    rows = stored[at]
    if len(new):
        rows[new] = _worked_out(collection, densities, new, B, drawn=drawn)
    return Coarse(B, rows, unit_means * rows["length"][:, None])


def _worked_out(collection: Collection, densities: Densities, models: Models, B: Features, *, drawn: bool) -> Rows:
    rows = np.empty(len(models), coarse.row_type(len(B)))
    for start in range(0, len(models), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        rows[some] = coarse.rows_of(*_axes(collection, densities, models[some], drawn=drawn), B)
    return rows


def _axes(
    collection: Collection, densities: Densities, models: Models, *, drawn: bool
) -> tuple[Features, Features, Features]:
    """V (n, r, D), λ (n, r) and μ (n, D) of these models' densities."""
    of = densities((collection.drawn_rows if drawn else collection.pooled_rows)(models))
    V = np.zeros((len(models), gaussian.RANK, collection.dimension), np.float32)
    variances = np.zeros(V.shape[:2], np.float32)
    for m in range(len(models)):
        λ = np.asarray(of.λ[m], np.float32)
        X = gaussian.deviations(of.Z[of.offsets[m] : of.offsets[m + 1]])
        V[m, : len(λ)], variances[m, : len(λ)] = gaussian.axes_of(λ, np.asarray(of.U[m], np.float32), X), λ
    return V, variances, of.mean
