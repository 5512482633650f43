"""The diffusers generator in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from modelsearch_core.errors import ModelSearchError
from modelsearch_core.generators.diffusers import DiffusersGenerator
from modelsearch_core.generators.separate import SeparateGenerator
from modelsearch_core.generators.settings import GeneratorSettings
from modelsearch_core.generators.worker import settings_from, settings_to
from modelsearch_core.model_files import ModelFile
from modelsearch_core.probes import default_probes

PROBES = default_probes(8)
SETTINGS = GeneratorSettings(device="cpu", steps=2, batch=2)
Models = dict[str, ModelFile]


@pytest.fixture(scope="module")
def separate(models: Models) -> Iterator[SeparateGenerator]:
    made = SeparateGenerator(list(models.values()), SETTINGS)
    yield made
    made.close()


def pictures(generator: SeparateGenerator | DiffusersGenerator, model: ModelFile) -> np.ndarray:
    batches = generator.generate(model, generator.plan(model, PROBES), [0, 1, 2])
    return np.stack([np.asarray(image) for batch in batches for image in batch])


def test_settings_survive_the_way():
    chosen = GeneratorSettings(base=Path("a/b.safetensors"), decoders=(Path("c"),), size=128, accelerator=False)
    assert settings_from(settings_to(chosen)) == chosen


def test_pictures_are_those_of_this_process(separate: SeparateGenerator, models: Models):
    here = DiffusersGenerator(list(models.values()), SETTINGS)
    for name in ("base", "kohya"):
        apart = pictures(separate, models[name]).astype(int) - pictures(here, models[name])
        assert np.abs(apart).max() <= 2  # of 255: it may add up on another number of threads
    here.close()


def test_one_process_serves_all_models_until_it_is_closed(separate: SeparateGenerator, models: Models):
    pictures(separate, models["kohya"])
    first = separate._process  # pyright: ignore
    pictures(separate, models["peft"])
    assert separate._process is first  # pyright: ignore
    separate.close()
    assert first is not None and first.poll() is not None


def test_a_failing_model_is_told_and_the_process_goes_on(separate: SeparateGenerator, models: Models, tmp_path: Path):
    missing = ModelFile(**{**vars(models["kohya"]), "path": tmp_path / "gone.safetensors"})
    with pytest.raises(ModelSearchError, match=r"gone\.safetensors"):
        pictures(separate, missing)
    assert len(pictures(separate, models["kohya"])) == 3


def test_stopping_between_two_batches_ends_the_process(separate: SeparateGenerator, models: Models):
    batches = separate.generate(models["kohya"], separate.plan(models["kohya"], PROBES), [0, 1, 2])
    next(batches)
    process = separate._process  # pyright: ignore
    batches.close()  # type: ignore[attr-defined]  # it is a Python generator
    assert process is not None and process.poll() is not None


def test_a_process_that_dies_is_one_models_failure(separate: SeparateGenerator, models: Models):
    pictures(separate, models["base"])
    assert separate._process is not None  # pyright: ignore
    batches = separate.generate(models["kohya"], separate.plan(models["kohya"], PROBES), [0, 1, 2])
    next(batches)
    separate._process.kill()  # pyright: ignore
    with pytest.raises(ModelSearchError, match=r"ended with .* at kohya"):
        list(batches)
    assert len(pictures(separate, models["kohya"])) == 3
