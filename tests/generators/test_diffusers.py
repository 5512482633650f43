"""The diffusers generator on real pipelines with random weights."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from modelsearch_core.errors import InvalidOutputError, MissingBaseError, ModelSearchError
from modelsearch_core.generators.diffusers import DiffusersGenerator, short
from modelsearch_core.generators.resident import Request
from modelsearch_core.generators.settings import GeneratorSettings
from modelsearch_core.model_files import ModelFile, read_model_file
from modelsearch_core.probes import default_probes
from tests.making import stable_diffusion as sd

PROBES = default_probes(8)
Models = dict[str, ModelFile]


def pictures(generator: DiffusersGenerator, model: ModelFile, numbers: Sequence[int] = (0, 1, 2)) -> list[Image.Image]:
    probe_set = generator.plan(model, PROBES)
    return [image for batch in generator.generate(model, probe_set, numbers) for image in batch]


def as_arrays(images: Sequence[Image.Image]) -> np.ndarray[Any, Any]:
    return np.stack([np.asarray(image, np.int16) for image in images])


def test_pictures_are_those_of_a_plain_pipeline(generator: DiffusersGenerator, models: Models, pipe: Any) -> None:
    from diffusers import DPMSolverMultistepScheduler

    ours = as_arrays(pictures(generator, models["base"], [3]))
    pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config, use_karras_sigmas=True)
    noise = torch.randn((1, 4, 32, 32), generator=torch.Generator().manual_seed(PROBES[3].seed))
    theirs = pipe(PROBES[3].prompt, negative_prompt="", latents=noise, num_inference_steps=3, guidance_scale=3.0,
                  height=128, width=128).images  # fmt: skip
    assert np.abs(ours - as_arrays(theirs)).max() <= 1


def test_a_picture_does_not_depend_on_its_batch_or_order(models: Models) -> None:
    one_by_one = DiffusersGenerator(list(models.values()), GeneratorSettings(device="cpu", steps=3, batch=1))
    at_once = DiffusersGenerator(list(models.values()), GeneratorSettings(device="cpu", steps=3, batch=4))
    alone = as_arrays(pictures(one_by_one, models["kohya"], [0, 1, 2, 5]))
    together = as_arrays(pictures(at_once, models["kohya"], [5, 2, 1, 0]))[::-1]
    assert np.abs(alone - together).max() <= 1
    assert (alone == together).mean() > 0.99
    assert np.array_equal(alone, as_arrays(pictures(one_by_one, models["kohya"], [0, 1, 2, 5])))


def test_a_base_is_loaded_once_and_comes_back_bit_by_bit(generator: DiffusersGenerator, models: Models) -> None:
    before = as_arrays(pictures(generator, models["base"]))
    with_kohya = as_arrays(pictures(generator, models["kohya"]))
    with_peft = as_arrays(pictures(generator, models["peft"]))
    assert np.array_equal(before, as_arrays(pictures(generator, models["base"])))
    assert generator.loads == 1
    assert np.abs(with_kohya - before).mean() > 1 and np.abs(with_peft - with_kohya).mean() > 1


def test_no_weight_of_the_base_differs_after_a_lora(generator: DiffusersGenerator, models: Models) -> None:
    pictures(generator, models["base"], [0])
    pipe = generator._resident.pipe  # pyright: ignore[reportPrivateUsage, reportOptionalMemberAccess]
    before = {name: tensor.clone() for name, tensor in pipe.unet.state_dict().items()}
    pictures(generator, models["kohya"], [0])
    assert any(not tensor.equal(before[name]) for name, tensor in pipe.unet.state_dict().items())
    pictures(generator, models["base"], [0])
    assert all(tensor.equal(before[name]) for name, tensor in pipe.unet.state_dict().items())


def test_one_model_is_in_memory_at_a_time(generator: DiffusersGenerator, models: Models) -> None:
    for name in ("base", "single", "single", "base"):
        pictures(generator, models[name], [0])
    assert generator.loads == 3
    generator.close()
    generator.close()


def test_a_single_file_gives_the_pictures_of_its_folder(tmp_path: Path, zoo: Path, pipe: Any, models: Models) -> None:
    file = read_model_file(sd.write_single_file(tmp_path / "copy.safetensors", pipe, dtype=torch.float32))
    generator = DiffusersGenerator([*models.values(), file], GeneratorSettings(device="cpu", steps=3))
    ours, theirs = (as_arrays(pictures(generator, model)) for model in (file, models["base"]))
    assert np.abs(ours - theirs).max() <= 1


def test_planning_loads_nothing(generator: DiffusersGenerator, models: Models) -> None:
    plan = generator.plan(models["kohya"], PROBES)
    assert generator.loads == 0
    assert (plan.width, plan.steps, plan.guidance, plan.precision) == (128, 3, 3.0, "float32")
    assert (plan.base, plan.lora_weight) == (models["base"].fingerprint, 1.0)


def test_the_base_of_a_lora_is_asked_as_the_checkpoint_that_it_is(
    generator: DiffusersGenerator, models: Models
) -> None:
    assert generator.plan(models["kohya"], PROBES).for_base() == generator.plan(models["base"], PROBES)
    assert generator.base_of(models["base"]) is None


def test_a_lora_without_a_base_says_what_is_missing(models: Models) -> None:
    generator = DiffusersGenerator([models["kohya"]], GeneratorSettings(device="cpu"))
    with pytest.raises(MissingBaseError, match=r"kohya.safetensors .* sd_mini .* none at all.*choose a base model"):
        generator.plan(models["kohya"], PROBES)


def test_a_single_file_of_other_widths_needs_a_folder_that_fits(models: Models) -> None:
    generator = DiffusersGenerator([models["single"]], GeneratorSettings(device="cpu"))
    with pytest.raises(ModelSearchError, match="diffusers folder of the model it was made from"):
        pictures(generator, models["single"])


def test_the_weight_of_a_lora_counts(models: Models) -> None:
    known = list(models.values())
    at = {
        w: DiffusersGenerator(known, GeneratorSettings(device="cpu", steps=3, lora_weight=w)) for w in (0.0, 0.5, 1.0)
    }
    base = as_arrays(pictures(at[1.0], models["base"]))
    changes = [np.abs(as_arrays(pictures(generator, models["kohya"])) - base).mean() for generator in at.values()]
    assert changes[0] == 0 and 0 < changes[1] != changes[2]


def test_trigger_words_leave_room_for_the_prompt() -> None:
    assert short(["ohwx", "ink wash"]) == ("ohwx", "ink wash")
    assert short([*"abc", "x" * 100, "d"]) == ("a", "b", "c")


def test_a_missing_device_names_those_there(models: Models) -> None:
    generator = DiffusersGenerator(list(models.values()), GeneratorSettings(device="tpu"))
    with pytest.raises(ModelSearchError, match=r"no device tpu here; there is .*cpu"):
        generator.plan(models["base"], PROBES)


def test_a_few_step_lora_at_hand_is_used_and_recorded(zoo: Path, tmp_path: Path, models: Models, pipe: Any) -> None:
    lcm = read_model_file(sd.write_kohya(tmp_path / "lcm-lora-small.safetensors", pipe, alpha=0.5))
    generator = DiffusersGenerator([*models.values(), lcm], GeneratorSettings(device="cpu"))
    plan = generator.plan(models["peft"], PROBES)
    assert (plan.accelerator, plan.steps, plan.guidance, plan.sampler) == (lcm.fingerprint, 6, 1.0, "lcm")
    assert plan.for_base() == generator.plan(models["base"], PROBES)
    with_both = as_arrays(pictures(generator, models["peft"]))
    base = as_arrays(pictures(generator, models["base"]))
    assert np.abs(with_both - base).mean() > 1 and generator.loads == 1
    alone = DiffusersGenerator([*models.values(), lcm], GeneratorSettings(device="cpu", batch=1))
    assert np.abs(with_both - as_arrays(pictures(alone, models["peft"]))).max() <= 1
    off = DiffusersGenerator([*models.values(), lcm], GeneratorSettings(device="cpu", accelerator=False))
    assert off.plan(models["peft"], PROBES).accelerator is None
    assert generator.plan(lcm, PROBES).accelerator is None


def test_a_bare_diffusion_model_goes_into_its_base(tmp_path: Path, models: Models, pipe: Any) -> None:
    from diffusers import UNet2DConditionModel

    torch.manual_seed(5)
    other: Any = sd.unet(48)
    state = other.state_dict()
    original = {sd.original_unet(name): tensor for name, tensor in state.items()}
    known = [models["base"]]
    for name, tensors in {"diffusers": state, "original": original}.items():
        bare = read_model_file(sd.save(tmp_path / f"{name}.safetensors", tensors))
        generator = DiffusersGenerator([*known, bare], GeneratorSettings(device="cpu", steps=3))
        assert bare.kind.value == "diffusion_model" and generator.base_of(bare) is None
        assert generator.plan(bare, PROBES).base == models["base"].fingerprint
        images = as_arrays(pictures(generator, bare))
        inside = generator._resident.pipe.unet  # pyright: ignore
        assert isinstance(inside, UNet2DConditionModel)
        assert all(tensor.equal(state[key]) for key, tensor in inside.state_dict().items())
        assert np.abs(images - as_arrays(pictures(generator, models["base"]))).mean() > 1


def test_a_broken_model_is_not_indexed(tmp_path: Path, models: Models, zoo: Path) -> None:
    from diffusers import StableDiffusionPipeline

    pipe: Any = StableDiffusionPipeline.from_pretrained(zoo / "base", local_files_only=True)
    pipe.unet.conv_out.weight.data.fill_(float("nan"))
    pipe.save_pretrained(tmp_path / "broken")
    broken = read_model_file(tmp_path / "broken")
    generator = DiffusersGenerator([broken], GeneratorSettings(device="cpu", steps=2))
    with pytest.raises(InvalidOutputError, match=r"pictures of broken are not a number.*damaged"):
        pictures(generator, broken)


def test_an_inpainting_checkpoint_says_why_it_is_not_generated_from(tmp_path: Path, models: Models, zoo: Path) -> None:
    state = load_file(zoo / "single.safetensors")
    state["model.diffusion_model.input_blocks.0.0.weight"] = torch.zeros(32, 9, 3, 3)
    model = read_model_file(sd.save(tmp_path / "inpaint.safetensors", state))
    generator = DiffusersGenerator([*models.values(), model], GeneratorSettings(device="cpu"))
    with pytest.raises(ModelSearchError, match="takes 9 channels, not 4"):
        pictures(generator, model)


def test_a_folder_with_code_is_refused(tmp_path: Path, zoo: Path) -> None:
    shutil.copytree(zoo / "base", tmp_path / "evil")
    (tmp_path / "evil" / "unet" / "payload.py").write_text("raise SystemExit")
    evil = read_model_file(tmp_path / "evil")
    with pytest.raises(ModelSearchError, match="brings its own code, which is not run"):
        pictures(DiffusersGenerator([evil], GeneratorSettings(device="cpu")), evil)


def test_out_of_memory_halves_the_batch_and_remembers(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = DiffusersGenerator(list(models.values()), GeneratorSettings(device="cpu", steps=2, batch=8))
    asked: list[int] = []
    plain = Request.__call__

    def small(self: Request, numbers: Sequence[int]) -> Any:
        asked.append(len(numbers))
        if len(numbers) > 2:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return plain(self, numbers)

    monkeypatch.setattr(Request, "__call__", small)
    assert len(pictures(generator, models["base"], range(5))) == 5
    assert len(pictures(generator, models["kohya"], range(2))) == 2
    assert asked == [5, 2, 2, 1, 2]


def test_importing_the_package_loads_no_torch() -> None:
    code = "import sys, modelsearch_core.generators; sys.exit('torch' in sys.modules or 'diffusers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_half_precision_gives_nearly_the_same_pictures(models: Models, precision: str) -> None:
    known = list(models.values())
    half = DiffusersGenerator(known, GeneratorSettings(device="cpu", steps=3, precision=precision))
    full = DiffusersGenerator(known, GeneratorSettings(device="cpu", steps=3))
    assert half.plan(models["kohya"], PROBES).precision == precision
    ours, theirs = (as_arrays(pictures(generator, models["kohya"])) for generator in (half, full))
    assert 0 < np.abs(ours - theirs).mean() < 4
