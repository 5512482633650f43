"""The diffusers generator asked with drawings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from modelsearch_core.drawing import Drawer
from modelsearch_core.errors import UnsupportedReferenceError
from modelsearch_core.generators.diffusers import DiffusersGenerator
from modelsearch_core.generators.settings import GeneratorSettings
from modelsearch_core.model_files import Kind, ModelFile
from modelsearch_core.probes import ProbeSet, default_probes
from modelsearch_core.reference_set import ReferenceSet, reference_set
from tests.generators.test_diffusers import as_arrays
from tests.making.fakes import model_file

Models = dict[str, ModelFile]
SETTINGS = GeneratorSettings(device="cpu", steps=3)


def shape(corner: int) -> Image.Image:
    image = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(image).rectangle((corner, corner, corner + 30, corner + 20), outline="black", width=3)
    return image


def references(**settings: float) -> ReferenceSet:
    return reference_set({"a": shape(4), "b": shape(20)}, Drawer("none", lambda image: image), **settings)


def generator_of(models: Models, **settings: float) -> DiffusersGenerator:
    return DiffusersGenerator(list(models.values()), SETTINGS, references(**settings))


def painted(generator: DiffusersGenerator, model: ModelFile, probe_set: ProbeSet | None = None) -> np.ndarray:
    assert generator.references is not None
    probe_set = probe_set or generator.plan(model, generator.references.probes)
    return as_arrays([image for batch in generator.generate(model, probe_set, [0, 1]) for image in batch])


@pytest.mark.parametrize("name", ["base", "kohya"])
@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_weight_zero_gives_the_pictures_of_no_drawing(models: Models, name: str, guidance: float):
    generator = generator_of(models)
    assert generator.references is not None
    drawn = replace(generator.plan(models[name], generator.references.probes), guidance=guidance)
    without = replace(drawn, probes=tuple(replace(probe, drawing=None) for probe in drawn.probes))
    ignored = replace(drawn, reference_weight=0.0)
    plain = painted(generator, models[name], without)
    assert np.array_equal(painted(generator, models[name], ignored), plain)
    assert not np.array_equal(painted(generator, models[name], drawn), plain)
    assert np.array_equal(painted(generator, models[name], without), plain)


def test_a_lora_paints_the_same_drawing_its_own_way(models: Models):
    generator = generator_of(models)
    base, kohya = painted(generator, models["base"]), painted(generator, models["kohya"])
    assert np.abs(base - kohya).mean() > 1
    assert np.array_equal(painted(generator, models["base"]), base)


def test_a_picture_does_not_depend_on_its_batch(models: Models):
    together = generator_of(models)
    alone = DiffusersGenerator(list(models.values()), replace(SETTINGS, batch=1), references())
    assert np.abs(painted(together, models["kohya"]) - painted(alone, models["kohya"])).max() <= 1


def test_the_plan_notes_how_drawings_are_looked_at(models: Models):
    plans = [
        generator.plan(models["kohya"], generator.references.probes)
        for generator in (
            generator_of(models),
            generator_of(models, weight=0.5),
            generator_of(models, style_fidelity=1),
        )
        if generator.references
    ]
    assert [(plan.drawing, plan.reference_weight, plan.style_fidelity) for plan in plans] == [
        ("none", 1.0, 0.5), ("none", 0.5, 0.5), ("none", 1.0, 1.0),
    ]  # fmt: skip
    assert len({plan.digest for plan in plans}) == 3
    assert {plan.prompt(0) for plan in plans} == {""}


def test_prompts_are_asked_as_ever(models: Models):
    with_drawings, without = generator_of(models), DiffusersGenerator(list(models.values()), SETTINGS)
    plans = [generator.plan(models["base"], default_probes(8)) for generator in (with_drawings, without)]
    assert plans[0] == plans[1]


def test_transformers_say_that_they_take_prompts_only():
    flux = model_file("flux one", kind=Kind.CHECKPOINT, architecture="flux")
    generator = DiffusersGenerator([flux], SETTINGS, references())
    with pytest.raises(UnsupportedReferenceError, match=r"not supported for flux \(flux one\), using prompts only"):
        generator.plan(flux, references().probes)
    assert generator.plan(flux, default_probes(8)).reference_weight == 0


def test_drawings_that_nobody_has_are_a_mistake(models: Models):
    generator = DiffusersGenerator(list(models.values()), SETTINGS)
    with pytest.raises(ValueError, match="2 of 2 drawings are not in the reference set"):
        generator.plan(models["base"], references().probes)
