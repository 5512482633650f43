"""What a model's samples are compared with, to see what the model itself adds (docs/methods.md 5).

A LoRA's samples with its base's pictures for the same probes; every other model's with the collection's mean for the
same probes, where enough of the collection was asked the same, else with the collection's mean.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..collection import Collection, Entry, Samples
from ..embedding import Features, unit
from ..scores import differences
from ..specification import Evidence, Specification

ENOUGH = 3  # models whose mean stands for a collection
SOME = 64  # models whose samples stand for those of all that were asked the same

Models = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What stands for `models` without their own part: Z (P, D) for prompts (P, D)."""

    models: Models
    Z: Features
    prompts: Features


def alike(collection: Collection) -> list[Models]:
    """Models that are compared with the same."""
    with_base = _with_base(collection)
    found: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for m, recipe in enumerate(collection.recipe_digests):
        if recipe is None:
            entry = collection.entries[m]
            key = entry.evidence.value, _guessed_by(entry)
        else:
            key = with_base.get(recipe) or ("alone", recipe)
        found[key].append(m)
    return [np.array(models, np.intp) for models in found.values()]


def _with_base(collection: Collection) -> dict[str, tuple[str, ...]]:
    """("base", fingerprint, digest) by recipe, of those whose base was asked the same."""
    recipes = collection.probe_sets.recipes.values()
    bases = {recipe.base for recipe in recipes}
    there = {each.key for each in collection.measured if each.fingerprint in bases}
    return {
        recipe.digest: ("base", recipe.base, recipe.base_digest)
        for recipe in recipes
        if recipe.base is not None and (recipe.base, recipe.base_digest) in there
    }


def _guessed_by(entry: Entry) -> str:
    """The family whose generated LoRA tell what this one's weights mean; empty for other evidence."""
    return entry.digest.split(":")[1] if entry.evidence is Evidence.WEIGHTS else ""


def of_means(collection: Collection, means: Features) -> Features:
    """(M, D): the mean reference of each model's samples, from the models' means alone and the bases' pictures.

    Samples have the first of a recipe's probes; so models of equally many samples were asked the same.
    """
    usual, references = cache(lambda: unit(means).mean(axis=0)), np.empty_like(means)
    for models in alike(collection):
        base = collection.base_specification(int(models[0]))
        counts = np.array([collection.entries[m].samples for m in models])
        for S in np.unique(counts):
            same = models[counts == S]
            if base is not None:
                references[same] = _of_base(base, np.arange(S)).mean(axis=0)
            elif len(models) < ENOUGH:
                references[same] = usual()
            else:
                references[same] = means[same if len(same) >= ENOUGH else models].mean(axis=0)
    return references


def of_samples(collection: Collection, samples: Samples) -> Features:
    """(N, D): the reference of each sample of all models."""
    rows = np.empty_like(samples.Z)
    for models in alike(collection):
        base = collection.base_specification(int(models[0]))
        own = np.concatenate([np.arange(int(samples.offsets[m]), int(samples.offsets[m + 1])) for m in models])
        numbers = samples.numbers[own]
        if base is not None:
            rows[own] = _of_base(base, numbers)
        elif len(models) < ENOUGH:
            rows[own] = _usual(samples)
        else:
            rows[own] = _of_collection(samples.Z[own], numbers)
    return rows


def groups(collection: Collection) -> list[Reference]:
    """For queries: what each group's models are compared with, prompt by prompt."""
    return [_group(collection, models) for models in alike(collection)]


def _group(collection: Collection, models: Models) -> Reference:
    first, base = int(models[0]), collection.base_specification(int(models[0]))
    if base is not None:
        most = max(collection.entries[m].samples for m in models)
        numbers = np.unique(np.minimum(base.numbers, most - 1))
        rows = _of_base(base, numbers)
    else:
        some = models[:: max(1, len(models) // SOME)]
        samples = collection.rows(some)
        numbers, at = np.unique(samples.numbers, return_index=True)
        rows = _of_collection(samples.Z, samples.numbers)[at]
        if len(models) < ENOUGH:
            rows = np.broadcast_to(_usual(samples), rows.shape)
    probe_set = collection.probe_set(first)
    prompts = [""] * len(numbers) if probe_set is None else [probe_set.probes[n].prompt for n in numbers]
    return Reference(models=models, Z=rows, prompts=collection.prompt_features(prompts))


def _of_base(base: Specification, numbers: NDArray[np.integer]) -> Features:
    place = {int(number): row for row, number in enumerate(base.numbers)}
    Z = unit(np.asarray(base.Z, np.float32))
    known = [place.get(int(number), len(Z)) for number in numbers]
    return np.vstack([Z, unit(Z.mean(axis=0))])[known]  # a probe that the base was not asked: its mean


def _of_collection(Z: Features, numbers: NDArray[np.integer]) -> Features:
    if numbers.max() == 0:  # one picture or one text each: no two of them answer the same probe
        return np.broadcast_to(Z.mean(axis=0), Z.shape)
    return differences.probe_means(Z, numbers, int(numbers.max()) + 1)[numbers]


def _usual(samples: Samples) -> Features:
    """(D,): the mean of all."""
    return unit(samples.Z.mean(axis=0))
