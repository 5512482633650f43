"""Two halves of one model are shown as one of two files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from modelsearch_core.pairs import half_for, one_each, other_halves


@dataclass(frozen=True)
class Shown:
    path: Path
    kind: str = "lora"
    architecture: str = "wan"


def shown(name: str, **others: str) -> Shown:
    return Shown(Path(f"/models/{name}.safetensors"), **others)


@pytest.mark.parametrize(
    ("high", "low"),
    [
        ("wan22_girl_high_noise", "wan22_girl_low_noise"),
        ("wan2.2_t2v_high_noise_14B_fp16", "wan2.2_t2v_low_noise_14B_fp16"),
        ("Wan2.2-T2V-HighNoise-style", "Wan2.2-T2V-LowNoise-style"),
        ("Bounce_HIGH", "Bounce_LOW"),
        ("bounce-HN", "bounce-LN"),
        ("WAN_walk_H.v2", "WAN_walk_L.v2"),
    ],
)
def test_names_that_differ_in_the_noise_are_halves(high: str, low: str) -> None:
    models = [shown(high), shown(low), shown("another")]
    assert other_halves(models) == {models[0].path: models[1].path, models[1].path: models[0].path}
    kept, _ = one_each(models)
    assert kept == [models[0], models[2]]
    assert one_each(models[::-1])[0] == [models[2], models[1]]  # the better one of an answer


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (shown("a_high_noise"), shown("b_low_noise")),
        (shown("a_high_noise"), shown("sub/a_low_noise")),
        (shown("a_high_noise"), shown("a_low_noise", kind="diffusion_model")),
        (shown("a_high", architecture="sdxl"), shown("a_low", architecture="sdxl")),
        (shown("highway"), shown("lowway")),
        (shown("a_high_noise"), shown("a_high_noise v2")),
    ],
)
def test_other_names_are_two_models(first: Shown, second: Shown) -> None:
    assert other_halves([first, second]) == {}
    assert one_each([first, second])[0] == [first, second]


def test_the_half_that_goes_with_a_base_is_that_of_its_noise() -> None:
    high, low, alone = (shown(name).path for name in ("style_high_noise", "style_low_noise", "other"))
    halves = {high: low, low: high}
    base_high, base_low = Path("/models/wan2.2_t2v_high_noise_14B.gguf"), Path("/models/wan2.2_t2v_low_noise_14B.gguf")
    for found in (high, low):
        assert half_for(base_high, found, halves) == half_for(None, found, halves) == high
        assert half_for(base_low, found, halves) == low
    assert half_for(base_low, alone, halves) == alone
