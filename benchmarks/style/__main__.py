"""The style tables of Vu et al. on the procedural zoo: `python -m benchmarks.style`.

Every LoRA of the zoo paints line drawings of scenes that no training has seen; style heads are trained on some of the LoRA
and asked about the others. Writes benchmarks/results/style.json, docs/results_style.md and docs/style_grid.png. Pictures
are kept below build/, so the command goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.zoo.built import FOLDER, SIZE
from modelsearch_core.contact_sheet import Cell, Row, contact_sheet
from modelsearch_core.drawing import digest_of
from modelsearch_core.encoders import open_encoder
from modelsearch_core.generators import GeneratorSettings
from modelsearch_core.model_files import Kind
from modelsearch_core.reference_set import ReferenceSet

from .fast_form import fast_form
from .measuring import evaluate, follows
from .page import RESULT, ROOT, page
from .world import models_of, painted, references_of, scenes, world_of

PAGE = ROOT / "docs" / "results_style.md"
GRID = ROOT / "docs" / "style_grid.png"


def grid(references: ReferenceSet, arrays: dict[str, np.ndarray], base: np.ndarray) -> Image.Image:
    chosen = [references.names.index(f"reference:{number}") for number in range(10)]
    rows = [
        Row("subject", [Cell(image=references.subjects[n]) for n in chosen]),
        Row("line drawing", [Cell(image=references.drawings[n]) for n in chosen]),
        Row("without a LoRA", [Cell(image=Image.fromarray(base[n])) for n in chosen]),
    ]
    rows += [Row(name, [Cell(image=Image.fromarray(p[n])) for n in chosen]) for name, p in arrays.items()]
    return contact_sheet(rows, "What each LoRA of the procedural zoo makes of the same drawings")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zoo", type=Path, default=FOLDER, help="with models/ and clip/")
    parser.add_argument("--kept", type=Path, default=ROOT / "build" / "style", help="pictures made so far")
    parser.add_argument("--steps", type=int, default=12)
    args = parser.parse_args()
    references = references_of(scenes())
    models = models_of(args.zoo / "models")
    settings = GeneratorSettings(device="cpu", base=models[0].path, steps=args.steps, size=int(SIZE))
    pictures = dict(painted(references, models, settings, args.kept))
    arrays = {model.path.stem: array for model, array in pictures.items() if model.kind is Kind.LORA}
    zoo = evaluate(world_of(references, arrays, open_encoder(str(args.zoo / "clip"), device="cpu")))
    zoo["follows_drawing"] = {
        "base": follows(references, pictures[models[0]]),
        "loras": float(np.mean([follows(references, array) for array in arrays.values()])),
    }
    results = {
        "python": platform.python_version(),
        "steps": args.steps,
        "drawings": digest_of(references.drawings[0]),
        "zoo": zoo,
        "fast_form": fast_form(),
    }
    RESULT.write_text(json.dumps(results, indent=1) + "\n")
    PAGE.write_text(page(results), encoding="utf-8")
    grid(references, arrays, pictures[models[0]]).quantize(64).save(GRID, optimize=True)
    print(page(results))


if __name__ == "__main__":
    main()
