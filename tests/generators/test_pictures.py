"""Pictures from latents, what is broken about them, and batches that halve."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from modelsearch_core.errors import InvalidOutputError, ModelSearchError
from modelsearch_core.generators import pictures
from modelsearch_core.generators.batches import BatchSize, in_batches
from modelsearch_core.generators.pictures import Inspection, decoded, to_pictures
from modelsearch_core.mini_zoo import FOLDER
from modelsearch_core.model_files import Kind, ModelFile

MODEL = ModelFile(path=Path("m"), kind=Kind.CHECKPOINT, architecture="sd15", fingerprint="", size=0, modified=0,
                  title="My Model")  # fmt: skip


def image(value: float, spread: float = 0.0) -> torch.Tensor:
    return value + spread * torch.linspace(-1, 1, 3 * 8 * 8).reshape(3, 8, 8)


def test_faults_are_told_before_clipping_hides_them() -> None:
    broken = image(0, 0.5)
    broken[0, 0, 0] = torch.nan
    images = torch.stack([image(0, 0.5), image(-1), image(0.3), broken, image(5, 3), image(-0.99, 0.001)])
    found, faults = to_pictures(images)
    assert faults == [None, "black", "constant", "not a number", "constant", "black"]
    assert found[2].getpixel((0, 0)) == (166, 166, 166)
    assert found[3].mode == "RGB" and found[3].size == (8, 8)


def test_eight_bits_are_rounded() -> None:
    array = np.asarray(to_pictures(torch.tensor([-1.0, 0.0, 1.0]).reshape(1, 3, 1, 1))[0][0])
    assert array.tolist() == [[[0, 128, 255]]]


def test_one_flat_picture_in_eight_is_tolerated() -> None:
    inspection = Inspection(MODEL, 16, "float16")
    inspection.add(["black", "constant", *[None] * 8])
    with pytest.raises(InvalidOutputError, match=r"3 of the first 11 pictures of m are black or constant.*VAE"):
        inspection.add(["black"])


def test_four_broken_ones_and_nothing_else_are_enough() -> None:
    inspection = Inspection(MODEL, 64, "float32")
    inspection.add(["not a number"] * 3)
    with pytest.raises(InvalidOutputError, match=r"4 of the first 4 .* are not a number.*damaged"):
        inspection.add(["not a number"])


def test_a_single_broken_picture_is_too_many_of_one() -> None:
    with pytest.raises(InvalidOutputError):
        Inspection(MODEL, 1, "float32").add(["black"])


class HalfVae:
    """Overflows in half precision, as SDXL's does."""

    def __init__(self) -> None:
        self.config = {"scaling_factor": 2.0}
        self.dtype = torch.float16

    def to(self, dtype: torch.dtype) -> None:
        self.dtype = dtype

    def decode(self, latents: torch.Tensor, return_dict: bool) -> tuple[torch.Tensor]:
        assert latents.dtype == self.dtype
        return (latents * 30_000 / 15_000,) if self.dtype == torch.float32 else (latents * 60_000,)


def test_a_vae_that_overflows_goes_on_in_full_precision() -> None:
    vae: Any = HalfVae()
    images = decoded(vae, torch.full((2, 3, 8, 8), 4.0, dtype=torch.float16))
    assert vae.dtype == torch.float32 and images.dtype == torch.float32
    assert images.eq(4.0).all()


def test_latents_with_a_mean_are_put_back() -> None:
    config = {"scaling_factor": 0.5, "latents_mean": [1.0, 2.0], "latents_std": [3.0, 4.0]}
    vae: Any = SimpleNamespace(config=config, dtype=torch.float32, decode=lambda latents, return_dict: (latents,))
    assert decoded(vae, torch.ones(1, 2, 1, 1)).flatten().tolist() == [1 / 0.5 * 3 + 1, 1 / 0.5 * 4 + 2]


@pytest.fixture
def vae() -> Any:
    """The mini zoo's, which has really been trained."""
    if not (FOLDER / "models" / "base").is_dir():
        pytest.skip("mini_zoo is not built")
    from diffusers import AutoencoderKL

    return AutoencoderKL.from_pretrained(FOLDER / "models" / "base", subfolder="vae").eval()


def latents_of(vae: Any, count: int) -> torch.Tensor:
    channels = vae.config["latent_channels"]
    return torch.randn((count, channels, 8, 8), generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_pictures_decoded_together_are_those_decoded_one_by_one(vae: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    latents, together = latents_of(vae, 7), list[int]()
    decode = vae.decode
    monkeypatch.setattr(vae, "decode", lambda part, **how: together.append(len(part)) or decode(part, **how))
    monkeypatch.setattr(pictures, "ROOM", 4 * pictures.A_PIXEL * _edge(vae) ** 2 * 4)
    found = decoded(vae, latents)
    assert together == [1, 4, 2]
    monkeypatch.setattr(pictures, "ROOM", 0)
    alone = decoded(vae, latents)
    assert together[3:] == [1] * 7
    torch.testing.assert_close(found, alone, rtol=1e-4, atol=1e-4)
    assert found.std() > 0.1


def _edge(vae: Any) -> int:
    return 8 * 2 ** (len(vae.config["block_out_channels"]) - 1)


@torch.no_grad()
def test_without_memory_for_several_they_are_decoded_one_by_one(vae: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    latents, tried = latents_of(vae, 5), list[int]()
    expected, decode = decoded(vae, latents), vae.decode

    def scarce(part: torch.Tensor, **how: Any) -> Any:
        tried.append(len(part))
        if len(part) > 1:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return decode(part, **how)

    monkeypatch.setattr(vae, "decode", scarce)
    torch.testing.assert_close(decoded(vae, latents), expected, rtol=1e-4, atol=1e-4)
    assert tried == [1, 4, 1, 1, 1, 1]


def test_where_not_even_one_fits_whoever_asked_is_told() -> None:
    def decode(latents: torch.Tensor, return_dict: bool) -> Any:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    vae: Any = SimpleNamespace(config={"scaling_factor": 1.0}, dtype=torch.float32, decode=decode)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        decoded(vae, torch.ones(3, 4, 1, 1))


class Memory:
    """Holds `room` items at once."""

    def __init__(self, room: int, error: Exception) -> None:
        self.room, self.error, self.tried = room, error, list[int]()

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.tried.append(len(items))
        if len(items) > self.room:
            raise self.error
        return list(items)


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_batches_halve_until_they_fit_and_stay_so(error: Exception) -> None:
    memory, size = Memory(3, error), BatchSize(16)
    done = list(in_batches(range(10), memory, size, "a picture"))
    assert [item for batch in done for item in batch] == list(range(10))
    assert memory.tried == [10, 5, 2, 2, 2, 2, 2] and size.value == 2
    list(in_batches(range(2), memory, size, "a picture"))
    assert memory.tried[-1] == 2


def test_when_not_even_one_fits_the_error_says_what_to_do() -> None:
    memory = Memory(0, torch.cuda.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(ModelSearchError, match=r"a picture of 512x512, one at a time.*--size"):
        list(in_batches(range(4), memory, BatchSize(4), "a picture of 512x512"))


def test_any_other_error_is_passed_on() -> None:
    with pytest.raises(RuntimeError, match="shapes"):
        list(in_batches(range(4), Memory(0, RuntimeError("shapes differ")), BatchSize(4), "a picture"))
