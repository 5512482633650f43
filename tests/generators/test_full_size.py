"""Full-size files through the bundled configurations, with random weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from modelsearch_core.generators.diffusers import DiffusersGenerator
from modelsearch_core.generators.settings import GeneratorSettings
from modelsearch_core.model_files import ModelFile, read_model_file
from modelsearch_core.probes import default_probes
from tests.making import stable_diffusion as sd

pytestmark = pytest.mark.slow
SETTINGS = GeneratorSettings(device="cpu", size=64, steps=2, batch=2)


def arrays(generator: DiffusersGenerator, model: ModelFile, numbers: Sequence[int]) -> np.ndarray[Any, Any]:
    probe_set = generator.plan(model, default_probes(8))
    batches = generator.generate(model, probe_set, numbers)
    return np.stack([np.asarray(image, np.int16) for batch in batches for image in batch])


def test_a_full_size_checkpoint_and_its_lora_need_no_network(tmp_path: Path) -> None:
    torch.manual_seed(0)
    parts = sd.standard_parts("sd15")
    lora = read_model_file(sd.write_full_kohya(tmp_path / "lora.safetensors", parts.unet))
    checkpoint = read_model_file(sd.write_single_file(tmp_path / "sd15.safetensors", parts, plain="0"))
    weight = parts.unet.get_submodule("mid_block.attentions.0.proj_in").weight.detach().float()
    del parts
    assert checkpoint.architecture == lora.architecture == "sd15"
    generator = DiffusersGenerator([checkpoint, lora], SETTINGS)
    base = arrays(generator, checkpoint, [0, 1, 2])
    pipe = generator._resident.pipe  # pyright: ignore
    assert pipe.unet.get_submodule("mid_block.attentions.0.proj_in").weight.equal(weight)
    assert base.shape == (3, 64, 64, 3)
    assert np.abs(arrays(generator, lora, [0, 1, 2]) - base).mean() > 0.1
    assert np.array_equal(arrays(generator, checkpoint, [0, 1, 2]), base)
    assert generator.loads == 1


def test_an_sdxl_single_file_gives_the_pictures_of_its_folder(tmp_path: Path) -> None:
    pipe = sd.sdxl_pipeline(tmp_path / "tokenizer")
    pipe.save_pretrained(tmp_path / "xl")
    folder = read_model_file(tmp_path / "xl")
    single = read_model_file(sd.write_sdxl_single_file(tmp_path / "single.safetensors", pipe))
    assert folder.architecture == single.architecture == "sdxl"
    generator = DiffusersGenerator([folder, single], SETTINGS)
    assert np.abs(arrays(generator, single, [0, 1]) - arrays(generator, folder, [0, 1])).max() <= 1
