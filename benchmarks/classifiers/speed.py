"""How long one concept takes among a million outputs, and whether the answer is the plain one: `python -m benchmarks.classifiers.speed`.

Outputs are made up: directions in the space of the procedural zoo's CLIP with noise on their responses, as trained networks
have it; so are the concepts that ask. They stand in a catalog, and an index answers them as users are answered; that CLIP
reads the words once is not counted. Beside seconds stands how long the same machine takes to copy what is kept of
responses. Writes benchmarks/results/classifier_speed.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.zoo.built import FOLDER
from modelsearch_core.catalog import Catalog
from modelsearch_core.catalog.classifiers import Descriptor, FileRow
from modelsearch_core.classifiers import ClassifierFile, ClassifierIndex, ConceptQuery, Form
from modelsearch_core.classifiers.files import Kind, to_json
from modelsearch_core.classifiers.indexing import background_z, hubs_of
from modelsearch_core.classifiers.probe_pictures import choose_probes
from modelsearch_core.embedding import Encoder, Features
from modelsearch_core.encoders import open_encoder
from modelsearch_core.ranking import rank
from modelsearch_core.scores import logits

from .asking import world
from .concepts import CONCEPTS

RESULT = Path(__file__).resolve().parents[1] / "results" / "classifier_speed.json"
MADE, TIMES_OVER = 100_000, 10  # outputs that differ; how often each stands in the catalog
OF_A_FILE = 1000
ASKED, FIRST = 8, 10 * TIMES_OVER
NOISE = (0.3, 1.5)  # of responses, in units of what the concept explains
TIMES = 100


class Read:
    """An encoder that reads every text once."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder, self._known = encoder, dict[str, Features]()
        self.name, self.dimension = encoder.name, encoder.dimension

    def encode_texts(self, texts: Sequence[str]) -> Features:
        if new := [text for text in texts if text not in self._known]:
            self._known.update(zip(new, self._encoder.encode_texts(new), strict=True))
        return np.stack([self._known[text] for text in texts])

    def encode_images(self, images: Sequence[Image.Image]) -> Features:
        return self._encoder.encode_images(images)


def made_up(features: np.ndarray, concepts: np.ndarray, rng: np.random.Generator) -> logits.Top:
    """`OF_A_FILE` outputs, each near one of the concepts, and near it to a degree of its own."""
    own = concepts[rng.integers(len(concepts), size=OF_A_FILE)]
    noise = rng.standard_normal(own.shape, np.float32) / np.sqrt(own.shape[1])
    directions = own + 0.7 * np.linalg.norm(own, axis=1, keepdims=True) * noise
    phi = logits.standardised(directions @ features.T)
    return logits.most_exciting(phi + rng.uniform(*NOISE, (OF_A_FILE, 1)) * rng.standard_normal(phi.shape, np.float32))


def catalog_of(folder: Path, encoder: Encoder) -> Path:
    """A million outputs of a thousand files that nobody has; made once."""
    if not folder.is_dir():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        make(part, encoder)
        part.rename(folder)
    return folder / "catalog.sqlite"


def make(folder: Path, encoder: Encoder) -> None:
    pictures = folder / "pictures"
    pictures.mkdir(parents=True)
    for number, picture in enumerate(world()):
        picture.save(pictures / f"{number:05}.png")
    texts = encoder.encode_texts([f"a picture of {concept}" for concept in CONCEPTS])
    with Catalog(folder / "catalog.sqlite") as catalog:
        catalog.put_encoder(encoder.name, str(FOLDER / "clip"), encoder.dimension)
        probes = choose_probes(catalog, encoder, pictures, lambda _: None)
        features = np.concatenate([encoder.encode_images(part) for part in batches(world())])
        z_background, rng = background_z(catalog, probes, encoder, keep=True), np.random.default_rng(0)
        for number in range(MADE // OF_A_FILE):
            top = made_up(features, texts - texts.mean(axis=0), rng)
            names = [f"v{number:03}_{copy}" for copy in range(TIMES_OVER)]
            for name in names:
                put(catalog, folder / f"{name}.onnx", probes.digest, top)
            catalog.classifiers.put_hubs(probes.digest, encoder.name, dict.fromkeys(names, hubs_of(top, z_background)))


def batches(pictures: Sequence[Image.Image], size: int = 50) -> list[Sequence[Image.Image]]:
    return [pictures[start : start + size] for start in range(0, len(pictures), size)]


def put(catalog: Catalog, path: Path, digest: str, top: logits.Top) -> None:
    file = ClassifierFile(
        path=path, fingerprint=path.stem, kind=Kind.CLASSIFIER, form=Form.ONNX, title=path.stem, size=0, stamp=""
    )
    row = FileRow(path=path, fingerprint=path.stem, kind=file.kind.value, stamp="", record=to_json(file))
    catalog.classifiers.put_files([row])
    catalog.classifiers.put(
        Descriptor(
            fingerprint=path.stem,
            digest=digest,
            unit="logit",
            note="",
            outputs=np.arange(OF_A_FILE, dtype=np.int32),
            signs=np.ones(OF_A_FILE, np.int8),
            top=top,
        )
    )


def seconds(work: Callable[[], object], times: int = TIMES) -> dict[str, float]:
    """The best and the middle of several, by the clock and by all threads' processor time."""
    clock, busy = [], []
    for _ in range(times):
        began, used = time.perf_counter(), time.process_time()
        work()
        clock.append(time.perf_counter() - began)
        busy.append(time.process_time() - used)
    return {"clock": min(clock), "usual": float(np.median(clock)), "processor": min(busy)}


def as_plain(index: ClassifierIndex, query: ConceptQuery) -> bool:
    """Whether the first answers are those of the formulas over all probes of all outputs."""
    scores = index.scores(query)
    best = rank(scores, FIRST)
    found = [(match.id, match.output, match.score) for match in index.search(query, k=FIRST)]
    owners = [index.outputs.models[m].file.fingerprint for m in index.outputs.owner[best]]
    return found == list(zip(owners, index.outputs.number[best].tolist(), scores[best].tolist(), strict=True))


def peak(work: Callable[[], object]) -> int:
    """Bytes that arrays take meanwhile."""
    tracemalloc.start()
    work()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def run(work: Path) -> dict[str, Any]:
    encoder = Read(open_encoder(str(FOLDER / "clip"), device="cpu"))
    chosen = np.random.default_rng(0).permutation(len(CONCEPTS))[:ASKED]
    queries = [ConceptQuery(text=[CONCEPTS[concept]]) for concept in chosen]
    with ClassifierIndex.open(catalog_of(work / "million", encoder), encoder=encoder) as index:
        o = index.outputs
        same = [as_plain(index, query) for query in queries]
        asked = [seconds(lambda q=query: index.search(q, k=FIRST)) for query in queries]
        return {
            "outputs": len(o),
            "made": MADE,
            "first": FIRST,
            "probes": len(o.probes),
            "cores": os.cpu_count(),
            "load": os.getloadavg()[0],
            "as_plain": [sum(same), len(same)],
            "copying": seconds(lambda: [part.copy() for layer in o.layers for part in layer]),
            "all_probes": seconds(lambda: index.scores(queries[0]), times=5),
            "search": {name: float(np.mean([one[name] for one in asked])) for name in asked[0]},
            "quickest": min(one["clock"] for one in asked),
            "slowest": max(one["clock"] for one in asked),
            "kept": sum(part.nbytes for layer in o.layers for part in layer),
            "meanwhile": peak(lambda: index.search(queries[0], k=FIRST)),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="where the catalog is made (about 300 MB)")
    result = run(parser.parse_args().work)
    print(result)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
