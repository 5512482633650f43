"""Run by a test that kills it: indexes a folder of the colour world slowly, saying each model's name."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from modelsearch_core.catalog import Catalog
from modelsearch_core.indexing import Engine, IndexSettings, Step, index
from tests.making.fakes import ColourEncoder, ColourGenerator


def watch(step: Step) -> None:
    if step.stage == "generate":
        time.sleep(0.05)
        print(step.model, step.done, flush=True)


folder = Path(sys.argv[1])
engine = Engine(
    encoder=ColourEncoder(), encoder_source="colours", generator_for=ColourGenerator, draw=lambda image: image
)
with Catalog(folder / "catalog.sqlite") as catalog:
    report = index(catalog, [folder / "models"], engine, IndexSettings(samples=16), watch)
print(f"{len(report.generated)} generated")
