"""What is found before anything is generated: `python -m benchmarks.before --catalog FILE`, an index of the procedural zoo.

Writes benchmarks/results/before.json and docs/results_before.md. With `--large ZOO` it measures the LoRA that
`python -m benchmarks.zoo.large_build --out ZOO --kinds loras` has made instead, for before_large.json and the same page.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Collection as Names
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.honesty import questions as asked
from benchmarks.zoo.built import FOLDER
from modelsearch_core.catalog import Catalog
from modelsearch_core.catalog.weight_sketches import VERSION, Sketch, vectors
from modelsearch_core.collection import Collection
from modelsearch_core.embedding import unit
from modelsearch_core.encoders import open_encoder
from modelsearch_core.indexing import silent
from modelsearch_core.indexing.user_pictures import store_pictures
from modelsearch_core.indexing.weight_sketches import store_sketches
from modelsearch_core.model_files import Kind
from modelsearch_core.scores import content, evidence
from modelsearch_core.search import ModelIndex
from modelsearch_core.search.banks import bank
from modelsearch_core.search.preparing import prepare
from modelsearch_core.specification import Evidence, Modality
from modelsearch_core.statistics import Statistics

from . import large
from .asking import figures, mrr, remembering, save_outputs
from .cost import cost
from .curve import curves
from .kin import kin
from .page import LARGE, RESULT, write_page
from .taste import tastes
from .validity import validity

DRAWS = 12  # of which LoRA were generated
KNOWN = (8, 12, 16, 20)
SEED = 70_000
MODALITIES = (Modality.TEXT, Modality.IMAGE, Modality.SKETCH)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    of = parser.add_mutually_exclusive_group(required=True)
    of.add_argument("--catalog", type=Path, help="of the procedural zoo")
    of.add_argument(
        "--large", type=Path, metavar="ZOO", help="the benchmark zoo's folder; what is there is not made again"
    )
    parser.add_argument("--only", action="append", choices=list(PARTS), help="the others as they were measured last")
    args = parser.parse_args()
    if args.large:
        LARGE.write_text(json.dumps(large.measure(args.large), indent=1) + "\n", encoding="utf-8")
        return write_page()
    found = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.is_file() and args.only else {}
    for name in args.only or PARTS:
        found[name] = PARTS[name](args.catalog)
        RESULT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return write_page()


@contextmanager
def without(source: Path, fingerprints: Names[str] | None = None) -> Generator[Catalog]:
    """A copy without what was generated of these models; None: of all."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "catalog.sqlite")
        shutil.copy(source, path)
        with Catalog(path) as catalog:
            for f, digest, evidence, _ in catalog.specification_keys(catalog.encoders()[0][0]):
                if evidence is Evidence.GENERATED and (fingerprints is None or f in fingerprints):
                    catalog.remove_specification(f, digest)
            yield catalog


def pictures(source: Path) -> dict[str, Any]:
    """By words alone, by a few pictures that users have made of other prompts, and by what was generated."""
    found: dict[str, Any] = {}
    with without(source) as catalog, tempfile.TemporaryDirectory() as outputs:
        prepare(catalog, refresh=True)
        found["words"] = figures(catalog)
        save_outputs(Path(outputs))
        encoder = open_encoder(str(FOLDER / "clip"), device="cpu")
        store_pictures(catalog, encoder, [Path(outputs)], silent)
        prepare(catalog, refresh=True)
        found["pictures"] = figures(catalog)
    with without(source, ()) as catalog:
        prepare(catalog, refresh=True)
        found["generated"] = figures(catalog)
    return found


def worth(source: Path) -> dict[str, dict[str, float]]:
    """ρ of each evidence beside generated pictures, by modality; of pictures, of as many as one likes."""
    with without(source, ()) as catalog, tempfile.TemporaryDirectory() as outputs:
        save_outputs(Path(outputs))
        store_pictures(catalog, open_encoder(str(FOLDER / "clip"), device="cpu"), [Path(outputs)], silent)
        store_sketches(catalog, catalog.models(), silent)
        prepare(catalog, refresh=True)
        name, _, dimension = catalog.encoders()[0]
        statistics = Statistics(Collection(catalog, name, dimension))
        evidences = (Evidence.PICTURES, Evidence.WEIGHTS, Evidence.METADATA)
        return {of.value: {m.value: _worth(statistics, of, m) for m in MODALITIES} for of in evidences}


def _worth(statistics: Statistics, of: Evidence, modality: Modality) -> float:
    beside, asking = statistics.collection.beside(of), bank(statistics, modality)
    both = np.flatnonzero(beside.counts > 0)
    rows = beside.some(both)
    cheap = content.first_moment(unit(content.means(rows.Z, rows.offsets)), asking.h)
    best = content.first_moment(unit(statistics.own_means[both]), asking.h)
    found = evidence.worth(asking.masked(cheap, both), asking.masked(best, both))
    most = float(evidence.of_pictures(rows.counts, 1.0).mean()) if of is Evidence.PICTURES else 1.0
    return round(found / most, 2)


def _lora_of(source: Path) -> tuple[list[Sketch], np.ndarray]:
    """Sketches and directions of all LoRA."""
    with without(source, ()) as catalog:
        loras = [model for model in catalog.models() if model.kind is Kind.LORA]
        store_sketches(catalog, loras, silent)
        name, _, dimension = catalog.encoders()[0]
        statistics = Statistics(Collection(catalog, name, dimension))
        rows = [statistics.collection.row_of[model.fingerprint] for model in loras]
        sketches = catalog.sketches.get([model.fingerprint for model in loras], VERSION)
        return [sketches[model.fingerprint] for model in loras], np.asarray(statistics.directions[rows], float)


def of_numbers(source: Path) -> dict[str, dict[str, float]]:
    return validity(*_lora_of(source))


def weights(source: Path) -> dict[str, Any]:
    """How much the weights' cosines say of those of the directions, group by group of layers."""
    ordered, directions = _lora_of(source)
    truth = unit(directions)
    whole = vectors(ordered)
    found = {"all layers": _agreement(whole @ whole.T, truth @ truth.T)}
    layers = ordered[0].names
    for group, word in (("self-attention", "attn1"), ("cross-attention", "attn2"), ("convolutions", "resnets")):
        kept = [i for i, layer in enumerate(layers) if word in layer]
        X = np.array([of.s[kept].ravel() for of in ordered])
        found[group] = _agreement(unit(X) @ unit(X).T, truth @ truth.T)
    each = unit(np.array([of.s for of in ordered]).transpose(1, 0, 2))
    found["mean of the layers' cosines"] = _agreement((each @ each.transpose(0, 2, 1)).mean(axis=0), truth @ truth.T)
    return found


def _agreement(C: np.ndarray, T: np.ndarray) -> dict[str, float]:
    from scipy.stats import rankdata

    pairs = np.triu_indices(len(C), 1)
    hidden = C - 2 * np.eye(len(C))
    best = np.argsort(-(T - 2 * np.eye(len(T))), axis=1)[:, :3]
    hits = sum(int(np.argmax(hidden[i])) in best[i] for i in range(len(C)))
    return {
        "pearson": round(float(np.corrcoef(C[pairs], T[pairs])[0, 1]), 3),
        "spearman": round(float(np.corrcoef(rankdata(C[pairs]), rankdata(T[pairs]))[0, 1]), 3),
        "nearest among three": hits,
        "of": len(C),
    }


def guesses(source: Path) -> list[dict[str, Any]]:
    """With so many of the LoRA generated: texts and pictures about the others, by words alone, and with weights."""
    with without(source, ()) as catalog:
        loras = [model for model in catalog.models() if model.kind is Kind.LORA]
    names = {model.path.stem: model.fingerprint for model in loras}
    rng, found = np.random.default_rng(SEED), list[dict[str, Any]]()
    for known in KNOWN:
        told: list[dict[str, float]] = []
        for _ in range(DRAWS):
            unknown = set(rng.permutation(sorted(model.fingerprint for model in loras))[known:].tolist())
            both = asked.by_wordings(), asked.by_pictures()
            texts, images = ([q for q in of if names.get(Path(q.target).name) in unknown] for of in both)
            with without(source, unknown) as catalog:
                prepare(catalog, refresh=True)
                with ModelIndex.open(catalog.path, encoder=remembering(), device="cpu") as index:
                    words = {"text_words": mrr(index, texts), "image_words": mrr(index, images)}
                store_sketches(catalog, loras, silent)
                prepare(catalog, refresh=True)
                with ModelIndex.open(catalog.path, encoder=remembering(), device="cpu") as index:
                    guessed = any(entry.evidence is Evidence.WEIGHTS for entry in index.collection.entries)
                    of = {"text_weights": mrr(index, texts), "image_weights": mrr(index, images)}
                    told.append({**words, **of, "used": float(guessed)})
        found.append({"known": known, **{key: round(float(np.mean([t[key] for t in told])), 3) for key in told[0]}})
    return found


PARTS = {
    "pictures": pictures,
    "worth": worth,
    "taste": tastes,
    "weights": weights,
    "kin": lambda _: kin(),
    "validity": of_numbers,
    "guesses": guesses,
    "curve": curves,
    "cost": cost,
}

if __name__ == "__main__":
    main()
