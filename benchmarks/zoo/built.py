"""The procedural zoo as `python -m benchmarks.zoo.build` leaves it: what most benchmarks here measure on."""

from __future__ import annotations

from pathlib import Path

from modelsearch_core import mini_zoo
from modelsearch_core.cli import main as modelsearch
from modelsearch_core.errors import ModelSearchError
from modelsearch_core.mini_zoo import ZooModel

FOLDER = Path(__file__).resolve().parents[2] / "build" / "procedural_zoo"
PROMPTS = FOLDER / "prompts.txt"
SIZE = "64"  # pixels that its models were trained at, for `--size`


def index(catalog: Path, samples: int) -> Path:
    """As a user would."""
    words = ["index", FOLDER / "models", "--encoder", FOLDER / "clip", "--prompts", PROMPTS, "--size", SIZE]
    modelsearch([str(word) for word in [*words, "--samples", samples, "--catalog", catalog, "--device", "cpu"]])
    return catalog


def zoo_models() -> dict[str, ZooModel]:
    """By name. ModelSearchError where it is not built."""
    if not (FOLDER / "world.json").is_file():
        raise ModelSearchError(f"the procedural zoo is not at {FOLDER}; make it with `python -m benchmarks.zoo.build`")
    return mini_zoo.zoo_models(FOLDER)
