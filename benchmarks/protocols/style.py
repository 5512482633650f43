"""Style (docs/methods.md 7): heads trained on 20 and 30 LoRA, asked about 100 that they never saw; reference sets of 30 drawings.

The training LoRA paint 30 scenes of all subjects and 30 of one; the unseen ones paint the 30 of the reference set and two
that ask. Painting takes the time (`python -m benchmarks.protocols.style`, resumable); `--share` splits it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.baselines import csls
from benchmarks.style.measuring import reciprocal_rank, variants
from benchmarks.style.world import World, models_of, painted, references_of, scenes
from benchmarks.zoo.built import FOLDER, SIZE, zoo_models
from benchmarks.zoo.large import TRAINING, loras
from modelsearch_core.catalog import Catalog
from modelsearch_core.collection import Collection
from modelsearch_core.embedding import Encoder
from modelsearch_core.encoders import open_encoder
from modelsearch_core.evaluation import mean_reciprocal_rank
from modelsearch_core.generators import GeneratorSettings
from modelsearch_core.model_files import Kind
from modelsearch_core.ranking import from_distance
from modelsearch_core.reference_set import ReferenceSet, cleansed
from modelsearch_core.scores import style as style_scores
from modelsearch_core.scores.samples import offsets_of
from modelsearch_core.statistics import Statistics
from modelsearch_core.training.figures import pair_agreement
from modelsearch_core.training.labels import Labels

from .collection import DEVICE, ROOT, Asker, Features, Indexed, Questions
from .sweeps import style_shares

FEW, UNSEEN = 20, 100
MINI = ROOT / "build" / "procedural_zoo_style.sqlite"
STEPS = 12
ASKING = 2  # pictures of each unseen LoRA
TO_TRAIN, TO_TEST = ("diverse", "one category"), ("reference", "query")


def sets(which: tuple[str, ...]) -> ReferenceSet:
    chosen = {
        name: picture
        for name, picture in scenes().items()
        if name.partition(":")[0] in which and not (name.startswith("query") and int(name.partition(":")[2]) >= ASKING)
    }
    return references_of(chosen)


def paint(zoo: Path, share: tuple[int, int] = (0, 1)) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """What each LoRA made of its scenes, painted now or before: their names, and the pictures (S, 64, 64, 3)."""
    models = {model.path.stem: model for model in models_of(zoo / "models")}
    base = models["base"]
    settings = GeneratorSettings(device=DEVICE, base=base.path, steps=STEPS, size=int(SIZE))
    names = [Path(plan.file).stem for plan in loras()]
    found: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    for which, some in ((TO_TRAIN, names[:TRAINING]), (TO_TEST, names[TRAINING:][:UNSEEN])):
        references = sets(which)
        chosen = [base, *(models[name] for name in some[share[0] :: share[1]] if name in models)]
        for model, pictures in painted(references, chosen, settings, zoo / "style"):
            if model.kind is Kind.LORA:
                found[model.path.stem] = references.names, pictures
    return found


def world_of(arrays: dict[str, tuple[tuple[str, ...], np.ndarray]], encoder: Encoder) -> World:
    everything = scenes()
    Z: list[Features] = []
    kept: list[np.ndarray] = []
    for names, pictures in arrays.values():
        images = [Image.fromarray(picture) for picture in pictures]
        Z.append(encoder.encode_images(images))
        kept.append(np.array(cleansed(images, [everything[name] for name in names])))
    numbers = {name: number for number, name in enumerate(everything)}
    subjects = np.array([numbers[name] for names, _ in arrays.values() for name in names])
    models = np.repeat(np.arange(len(arrays)), [len(names) for names, _ in arrays.values()])
    of = np.array([name.partition(":")[0] for names, _ in arrays.values() for name in names])
    return World(np.concatenate(Z), Labels(models, subjects), of, np.concatenate(kept), list(arrays))


def run(zoo: Path) -> dict[str, Any]:
    """By the procedural zoo's CLIP, which was not made to see styles, as the paper's VGG19 was not; beside it by the zoo's own."""
    arrays = paint(zoo)
    training = [Path(plan.file).stem for plan in loras()[:TRAINING]]
    world, own = (world_of(arrays, open_encoder(str(clip), device="cpu")) for clip in (FOLDER / "clip", zoo / "clip"))
    more = np.array([m for m, name in enumerate(world.names) if name in training])
    unseen = np.setdiff1d(np.arange(len(world.names)), more)
    return {
        "trained_on": [FEW, len(more)],
        "unseen": len(unseen),
        "queries": int((world.sets == "query").sum()),
        "cleansed": int((~world.kept).sum()),
        "pictures": len(world.labels),
        "table": compared(world, more, unseen),
        "own_encoder": compared(own, more, unseen),
        "share": shares(),
    }


def compared(world: World, more: np.ndarray, unseen: np.ndarray) -> dict[str, dict[str, float]]:
    return {name: measured(world, train(), unseen) for name, train in variants(world, more[:FEW], more).items()}


def shares() -> dict[str, dict[str, float]]:
    """How much style `auto` should ask for beside content, on the procedural zoo, once it is indexed with --style."""
    if not MINI.is_file():
        return {}
    kept, encoder = Catalog(MINI, read_only=True), open_encoder(str(FOLDER / "clip"), device="cpu")
    name, _, dimension = kept.encoders()[0]
    collection = Collection(kept, name, dimension)
    rows = {entry.path.stem: m for m, entry in enumerate(collection.entries)}
    models = {rows[Path(model.name).stem]: model for model in zoo_models().values() if Path(model.name).stem in rows}
    h = {
        m: encoder.encode_images([model.picture(n) for n in range(len(model.pictures))]) for m, model in models.items()
    }
    records = [{"category": models[m].category if m in models else "base"} for m in range(len(collection))]
    owner = np.repeat(list(h), [len(of_one) for of_one in h.values()])
    Z = np.concatenate(list(h.values()))
    return style_shares(Asker(Indexed(Statistics(collection), encoder, records, Questions(Z, Z, [""] * len(Z), owner))))


def measured(world: World, space: Any, unseen: np.ndarray) -> dict[str, float]:
    """F1 of pairs of the unseen LoRA's pictures, MRR of the LoRA that painted a query among them."""
    V = space(world.Z)
    asked = np.isin(world.labels.models, unseen) & world.kept
    agreement = pair_agreement(V[asked], world.labels.of(asked), np.random.default_rng(1))
    mrr = reciprocal_rank(world, V, unseen, unseen)
    corrected = csls_reciprocal_rank(world, V, unseen)
    return {**agreement._asdict(), "mrr": mrr, "mrr_csls": corrected}


def csls_reciprocal_rank(world: World, V: Features, unseen: np.ndarray) -> float:
    """The same with CSLS: a picture of each LoRA's reference set is the background of all others."""
    of = {m: np.flatnonzero((world.labels.models == m) & (world.sets == "reference") & world.kept) for m in unseen}
    offsets = offsets_of(np.array([len(rows) for rows in of.values()]))
    references = V[np.concatenate(list(of.values()))]
    asking = np.flatnonzero(np.isin(world.labels.models, unseen) & (world.sets == "query"))
    scores = from_distance(style_scores.mean_style_distances(references, offsets, V[asking]))
    bank = from_distance(style_scores.mean_style_distances(references, offsets, references[offsets[:-1]]))
    np.fill_diagonal(bank, np.nan)
    targets = np.searchsorted(unseen, world.labels.models[asking])
    return mean_reciprocal_rank(csls(scores, bank), targets)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zoo", type=Path, default=ROOT / "build" / "benchmark_zoo")
    parser.add_argument("--share", type=int, nargs=2, default=(0, 1), metavar=("I", "N"), help="every N-th LoRA from I")
    args = parser.parse_args()
    paint(args.zoo, (args.share[0], args.share[1]))


if __name__ == "__main__":
    main()
