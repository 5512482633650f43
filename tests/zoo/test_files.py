"""The formats in which the zoo's models are written, on a network with random weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from benchmarks.emoji_zoo import autoencoder as emoji_autoencoder
from benchmarks.zoo import autoencoder, diffusion, lora, lora_files, mini, single_file, vocabulary
from benchmarks.zoo.diffusion import TinyDiffusion

PROMPT = "a red star on a white background"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import CLIPTokenizer

    path = tmp_path_factory.mktemp("base")
    vocabulary.save(path / "words")
    tokenizer = CLIPTokenizer.from_pretrained(path / "words")
    torch.manual_seed(0)
    model = TinyDiffusion(diffusion.new_unet(), diffusion.new_text(tokenizer), autoencoder.new(), tokenizer)
    model.vae.register_to_config(scaling_factor=0.7)
    diffusion.save(model, path / "model")
    return path / "model"


@pytest.fixture(scope="module")
def model(folder: Path) -> TinyDiffusion:
    return diffusion.read(folder)


def test_a_single_file_paints_what_the_folder_paints(model: TinyDiffusion, folder: Path, tmp_path: Path):
    single_file.save(model, tmp_path / "one.safetensors", {})
    again = diffusion.read(tmp_path / "one.safetensors", folder)
    expected, found = (diffusion.sample(m, [PROMPT], [3], steps=3) for m in (model, again))
    assert (expected == found).all()


def test_an_autoencoder_of_four_levels_is_upside_down_in_the_original_layout():
    vae = emoji_autoencoder.new()
    keys = single_file.vae_keys(vae.state_dict())
    first, last = (vae.decoder.up_blocks[i].resnets[0].conv1.weight for i in (0, 3))
    assert torch.equal(keys["decoder.up.3.block.0.conv1.weight"], first)
    assert torch.equal(keys["decoder.up.0.block.0.conv1.weight"], last)
    assert "decoder.up.0.upsample.conv.weight" not in keys and "decoder.up.1.upsample.conv.weight" in keys


@pytest.mark.parametrize("layout", ["kohya", "peft", "dora"])
def test_diffusers_applies_a_file_as_it_was_trained(model: TinyDiffusion, folder: Path, tmp_path: Path, layout: str):
    from diffusers import StableDiffusionPipeline

    low = _random(lora.new(model, 4, dora=layout == "dora"))
    plan = replace(mini.loras()[0], layout="kohya" if layout == "kohya" else "peft")
    lora_files.save(low, plan, tmp_path / "x.safetensors", [])
    pipe = StableDiffusionPipeline.from_pretrained(folder)
    pipe.load_lora_weights(str(tmp_path), weight_name="x.safetensors")
    pipe.fuse_lora()
    for name, expected in lora.merged(model, low).items():
        layer = pipe.unet.get_submodule(name.removesuffix(".weight"))
        torch.testing.assert_close(layer.base_layer.weight, expected.detach(), atol=2e-3, rtol=5e-3)


@pytest.mark.parametrize("dora", [False, True])
@pytest.mark.parametrize("layout", ["kohya", "peft"])
def test_a_file_reads_back_as_what_was_written(model: TinyDiffusion, tmp_path: Path, layout: str, dora: bool):
    low = _random(lora.new(model, 4, dora=dora and layout == "peft"))
    lora_files.save(low, replace(mini.loras()[0], layout=layout), tmp_path / "x.safetensors", [])
    again = lora_files.read(tmp_path / "x.safetensors", [name for name, _ in model.unet.named_modules()])
    expected, found = lora.merged(model, low), lora.merged(model, again)
    assert expected.keys() == found.keys()
    for name, weight in expected.items():
        torch.testing.assert_close(found[name], weight, atol=2e-3, rtol=5e-3)


def test_kohya_headers_tell_what_kohya_tells(model: TinyDiffusion, tmp_path: Path):
    plan = next(p for p in mini.loras() if p.trigger and "kohya" in p.metadata)
    lora_files.save(lora.new(model, 4), plan, tmp_path / "x.safetensors", [f"a red star, {plan.trigger}"])
    with safe_open(tmp_path / "x.safetensors", "pt") as file:
        header = file.metadata()
        assert all(key.endswith((".lora_down.weight", ".lora_up.weight", ".alpha")) for key in file.keys())  # noqa: SIM118  # not a dict
    assert header["ss_network_module"] == "networks.lora"
    (tags,) = json.loads(header["ss_tag_frequency"]).values()
    assert tags == {"a red star": 1, plan.trigger: 1}


def _random(low: dict[str, lora.Factors]) -> dict[str, lora.Factors]:
    torch.manual_seed(1)
    for factors in low.values():
        factors.up.data.normal_(0, 0.1)
        if factors.magnitude is not None:
            factors.magnitude.data *= 1.2
    return low
