"""What records say that a run of the network takes, against what its layers are counted to take, without weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import diffusers
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from modelsearch_core.families import FAMILIES, Recipe, Work

SIZE = 96  # of a latent, for 768 pixels
empty = torch.empty
pytestmark = pytest.mark.slow
LATENT, VIDEO, TIME = (1, 16, SIZE, SIZE), (1, 16, 1, SIZE, SIZE), (1,)
RELEASED: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {  # the class as released, and a run of it
    "cogview3": (
        diffusers.CogView3PlusTransformer2DModel,
        lambda net: net(empty(LATENT), empty(1, 224, 4096), empty(TIME), *(empty(1, 2) for _ in range(3))),
    ),
    "prx": (diffusers.PRXTransformer2DModel, lambda net: net(empty(LATENT), empty(TIME), empty(1, 256, 2304))),
    "sana_video": (
        diffusers.SanaVideoTransformer3DModel,
        lambda net: net(empty(VIDEO), empty(1, 300, 2304), empty(TIME)),
    ),
    "joyimage": (
        lambda: diffusers.JoyImageEditTransformer3DModel(hidden_size=4096, num_attention_heads=32, num_layers=40),
        lambda net: net(empty(VIDEO), empty(TIME), empty(1, 512, 4096)),
    ),
    "flux3": (
        diffusers.Flux3Transformer2DModel,
        lambda net: net(empty(1, 48 * 48, 128), empty(1, 512, 20480), empty(TIME), empty(48 * 48, 4), empty(512, 4)),
    ),
}


@pytest.mark.parametrize("name", RELEASED)
def test_the_layers_take_what_the_record_says(name: str):
    make, run = RELEASED[name]
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        run(make().eval())
    counted = counter.get_flop_counts()["Global"]
    of_layers = sum(flops for kind, flops in counted.items() if "bmm" not in str(kind) and "attention" not in str(kind))
    family = FAMILIES[name]
    assert isinstance(family.work, Work) and isinstance(family.recipe, Recipe)
    assert family.work.teraflops(family.recipe.size) == pytest.approx(of_layers / 1e12, rel=0.05)
