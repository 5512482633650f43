"""From which change on a LoRA is said to have an effect: `python benchmarks/no_effect.py`.

The procedural zoo's 24 LoRA are applied with small weights and asked the same probes as their base; mean ‖δ‖ of unit features
is what `NO_EFFECT` is compared with. Noise is what the base itself differs by when it is asked and looked at in batches
of another size. The threshold is chosen on every second LoRA and reported on the others; the figures are written to
benchmarks/results/no_effect.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.zoo.built import FOLDER, PROMPTS, SIZE
from modelsearch_core.embedding import Features
from modelsearch_core.encoders import open_encoder
from modelsearch_core.generators.diffusers import DiffusersGenerator
from modelsearch_core.generators.settings import GeneratorSettings
from modelsearch_core.model_files import Kind, ModelFile, scan
from modelsearch_core.probes import Probe, own_probes, prompts_of
from modelsearch_core.scores.differences import NO_EFFECT

RESULT = ROOT / "benchmarks" / "results" / "no_effect.json"
STEPS = 6
WEIGHTS = (0.0, 0.02, 1.0)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--samples", type=int, default=4)
    given = options.parse_args()
    models = [file for file in scan([FOLDER / "models"]) if isinstance(file, ModelFile)]
    probes = own_probes(prompts_of(PROMPTS.read_text("utf-8")), given.samples)
    changes, noise = measured(models, probes)
    result = {"samples": given.samples, "noise": noise, "changes": changes, **chosen(changes, noise)}
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: value for key, value in result.items() if key != "changes"}, indent=1))
    return 0


def measured(
    models: list[ModelFile], probes: tuple[Probe, ...]
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """mean ‖δ‖ of each LoRA by weight, and of the base against itself."""
    encoder = open_encoder(str(FOLDER / "clip"), device="cpu")
    generator = DiffusersGenerator(models, GeneratorSettings(device="cpu", batch=8, steps=STEPS, size=int(SIZE)))
    alone = DiffusersGenerator(models, GeneratorSettings(device="cpu", batch=1, steps=STEPS, size=int(SIZE)))

    def features(by: DiffusersGenerator, model: ModelFile, weight: float, at_a_time: int = 8) -> Features:
        probe_set = replace(by.plan(model, probes), lora_weight=weight, trigger_words=())
        pictures = [picture for batch in by.generate(model, probe_set, range(len(probes))) for picture in batch]
        rows = [encoder.encode_images(pictures[n : n + at_a_time]) for n in range(0, len(pictures), at_a_time)]
        return np.concatenate(rows)

    loras = [model for model in models if model.kind is Kind.LORA]
    base = generator.base_of(loras[0])
    assert base is not None
    own = features(generator, base, 0.0)
    noise = {
        "looked at one by one": change(features(generator, base, 0.0, 1), own),
        "asked and looked at one by one": change(features(alone, base, 0.0, 1), own),
    }
    changes: dict[str, dict[str, float]] = {}
    for lora in loras:
        changes[lora.name] = {str(weight): change(features(generator, lora, weight), own) for weight in WEIGHTS}
        print(lora.name, changes[lora.name], flush=True)
    return changes, noise


def change(Z: Features, base: Features) -> float:
    return float(np.linalg.norm(Z - base, axis=1).mean())


def chosen(changes: dict[str, dict[str, float]], noise: dict[str, float]) -> dict[str, object]:
    """The threshold halfway, in logarithms, between the most that nothing changes and the least that a LoRA of full
    weight does, on every second LoRA; and how many of the others it misjudges."""
    names = sorted(changes)
    fitted, held_out = names[::2], names[1::2]
    nothing = max(*noise.values(), *(changes[name]["0.0"] for name in fitted))
    something = min(changes[name]["1.0"] for name in fitted)
    threshold = float(np.sqrt(max(nothing, 1e-6) * something))
    return {
        "nothing": nothing,
        "something": something,
        "threshold": threshold,
        "said to have no effect, of those held out": {
            str(limit): {
                str(weight): float(np.mean([changes[name][str(weight)] <= limit for name in held_out]))
                for weight in WEIGHTS
            }
            for limit in (threshold, NO_EFFECT)
        },
    }


if __name__ == "__main__":
    raise SystemExit(main())
