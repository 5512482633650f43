"""The tool itself on the zoo: the catalog, the index and its labels, true ones and shuffled ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.zoo.built import FOLDER
from modelsearch_core.catalog import Catalog
from modelsearch_core.catalog.classifiers import Descriptor, FileRow
from modelsearch_core.classifiers import ClassifierIndex, ConceptQuery
from modelsearch_core.classifiers.files import to_json
from modelsearch_core.classifiers.indexing import kept_of, store_hubs
from modelsearch_core.classifiers.probe_pictures import choose_probes
from modelsearch_core.embedding import Encoder
from modelsearch_core.scores.logits import most_exciting

from .asking import Pictures, models
from .concepts import CONCEPTS


def catalog_of(
    path: Path,
    zoo: Path,
    encoder: Encoder,
    pictures: Pictures,
    phi: NDArray[np.float32],
    record: dict[str, Any],
    shuffled: float | None,
) -> Path:
    """As indexing leaves it, without asking again. `shuffled`: the share of files whose labels are; None: no labels."""
    folder = path.with_suffix(".pictures")
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures):
        picture.save(folder / f"{number:05}.png")
    path.unlink(missing_ok=True)
    rng = np.random.default_rng(3)
    with Catalog(path) as catalog:
        catalog.put_encoder(encoder.name, str(FOLDER / "clip"), encoder.dimension)
        probes = choose_probes(catalog, encoder, folder, lambda _: None)
        start = 0
        for name, file in models(zoo).items():
            labels = [CONCEPTS[c] for c in record[name]["concepts"]]
            if shuffled is not None and rng.random() < shuffled:
                labels = [labels[i] for i in rng.permutation(len(labels))]
            count = len(labels)
            known = replace(file, labels=tuple(labels) if shuffled is not None else ())
            row = FileRow(
                path=file.path, fingerprint=file.fingerprint, kind=file.kind.value, stamp="", record=to_json(known)
            )
            catalog.classifiers.put_files([row])
            catalog.classifiers.put(
                Descriptor(
                    fingerprint=file.fingerprint,
                    digest=probes.digest,
                    unit="logit",
                    note="",
                    outputs=np.arange(count, dtype=np.int32),
                    signs=np.ones(count, np.int8),
                    top=most_exciting(phi[start : start + count], kept_of(len(probes))),
                )
            )
            start += count
        store_hubs(catalog, probes, encoder)
    return path


def asked(
    path: Path, encoder: Encoder, zoo: Path, record: dict[str, Any], pictures: list[Image.Image] | None = None
) -> dict[str, Any]:
    """top-1 and top-5 of every concept as text (or of one picture each), how sure the answers say they are, and the agreements."""
    known = {file.fingerprint: name for name, file in models(zoo).items()}
    top1 = top5 = 0
    relevance: list[float] = []
    with ClassifierIndex.open(path, encoder=encoder) as index:
        for concept, text in enumerate(CONCEPTS):
            query = ConceptQuery(images=[pictures[concept]]) if pictures else ConceptQuery(text=[text])
            matches = index.search(query, k=5)
            right = [record[known[m.id]]["concepts"][m.output] == concept for m in matches]
            top1, top5 = top1 + right[0], top5 + any(right)
            relevance.append(matches[0].relevance)
        agreements = {
            known[m.file.fingerprint]: float(a) for m, a in zip(index.outputs.models, index.agreements, strict=True)
        }
        digest, outputs = index.outputs.probes.digest, len(index.outputs)
    with Catalog(path, read_only=True) as catalog:
        kept = catalog.classifiers.descriptors(digest)
    size = sum(part.nbytes for descriptor in kept for part in descriptor.top)
    return {
        "top1": top1 / len(CONCEPTS),
        "top5": top5 / len(CONCEPTS),
        "relevance": float(np.median(relevance)),
        "agreement": None if np.isnan(list(agreements.values())).all() else float(np.median(list(agreements.values()))),
        "bytes": size / outputs,
    }
