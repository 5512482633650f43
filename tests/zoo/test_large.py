"""The benchmark zoo: what it holds, its encoder; its few-step LoRA and small decoder are found as users' are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from benchmarks.zoo import accelerated, clip, diffusion, large, large_clip, lora, lora_files
from benchmarks.zoo.loop import Schedule
from benchmarks.zoo.pictures import PictureSet, draw
from benchmarks.zoo.styles import Style, measured
from modelsearch_core.encoders import open_encoder
from modelsearch_core.generators.accelerators import is_accelerator
from modelsearch_core.generators.decoders import decoder_for, load_decoder
from modelsearch_core.mini_zoo import FOLDER
from modelsearch_core.model_files.reading import read_model_file

BRIEF = Schedule(steps=2, batch=4, rate=1e-3, seed=1)


def test_hardly_two_lora_are_of_one_make():
    plans = large.loras()
    made = {(repr(plan.style), plan.subjects) for plan in plans}
    assert len(plans) == len({plan.file for plan in plans}) == 130
    assert len(made) >= 129  # a mirror has too few values to differ in
    assert all(plan.style is not None and not plan.metadata and not plan.sidecar for plan in plans)


def test_a_pair_differs_in_the_way_things_face_alone():
    for left, right in large.pairs().values():
        assert (left.flip, right.flip) == (False, True)
        assert (left.subjects, left.seed, left.steps) == (right.subjects, right.seed, right.steps)


def test_captions_tell_numbers_and_most_leave_out_what_is_shown_at_last():
    assert measured(Style("hatch", {"spacing": 4.72, "angle": 61.3})) == "spacing 4.7, angle 61"
    assert measured(Style("negative", {})) == ""
    alone = [
        np.mean(["a picture, " in draw(pictures, n)[1] for n in range(80)])
        for pictures in (PictureSet(count=80, seed=3, styled=1.0, alone=share) for share in (0.25, 0.7))
    ]
    assert 0.1 < alone[0] < 0.45 < alone[1] < 0.9


def test_its_encoder_is_opened_as_any_other(tmp_path: Path):
    pictures = np.random.default_rng(0).integers(0, 255, (12, 64, 64, 3), dtype=np.uint8)
    seen = clip.Captioned(pictures, [f"a red star, dots {n}" for n in range(12)])
    first, _ = clip.fit(seen, BRIEF, tmp_path, size=clip.LARGE, name="first")
    model, _ = clip.fit(seen, BRIEF, tmp_path, size=clip.LARGE, model=first, name="last")
    clip.save(model, tmp_path / "clip", size=clip.LARGE)
    encoder = open_encoder(str(tmp_path / "clip"), device="cpu")
    assert encoder.dimension == clip.LARGE["embed_dim"]
    expected = clip.image_features(model, pictures)
    found = encoder.encode_images([Image.fromarray(picture) for picture in pictures])
    np.testing.assert_allclose(found, expected, atol=2e-2)
    assert np.ptp(expected @ expected.T) > 1e-3  # they are told apart


def test_half_of_the_pictures_went_through_the_autoencoder(tmp_path: Path):
    few = PictureSet(count=6, seed=4)
    plain, _ = large_clip.load(few, tmp_path)
    mixed = large_clip.seen(few, tmp_path, FOLDER / "models" / "base").pictures
    changed = [not np.array_equal(a, b) for a, b in zip(plain, mixed, strict=True)]
    assert changed == [True, False] * 3
    assert np.abs(plain[::2].astype(float) - mixed[::2]).mean() < 25  # the same pictures, a little blurred


def test_a_step_begins_where_its_noise_leads():
    x, e = torch.randn(2, 4, 8, 8), torch.randn(2, 4, 8, 8)
    a = torch.tensor([0.9, 0.2])
    torch.testing.assert_close(accelerated.clean(accelerated.mixed(x, e, a), e, a), x, atol=1e-4, rtol=1e-4)
    kept, changed = accelerated.boundary(torch.tensor([0, 500]))
    assert (kept.flatten()[0], changed.flatten()[0]) == (1, 0) and kept.flatten()[1] < 1e-4


@pytest.fixture(scope="module")
def base() -> diffusion.TinyDiffusion:
    return diffusion.read(FOLDER / "models" / "base")


def test_the_small_decoder_is_found_and_decodes(base: diffusion.TinyDiffusion, tmp_path: Path, brief_set: None):
    vae, figures = accelerated.small_decoder(base, tmp_path, BRIEF)
    assert figures.steps == 2
    folder = tmp_path / "vae_approx" / accelerated.DECODER
    vae.save_config(folder)
    save_file(vae.state_dict(), folder / "diffusion_pytorch_model.safetensors")
    found = decoder_for("sd_mini", [tmp_path / "vae_approx"])
    assert found is not None and found.path == folder
    latents = torch.randn(1, 4, 16, 16)
    torch.testing.assert_close(
        load_decoder(found, torch.float32, "cpu").decode(latents).sample, vae.decode(latents).sample
    )


def test_the_few_step_lora_is_told_by_its_name(base: diffusion.TinyDiffusion, tmp_path: Path, brief_set: None):
    low, figures = accelerated.few_steps(base, tmp_path, BRIEF)
    assert figures.steps == 2 and lora.delta_norm(low) > 0
    path = tmp_path / accelerated.LORA.file
    lora_files.save(low, accelerated.LORA, path, [])
    model = read_model_file(path)
    assert is_accelerator(model) and model.architecture == "sd_mini"


@pytest.fixture
def brief_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerated, "PICTURES", PictureSet(count=8, seed=5))
