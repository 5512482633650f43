"""The bundled configurations describe the models that they are for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
import transformers

from modelsearch_core.families import FAMILIES, Pipeline
from modelsearch_core.generators.layouts import folder_sizes, layout_for, single_file_sizes
from modelsearch_core.generators.predictions import SD2_MARK, Prediction, prediction_of
from modelsearch_core.generators.samplers import scheduler_for
from modelsearch_core.generators.tensors import shapes_of
from modelsearch_core.model_files import Kind, ModelFile
from tests.making import stable_diffusion as sd

VAE = 83_653_863
PARAMETERS = {  # as their model cards and published checkpoints have them
    "sd15": {"vae": VAE, "text_encoder": 123_060_480},
    "sd2": {"vae": VAE, "text_encoder": 340_387_840},
    "sdxl": {"vae": VAE, "text_encoder": 123_060_480, "text_encoder_2": 694_659_840},
}


def standard(tmp_path: Path, architecture: str) -> ModelFile:
    return ModelFile(path=tmp_path / "x", kind=Kind.CHECKPOINT, architecture=architecture, fingerprint="", size=0,
                     modified=0, title="")  # fmt: skip


def built(folder: Path, part: str) -> Any:
    """The model that a folder configures, without memory for its weights."""
    library, name = json.loads((folder / "model_index.json").read_text())[part]
    with torch.device("meta"):
        if library == "diffusers":
            cls = getattr(diffusers, name)
            return cls.from_config(cls.load_config(folder, subfolder=part))
        cls = getattr(transformers, name)
        return cls(cls.config_class.from_pretrained(folder, subfolder=part))


@pytest.mark.parametrize("architecture", sorted(PARAMETERS))
def test_every_part_has_as_many_parameters_as_the_published_one(
    architecture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = FAMILIES[architecture].pipeline
    assert isinstance(pipeline, Pipeline)
    unet = {"unet": pipeline.parameters}
    monkeypatch.setattr(
        "modelsearch_core.generators.layouts.shapes_of", lambda _: {"model.diffusion_model.x": (unet["unet"],)}
    )
    with layout_for(standard(tmp_path, architecture), [], Prediction()) as folder:
        for part, count in (unet | PARAMETERS[architecture]).items():
            assert sum(parameter.numel() for parameter in built(folder, part).parameters()) == count, part
    assert not folder.exists()


def test_a_single_file_is_recognised_by_the_size_of_its_parts(zoo: Path) -> None:
    assert single_file_sizes(shapes_of(zoo / "single.safetensors")) == folder_sizes(zoo / "base")


@pytest.mark.parametrize(("spread", "velocity"), [(0.02, False), (0.2, True)])
def test_stable_diffusion_2_tells_its_prediction_by_a_norm(tmp_path: Path, spread: float, velocity: bool) -> None:
    path = sd.save(tmp_path / "sd2.safetensors", {SD2_MARK: torch.linspace(-spread, spread, 320) * 1.7})
    assert prediction_of(path, "sd2") == Prediction(velocity=velocity)


@pytest.mark.parametrize("marks", [(), ("v_pred",), ("v_pred", "ztsnr")])
def test_sdxl_merges_mark_velocity_and_zero_terminal_snr(tmp_path: Path, marks: tuple[str, ...]) -> None:
    path = sd.save(tmp_path / "xl.safetensors", dict.fromkeys(("weight", *marks), torch.zeros(1)))
    assert prediction_of(path, "sdxl") == Prediction(velocity="v_pred" in marks, zero_snr="ztsnr" in marks)


@pytest.mark.parametrize("sampler", ["dpmpp_2m", "euler", "euler_trailing", "ddim_trailing", "lcm", "tcd", "own"])
@pytest.mark.parametrize("prediction", [Prediction(), Prediction(velocity=True, zero_snr=True)])
def test_every_sampler_denoises_to_something_finite(sampler: str, prediction: Prediction) -> None:
    schedule = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
    own = diffusers.DPMSolverMultistepScheduler.from_config(schedule | prediction.scheduler_config)
    scheduler = scheduler_for(sampler, own)
    scheduler.set_timesteps(4)
    sample = torch.ones(1, 4, 8, 8) * scheduler.init_noise_sigma
    for step in scheduler.timesteps:
        model_output = scheduler.scale_model_input(sample, step) * 0.1
        sample = scheduler.step(model_output, step, sample, return_dict=False)[0]
    assert torch.isfinite(sample).all()
