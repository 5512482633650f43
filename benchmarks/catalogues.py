"""Writes a catalogue of M models as indexing would have: `python benchmarks/catalogues.py FILE --models 10000`.

Geometry as real collections have it: a picture is what its probe asks for, plus what the model adds, plus chance. What
models add comes in families (themes), so that some are near each other and some are near to all. 64 samples with line
drawings, 36 recipes over 12 bases, words of one to four texts, trigger words for four of five LoRA, one checkpoint in
ten. `--measured` leaves the others with their words alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from modelsearch_core.catalog import Catalog
from modelsearch_core.embedding import Features, unit
from modelsearch_core.indexing import store_background
from modelsearch_core.model_files import Kind, ModelFile
from modelsearch_core.probes import ProbeSet, default_probes
from modelsearch_core.scores import differences
from modelsearch_core.search.preparing import prepare
from modelsearch_core.specification import Evidence, Specification

D, S = 512, 64
BASES, RECIPES, THEMES = 12, 36, 200
ADDED, CHANCE, GAP = 0.45, 0.7, 0.5  # lengths beside a probe's own part of 1: of a model, of chance, of drawings
REDRAWN = 0.8  # length of what another way of drawing adds to a picture of 1: cosine .6, as a small CLIP has it
CELLS = 64  # a side of a sheet, by which pictures are told apart
AT_ONCE = 200  # models a transaction
ENCODER = "chance:512"


class Chance:
    """An encoder whose texts and pictures lie where the catalogue's do; the same input gives the same feature.

    A picture says which it is by the place of its ink, so that the same sketch drawn otherwise lies near it.
    """

    name, dimension = ENCODER, D

    def encode_texts(self, texts: Sequence[str]) -> Features:
        return np.stack([_text(text) for text in texts]) if texts else np.empty((0, D), np.float32)

    def encode_images(self, images: Sequence[Image.Image]) -> Features:
        return np.stack([World().query(seed_of(image), drawn=int(_grey(image).sum())) for image in images])


def picture(seed: int) -> Image.Image:
    """A sheet with a dot, in one of the cells that are not at its edges."""
    inner, sheet = CELLS - 16, Image.new("RGB", (8 * CELLS, 8 * CELLS), "white")
    x, y = 8 + seed % inner, 8 + seed // inner % inner
    ImageDraw.Draw(sheet).ellipse((8 * x - 3, 8 * y - 3, 8 * x + 10, 8 * y + 10), fill="black")
    return sheet


def seed_of(image: Image.Image) -> int:
    """The number of the cell where the middle of the ink is."""
    ink = 255.0 - _grey(image)
    if not ink.any():
        return 0
    x, y = (
        int(CELLS * (ink.sum(axis=axis) @ (np.arange(n) + 0.5)) / ink.sum() / n)
        for axis, n in ((0, image.width), (1, image.height))
    )
    return x + CELLS * y


def _grey(image: Image.Image) -> NDArray[np.floating]:
    return np.asarray(image.convert("L"), float)


def _text(text: str) -> Features:
    rng = np.random.default_rng(list(text.encode()))
    return unit(_SPREAD * rng.normal(size=D)).astype(np.float32)


_SPREAD = np.exp(-np.arange(D) / 120)  # features of an encoder vary along few of their directions


@dataclass
class World:
    """What probes ask for, and what themes add."""

    samples: int = S  # of a model
    probes: Features = field(init=False)
    bases: Features = field(default_factory=lambda: _rows(2, BASES))
    themes: Features = field(default_factory=lambda: _rows(3, THEMES))
    drawn: Features = field(default_factory=lambda: _rows(4, 1)[0])

    def __post_init__(self) -> None:
        self.probes = _rows(1, self.samples)

    def added(self, number: int) -> Features:
        """(D,): what model `number` adds; its theme's, half of it its own."""
        rng = np.random.default_rng([7, number])
        theme = self.themes[int(THEMES * rng.random() ** 2)]
        return unit(theme + 0.7 * _row(rng)) * ADDED * rng.uniform(0.3, 1.6)

    def asked(self, number: int, base: int, *, alone: bool = False) -> tuple[Features, Features]:
        """(S, D) of pictures and of their line drawings."""
        rng = np.random.default_rng([8, number])
        content = self.probes + 0.5 * self.bases[base] + (0 if alone else self.added(number))
        chance = CHANCE * unit(rng.normal(size=content.shape) * _SPREAD)
        Z = unit(content + chance).astype(np.float32)
        drawings = unit(Z + GAP * self.drawn + 0.5 * unit(rng.normal(size=Z.shape) * _SPREAD))
        return Z, drawings.astype(np.float32)

    def query(self, seed: int, drawn: int = 0) -> Features:
        """A picture of some model, of a content that no probe has; `drawn` tells the ways of drawing it apart."""
        rng, way = np.random.default_rng([9, seed]), np.random.default_rng([11, seed, drawn])
        own = self.added(int(rng.integers(10_000)))
        whole = unit(_row(rng) + own + CHANCE * _row(rng))
        return unit(whole + REDRAWN * _row(way)).astype(np.float32)


def _row(rng: np.random.Generator) -> Features:
    return unit(rng.normal(size=D) * _SPREAD)


def _rows(seed: int, count: int) -> Features:
    rng = np.random.default_rng(seed)
    return np.stack([_row(rng) for _ in range(count)])


def recipe(number: int, samples: int = S) -> tuple[int, ProbeSet]:
    """(base, set) of a recipe, without trigger words."""
    base = number % BASES
    return base, ProbeSet(
        probes=default_probes(samples),
        width=512 + 64 * (number // BASES),
        height=512,
        steps=20,
        guidance=6.0,
        sampler="dpmpp_2m",
        generator="catalogue",
        base=f"{base:032x}",
    )


def fill(path: Path, models: int, measured: float = 1.0, samples: int = S) -> None:
    """Goes on where it was interrupted; what a newer program wants prepared otherwise, it prepares again."""
    world, encoder = World(samples), Chance()
    sets = [recipe(number, samples) for number in range(RECIPES)]
    with Catalog(path) as catalog:
        have = len(catalog.specification_keys(ENCODER))
        if not have:
            with catalog.transaction():
                _put_texts(catalog, encoder, sets)
                for base, probe_set in sets:
                    _put(catalog, f"{base:032x}", probe_set.for_base(), world.asked(base, base, alone=True), ())
        done = len(catalog.models())
        for start in range(done, models, AT_ONCE):
            with catalog.transaction():
                numbers = range(start, min(models, start + AT_ONCE))
                catalog.put_files(file_of(number) for number in numbers)
                for number in numbers:
                    _put_model(catalog, world, sets, number, measured=measured)
        store_background(catalog, encoder, sets[0][1].probes)
        prepare(catalog)


def _put_texts(catalog: Catalog, encoder: Chance, sets: Sequence[tuple[int, ProbeSet]]) -> None:
    catalog.put_encoder(encoder.name, "chance", D)
    prompts = [probe.prompt for probe in sets[0][1].probes]
    catalog.put_text_features(encoder.name, prompts, encoder.encode_texts(prompts))


def _put_model(
    catalog: Catalog, world: World, sets: Sequence[tuple[int, ProbeSet]], number: int, *, measured: float
) -> None:
    file, rng = file_of(number), np.random.default_rng([10, number])
    told = unit(rng.normal(size=(int(rng.integers(1, 5)), D)) * _SPREAD + world.added(number)).astype(np.float32)
    words = Specification(
        fingerprint=file.fingerprint,
        digest="words:1",
        encoder=ENCODER,
        evidence=Evidence.METADATA,
        Z=told,
        numbers=np.arange(len(told), dtype=np.int32),
    )
    catalog.put_specification(words)
    if rng.random() >= measured and number >= BASES:
        return
    base, probe_set = sets[int(rng.integers(RECIPES))]
    if file.kind is Kind.CHECKPOINT:
        probe_set = probe_set.for_base()
        _put(catalog, file.fingerprint, probe_set, world.asked(number, base, alone=number < BASES), ())
        return
    plain = world.asked(base, base, alone=True)[0]
    asked = replace(probe_set, trigger_words=file.trigger_words)
    _put(catalog, file.fingerprint, asked, world.asked(number, base), plain)


def _put(
    catalog: Catalog, fingerprint: str, asked: ProbeSet, rows: tuple[Features, Features], base: Features | tuple[()]
) -> None:
    catalog.put_probe_set(asked)
    Z, drawings = rows
    facets: dict[str, Any] = {}
    if len(base):
        delta, whole = differences.differences(Z, np.asarray(base)), np.array([0, len(Z)])
        facets = {
            "strength": float(differences.strength(delta, whole)[0]),
            "consistency": float(differences.consistency(delta, whole)[0]),
        }
    catalog.put_specification(
        Specification(
            fingerprint=fingerprint,
            digest=asked.digest,
            encoder=ENCODER,
            evidence=Evidence.GENERATED,
            Z=Z,
            numbers=np.arange(len(Z), dtype=np.int32),
            drawings=drawings,
            **facets,
        )
    )


def file_of(number: int) -> ModelFile:
    kind = Kind.CHECKPOINT if number < BASES or number % 10 == 9 else Kind.LORA
    folder = "Stable-diffusion" if kind is Kind.CHECKPOINT else f"Lora/{number % 17:02}"
    return ModelFile(
        path=Path(f"/models/{folder}/model_{number:06}_v{number % 3}.safetensors"),
        kind=kind,
        architecture=("sd15", "sdxl", "flux")[number % BASES % 3],
        fingerprint=f"{number:032x}",
        size=2**27,
        modified=1,
        title=f"Model {number} of the catalogue",
        trigger_words=(f"trg{number}", "style") if kind is Kind.LORA and number % 5 else (),
        tags=tuple(f"tag{(number * turn) % 97}" for turn in range(1, 9)),
        description="A model as people describe theirs, with recommended weights and samplers. " * 6,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--measured", type=float, default=1.0, help="share of models that were generated from")
    parser.add_argument("--samples", type=int, default=S, help="pictures of a model")
    args = parser.parse_args()
    fill(args.file, args.models, args.measured, args.samples)


if __name__ == "__main__":
    main()
