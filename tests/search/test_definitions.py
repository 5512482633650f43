"""Every method, as searches run it on a stored collection, against its definition written as loops.

The table is keyed by the methods' own: one that is not in it fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import exp, log, pi, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

from modelsearch_core.catalog import Catalog
from modelsearch_core.catalog.spatial_maps import SpatialMap
from modelsearch_core.catalog.weight_sketches import VERSION, Sketch
from modelsearch_core.collection import Collection
from modelsearch_core.embedding import unit
from modelsearch_core.probes import Probe, ProbeSet
from modelsearch_core.search.banks import Queries
from modelsearch_core.search.methods import METHODS, Judges
from modelsearch_core.specification import Evidence, Modality, Specification
from modelsearch_core.statistics import Statistics
from modelsearch_core.statistics.matching import MATCHING_SETTING, Matching
from tests.making.fakes import model_file

Rows = NDArray[np.floating]
M, S, D, T, LAYERS, K = 5, 24, 30, 3, 4, 8
ENCODER = "any:1"
RNG = np.random.default_rng(11)
ABOUT = RNG.normal(size=D)  # what all pictures share
A, B = (np.eye(D) + 0.1 * RNG.normal(size=(D, D)) for _ in range(2))
PROMPTS = unit(RNG.normal(size=(S, D)) + ABOUT)
H, ASKED_PROMPTS, DELTA = (unit(RNG.normal(size=(T, D)) + about) for about in (ABOUT, ABOUT, 0))
MAPS, ASKED_MAPS = unit(RNG.normal(size=(M, 10))), unit(RNG.normal(size=(T, 10)))
SKETCHES = RNG.normal(size=(M, LAYERS, K))


@dataclass(frozen=True, kw_only=True)
class Model:
    """What the catalog has of one model, in double precision, and of all."""

    m: int
    z: Rows  # (S, D)
    drawings: Rows  # (S, D)
    of_all: Rows  # (M, S, D)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One of the queries."""

    h: Rows
    prompt: Rows
    delta: Rows
    layout: Rows
    model: int


@dataclass(frozen=True, kw_only=True)
class Definition:
    score: Callable[[Model, Asked], float]
    modality: Modality = Modality.IMAGE
    tolerance: float = 2e-3


def dot(a: Rows, b: Rows) -> float:
    return float(sum(x * y for x, y in zip(a, b, strict=True)))


def cosine(a: Rows, b: Rows) -> float:
    return dot(a, b) / sqrt(dot(a, a) * dot(b, b))


def kernel(a: Rows, b: Rows) -> float:
    return exp(-2 * dot(a - b, a - b))


def mean(z: Rows) -> Rows:
    return sum(z, np.zeros(z.shape[1])) / len(z)


def log_normal(h: Rows, mu: Rows, z: Rows) -> float:
    """With the sixteen strongest axes of the samples' covariance, and .001 in every direction."""
    λ, V = np.linalg.eigh(np.cov(z.T))
    covariance = V[:, -16:] @ np.diag(λ[-16:]) @ V[:, -16:].T + 1e-3 * np.eye(D)
    d = h - mu
    return float(-(d @ np.linalg.solve(covariance, d)) / 2 - np.linalg.slogdet(2 * pi * covariance)[1] / 2)


def mean_embedding_distance(z: Rows, w: list[float], h: Rows) -> float:
    own = sum(w[i] * w[j] * kernel(z[i], z[j]) for i in range(S) for j in range(S)) / S**2
    return own - 2 * sum(w[i] * kernel(z[i], h) for i in range(S)) / S + 1


def sharpened(model: Model, asked: Asked) -> list[float]:
    """S·softmax of 1.4 cosines in units of their spread over all samples of all models, who share their prompts."""
    cosines = [cosine(q, asked.prompt) for q in PROMPTS]
    usual = sum(cosines) / S
    spread = sqrt(sum((c - usual) ** 2 for c in cosines) / S)
    raw = [exp(1.4 * c / spread) for c in cosines]
    return [S * each / sum(raw) for each in raw]


def reduced(x: Rows, h: Rows) -> float:
    """‖β k(z*, ·) − k(h, ·)‖² with z* where the mean kernel is largest, by steps of Newton's kind from the mean."""
    z = mean(x)
    for _ in range(300):
        weights = [kernel(each, z) for each in x]
        z = sum((w * each for w, each in zip(weights, x, strict=True)), np.zeros(len(z))) / sum(weights)
    beta = sum(kernel(each, z) for each in x) / len(x)
    return beta**2 - 2 * beta * kernel(z, h) + 1


def direction(model: Model) -> Rows:
    """Less what all models make of the same probes."""
    return mean(np.array([model.z[i] - mean(model.of_all[:, i]) for i in range(S)]))


def second_moment(model: Model, asked: Asked) -> float:
    cosines = [dot(z, asked.h) for z in model.z]
    usual = sum(cosines) / S
    return usual / 0.01 + sum((c - usual) ** 2 for c in cosines) / (S - 1) / (2 * 0.01**2)


DEFINITIONS: dict[str, Definition] = {
    "first_moment": Definition(score=lambda model, asked: cosine(mean(model.z), asked.h)),
    "monte_carlo": Definition(
        score=lambda model, asked: log(sum(exp(dot(z, asked.h) / 0.01) for z in model.z) / S), tolerance=0.02
    ),
    "best_k": Definition(score=lambda model, asked: sum(sorted(dot(z, asked.h) for z in model.z)[-3:]) / 3),
    "second_moment": Definition(score=second_moment, tolerance=0.05),
    "gaussian": Definition(score=lambda model, asked: log_normal(asked.h, mean(model.z), model.z), tolerance=0.5),
    "kernel_mean": Definition(
        score=lambda model, asked: (
            -mean_embedding_distance(model.z, [cosine(q, asked.prompt) for q in PROMPTS], asked.h)
        )
    ),
    "prompted_kernel_mean": Definition(
        score=lambda model, asked: -mean_embedding_distance(model.z, sharpened(model, asked), asked.h)
    ),
    "rkme_clip": Definition(score=lambda model, asked: -reduced(model.z, asked.h)),
    "rkme_concat": Definition(
        score=lambda model, asked: (
            -reduced(np.concatenate([model.z, PROMPTS], axis=1), np.concatenate([asked.h, asked.prompt]))
        )
    ),
    "paired_difference": Definition(
        score=lambda model, asked: cosine(direction(model), asked.delta), modality=Modality.TEXT, tolerance=0.01
    ),
    "drawn_first_moment": Definition(
        score=lambda model, asked: cosine(mean(model.drawings), asked.h), modality=Modality.SKETCH
    ),
    "drawn_gaussian": Definition(
        score=lambda model, asked: log_normal(asked.h, mean(model.drawings), model.drawings),
        modality=Modality.SKETCH,
        tolerance=0.5,
    ),
    "style": Definition(score=lambda model, asked: -sum(sqrt(dot(z - asked.h, z - asked.h)) for z in model.z) / S),
    "spatial": Definition(score=lambda model, asked: dot(MAPS[model.m], asked.layout)),
    "weights": Definition(
        score=lambda model, asked: cosine(SKETCHES[asked.model].ravel(), SKETCHES[model.m].ravel()),
        modality=Modality.MODEL,
    ),
    "learned_first_moment": Definition(score=lambda model, asked: cosine(A @ mean(model.z), A @ asked.h)),
    "learned_gaussian": Definition(
        score=lambda model, asked: log_normal(B @ asked.h, B @ mean(model.z), model.z), tolerance=0.5
    ),
}


@pytest.fixture(scope="module")
def statistics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Statistics]:
    path = tmp_path_factory.mktemp("definitions") / "catalog.sqlite"
    with Catalog(path) as catalog:
        fill(catalog)
    matrices = {"image.first_moment": A.astype(np.float32), "image.gaussian": B.astype(np.float32)}
    Matching(encoder=ENCODER, matrices=matrices).save(path.with_name("learned.safetensors"))
    with Catalog(path, read_only=True) as catalog:
        yield Statistics(Collection(catalog, ENCODER, D))


def fill(catalog: Catalog) -> None:
    probes = tuple(Probe(prompt=f"prompt {i}", seed=i) for i in range(S))
    probe_set = ProbeSet(probes=probes, width=16, height=16, steps=1, guidance=1.0, sampler="none", generator="none")
    files = [model_file(f"{m}") for m in range(M)]
    catalog.put_encoder(ENCODER, "any", D)
    catalog.put_probe_set(probe_set)
    catalog.put_files(files)
    catalog.put_text_features(ENCODER, [probe.prompt for probe in probes], PROMPTS)
    catalog.spatial.put_encoder("maps", "maps", 10)
    for m, file in enumerate(files):
        own = RNG.normal(size=D)
        Z, drawings = (unit(RNG.normal(size=(S, D)) + ABOUT + about).astype(np.float32) for about in (own, 2 * own))
        catalog.put_specification(
            Specification(
                fingerprint=file.fingerprint,
                digest=probe_set.digest,
                encoder=ENCODER,
                evidence=Evidence.GENERATED,
                Z=Z,
                numbers=np.arange(S, dtype=np.int32),
                drawings=drawings,
            )
        )
        names = tuple(f"layer {n}" for n in range(LAYERS))
        catalog.sketches.put(file.fingerprint, VERSION, Sketch(names, SKETCHES[m].astype(np.float32)))
        catalog.spatial.put(
            SpatialMap(
                fingerprint=file.fingerprint,
                digest=probe_set.digest,
                encoder="maps",
                samples=S,
                mean=MAPS[m],
                single=MAPS[m][None],
            )
        )
    catalog.put_setting(MATCHING_SETTING, "learned.safetensors")


@pytest.mark.parametrize("method", METHODS)
def test_a_method_is_its_definition(statistics: Statistics, method: str):
    definition, collection = DEFINITIONS[method], statistics.collection
    samples, drawings = (of.Z.reshape(M, S, D).astype(float) for of in (collection.samples, collection.drawings))
    queries = Queries(
        modality=definition.modality,
        h=H.astype(np.float32),
        owner=np.arange(T) if definition.modality is Modality.MODEL else None,
        prompts=ASKED_PROMPTS.astype(np.float32),
        differences=DELTA.astype(np.float32) if definition.modality is Modality.TEXT else None,
        layouts=ASKED_MAPS.astype(np.float32),
    )
    expected = [
        [
            definition.score(
                Model(m=m, z=samples[m], drawings=drawings[m], of_all=samples),
                Asked(h=H[t], prompt=ASKED_PROMPTS[t], delta=DELTA[t], layout=ASKED_MAPS[t], model=t),
            )
            for m in range(M)
        ]
        for t in range(T)
    ]
    found = Judges(statistics, collection.all)(method, queries)
    np.testing.assert_allclose(found, expected, atol=definition.tolerance, rtol=1e-3)
