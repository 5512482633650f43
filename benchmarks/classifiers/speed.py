"""How long one concept takes among a million outputs, and what is lost: `python -m benchmarks.classifiers.speed`.

Outputs are made up: directions in the space of the procedural zoo's CLIP with noise on their responses, as trained networks
have it; so are the concepts that ask. Beside seconds stands how long the same machine takes to copy the descriptors,
which is what any answer has to read. Writes benchmarks/results/classifier_speed.json.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.zoo.built import FOLDER
from modelsearch_core.encoders import open_encoder
from modelsearch_core.ranking import rank
from modelsearch_core.scores import logits
from modelsearch_core.scores.logit_candidates import P, Prefix, candidates, estimated_distance, prefix_of

from .asking import world
from .concepts import CONCEPTS

RESULT = Path(__file__).resolve().parents[1] / "results" / "classifier_speed.json"
OUTPUTS = 1_000_000
MADE = 20_000  # outputs that differ; a million are these again and again
ASKED, FIRST = 40, 10
NOISE = (0.3, 1.5)  # of responses, in units of what the concept explains
TIMES = 11
BLOCK = 2500


def made_up(features: np.ndarray, concepts: np.ndarray, rng: np.random.Generator) -> logits.Top:
    """Each near one of the concepts, and near it to a degree of its own."""
    parts = []
    for _ in range(0, MADE, BLOCK):
        own = concepts[rng.integers(len(concepts), size=BLOCK)]
        directions = own + 0.7 * np.linalg.norm(own, axis=1, keepdims=True) * unit_noise(own.shape, rng)
        phi = logits.standardised(directions @ features.T)
        phi = phi + rng.uniform(*NOISE, (BLOCK, 1)) * rng.standard_normal(phi.shape, np.float32)
        parts.append(logits.most_exciting(phi))
    return logits.Top(*(np.concatenate([getattr(part, name) for part in parts]) for name in logits.Top._fields))


def unit_noise(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal(shape, np.float32) / np.sqrt(shape[1])


def search(top: logits.Top, prefix: Prefix, hubs: np.ndarray, z_text: np.ndarray) -> np.ndarray:
    """The first outputs as an index answers them: candidates, then all their probes."""
    rows = candidates([hubs - estimated_distance(prefix, z_text)])
    part = logits.Top(top.a[rows], top.z[rows], top.mean[:0], top.deviation[:0])
    return rows[rank(hubs[rows] - logits.truncated_distance(part, z_text)[0], FIRST)]


def lost(top: logits.Top, hubs: np.ndarray, z_texts: np.ndarray) -> dict[str, float]:
    """The share of concepts whose first output, and of their first ten, that are no candidates."""
    prefix = prefix_of(top)
    first, ten = [], []
    for z_text in z_texts:
        best = rank(hubs - logits.truncated_distance(top, z_text)[0], FIRST)
        found = np.isin(best, candidates([hubs - estimated_distance(prefix, z_text)]))
        first.append(not found[0])
        ten.append(1 - found.mean())
    return {"first": float(np.mean(first)), "first_ten": float(np.mean(ten))}


def seconds(work: Callable[[], object]) -> dict[str, float]:
    """The best of several, by the clock and by all threads' processor time."""
    clock, busy = [], []
    for _ in range(TIMES):
        began, used = time.perf_counter(), time.process_time()
        work()
        clock.append(time.perf_counter() - began)
        busy.append(time.process_time() - used)
    return {"clock": min(clock), "processor": min(busy)}


def run() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    encoder = open_encoder(str(FOLDER / "clip"), device="cpu")
    pictures = world()
    features = np.concatenate([encoder.encode_images(pictures[i : i + 50]) for i in range(0, len(pictures), 50)])
    texts = encoder.encode_texts([f"a picture of {concept}" for concept in CONCEPTS])
    features, texts = np.asarray(features, np.float32), np.asarray(texts, np.float32)
    chosen = rng.permutation(len(texts))
    asked, background = texts[chosen[:ASKED]], texts[chosen[ASKED:]]
    top = made_up(features, texts - texts.mean(axis=0), rng)
    z_background = logits.standardised(background @ features.T)
    hubs = logits.hubness(logits.truncated_distance(top, z_background)).astype(np.float32)
    z_texts = logits.standardised(asked @ features.T).astype(np.float32)
    result = {"outputs": OUTPUTS, "made": MADE, "probes": len(features), "p": P, "lost": lost(top, hubs, z_texts)}
    print(result, flush=True)
    times = -(-OUTPUTS // MADE)
    many = logits.Top(
        np.tile(top.a, (times, 1)), np.tile(top.z.astype(np.float16), (times, 1)), top.mean[:0], top.deviation[:0]
    )
    many_hubs, prefix = np.tile(hubs, times), prefix_of(many)
    result["copying"] = seconds(lambda: (many.a.copy(), many.z.copy()))
    result["all_probes"] = seconds(lambda: logits.truncated_distance(many, z_texts[:1]))
    result["search"] = seconds(lambda: search(many, prefix, many_hubs, z_texts[0]))
    return result


def main() -> None:
    result = run()
    print(result)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
