"""What few-step LoRA and small decoders cost in agreement, and what they save.

Some unseen LoRA are indexed four times: as they are, with the small decoder, with the few-step LoRA, with both. Pictures
that were made without either ask.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.zoo.accelerated import DECODER, LORA
from benchmarks.zoo.built import SIZE
from benchmarks.zoo.large import TRAINING, loras
from modelsearch_core.catalog import Catalog
from modelsearch_core.cli.arguments import parser
from modelsearch_core.cli.index import engine
from modelsearch_core.embedding import unit
from modelsearch_core.indexing import IndexSettings
from modelsearch_core.indexing import index as run_index
from modelsearch_core.model_files import Kind
from modelsearch_core.probes import ProbeSet
from modelsearch_core.scores import content

from .collection import DEVICE, Asker, Indexed, read
from .content import figures

MODELS, SAMPLES = 24, 32
VARIANTS = {
    "as they are": (False, False),
    "small decoder": (True, False),
    "few-step LoRA": (False, True),
    "both": (True, True),
}
METHODS = ("auto", "first_moment", "gaussian")


def run(zoo: Path) -> dict[str, Any]:
    """Top-1 and others by pictures, the cosine of each model's mean with that of the plain index, and the cost."""
    found: dict[str, dict[str, Any]] = {}
    plain: dict[str, np.ndarray] = {}
    for name, (decoder, few) in VARIANTS.items():
        catalog, seconds = indexed(zoo, name, decoder=decoder, few=few)
        of = read(zoo, catalog)
        means, asker = _means(of), Asker(of)
        plain = plain or means
        probe_set = _probe_set(of)
        found[name] = {
            "seconds": seconds,
            "unet calls": probe_set.steps * (2 if probe_set.guidance > 1 else 1),
            "cosine": float(np.mean([means[model] @ plain[model] for model in plain])),
            "nearest": float(np.mean([_nearest(means[model], plain) == model for model in plain])),
            **{m: figures(asker.pictures(m, of.questions), of.questions.owner) for m in METHODS},
        }
        print(f"agreement: {name}, {seconds:.0f} s", flush=True)
    return {"models": len(plain), "samples": SAMPLES, "variants": found}


def indexed(zoo: Path, name: str, *, decoder: bool, few: bool) -> tuple[Path, float]:
    """The catalog, and the seconds a model that generating took (those of the first time, where it is there already)."""
    catalog = zoo / "agreement" / f"{name.replace(' ', '_')}.sqlite"
    words: list[object] = ["index", collection(zoo), "--encoder", zoo / "clip", "--prompts", zoo / "prompts.txt"]
    words += ["--size", SIZE, "--samples", SAMPLES, "--catalog", catalog, "--device", DEVICE]
    words += ["--vae-approx", zoo / "accelerated" / "vae_approx"] if decoder else []
    words += [] if few else ["--no-accelerator"]
    args = parser().parse_args([str(word) for word in words])
    took = catalog.with_suffix(".seconds")
    if not took.is_file():
        catalog.unlink(missing_ok=True)
        with Catalog(catalog) as kept:
            started = time.monotonic()
            run_index(kept, args.folders, engine(args, kept), IndexSettings(samples=args.samples), lambda _: None)
        took.write_text(str((time.monotonic() - started) / (MODELS + 2)))
    return catalog, float(took.read_text())


def collection(zoo: Path) -> Path:
    """The base, the few-step LoRA, and the LoRA to be found."""
    folder = zoo / "agreement" / "models"
    if not folder.exists():
        (folder / "loras").mkdir(parents=True)
        shutil.copytree(zoo / "models" / "base", folder / "base")
        shutil.copy(zoo / "accelerated" / "loras" / LORA.file, folder / "loras")
        for plan in loras()[TRAINING:][:MODELS]:
            shutil.copy(zoo / "models" / "loras" / plan.file, folder / "loras")
    assert (zoo / "accelerated" / "vae_approx" / DECODER).is_dir()
    return folder


def _means(of: Indexed) -> dict[str, np.ndarray]:
    means = unit(content.means(of.collection.samples.Z, of.collection.samples.offsets))
    return {e.path.stem: mean for e, mean in zip(of.collection.entries, means, strict=True) if _counts(e.model)}


def _counts(model: Any) -> bool:
    return model.kind is Kind.LORA and model.path.name != LORA.file


def _nearest(mean: np.ndarray, plain: dict[str, np.ndarray]) -> str:
    return max(plain, key=lambda model: float(mean @ plain[model]))


def _probe_set(of: Indexed) -> ProbeSet:
    entry = next(entry for entry in of.collection.entries if _counts(entry.model))
    return of.collection.probe_sets[entry.digest]
