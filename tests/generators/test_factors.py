"""What a network adds to a weight, against PEFT's own layers and the formulas in loops."""

from __future__ import annotations

from typing import Any

import peft
import pytest
import torch
from packaging.version import Version

from modelsearch_core.generators.factors import changed_weight

LAYERS = {
    "linear": lambda: torch.nn.Linear(6, 8, bias=False),
    "convolution": lambda: torch.nn.Conv2d(6, 8, 3, bias=False),
    "pointwise": lambda: torch.nn.Conv2d(6, 8, 1, bias=False),
}
Tensors = dict[str, torch.Tensor]


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def adapted(layer: torch.nn.Module, config: Any) -> tuple[torch.Tensor, Tensors]:
    """The weight with an adapter of PEFT merged in, and the adapter's tensors, all random."""
    model = torch.nn.Sequential(layer)
    peft.inject_adapter_in_model(config, model)
    for number, (name, parameter) in enumerate(model.named_parameters()):
        if "base_layer" not in name:
            parameter.data = random(*parameter.shape, seed=number + 1).abs() + 0.1
    factors = {name.removeprefix("0.").replace(".default", ""): tensor.detach().clone() for name, tensor in
               model.state_dict().items() if "base_layer" not in name}  # fmt: skip
    model[0].merge()  # pyright: ignore[reportCallIssue, reportOperatorIssue]
    return model[0].get_base_layer().weight.detach(), factors  # pyright: ignore[reportCallIssue, reportOperatorIssue]


@pytest.fixture(params=LAYERS)
def layer(request: pytest.FixtureRequest) -> torch.nn.Module:
    made = LAYERS[request.param]()
    made.weight.data = random(*made.weight.shape, seed=99)
    return made


def test_lora_is_that_of_peft(layer: Any) -> None:
    before = layer.weight.detach().clone()
    after, factors = adapted(layer, peft.LoraConfig(r=2, lora_alpha=3, target_modules=["0"]))
    ours = {"down": factors["lora_A.weight"], "up": factors["lora_B.weight"], "alpha": torch.tensor(3.0)}
    torch.testing.assert_close(changed_weight(before, ours, 1.0), after, atol=1e-5, rtol=1e-5)


def test_dora_is_that_of_peft(layer: Any) -> None:
    before = layer.weight.detach().clone()
    after, factors = adapted(layer, peft.LoraConfig(r=2, lora_alpha=3, use_dora=True, target_modules=["0"]))
    ours = {"down": factors["lora_A.weight"], "up": factors["lora_B.weight"], "alpha": torch.tensor(3.0),
            "dora_scale": next(v for k, v in factors.items() if "magnitude" in k).reshape(-1, 1)}  # fmt: skip
    torch.testing.assert_close(changed_weight(before, ours, 1.0), after, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("tucker", [False, True])
def test_loha_is_that_of_peft(layer: Any, tucker: bool) -> None:
    before = layer.weight.detach().clone()
    config = peft.LoHaConfig(r=2, alpha=3, use_effective_conv2d=tucker, target_modules=["0"])
    after, factors = adapted(layer, config)
    ours = factors | {"alpha": torch.tensor(3.0)}
    torch.testing.assert_close(changed_weight(before, ours, 1.0), after, atol=1e-4, rtol=1e-4)


@pytest.mark.skipif(Version(peft.__version__) < Version("0.21"), reason="older PEFT leaves alpha out of LoKr")
@pytest.mark.parametrize("tucker", [False, True])
@pytest.mark.parametrize("both", [False, True])
def test_lokr_is_that_of_peft(layer: Any, tucker: bool, both: bool) -> None:
    before = layer.weight.detach().clone()
    config = peft.LoKrConfig(
        r=1, alpha=3, use_effective_conv2d=tucker, decompose_both=both, decompose_factor=2, target_modules=["0"]
    )
    after, factors = adapted(layer, config)
    ours = factors | {"alpha": torch.tensor(3.0)}
    torch.testing.assert_close(changed_weight(before, ours, 1.0), after, atol=1e-4, rtol=1e-4)


def test_two_full_kronecker_factors_take_no_alpha() -> None:
    w1, w2 = random(2, 3), random(4, 2, seed=1)
    ours = changed_weight(torch.zeros(8, 6), {"lokr_w1": w1, "lokr_w2": w2, "alpha": torch.tensor(9.0)}, 1.0)
    loops = [[w1[i // 4, j // 2] * w2[i % 4, j % 2] for j in range(6)] for i in range(8)]
    torch.testing.assert_close(ours, torch.tensor(loops))


def test_a_tucker_core_is_a_convolution_between_down_and_up() -> None:
    down, mid, up, x = random(2, 6, 1, 1), random(2, 2, 3, 3, seed=1), random(8, 2, 1, 1, seed=2), random(1, 6, 5, 5)
    ours = changed_weight(torch.zeros(8, 6, 3, 3), {"down": down, "mid": mid, "up": up}, 1.0)
    conv = torch.nn.functional.conv2d
    torch.testing.assert_close(conv(x, ours), conv(conv(conv(x, down), mid), up), atol=1e-4, rtol=1e-4)


def test_a_magnitude_per_input_sets_the_norm_of_every_column() -> None:
    magnitude = random(1, 6).abs()
    factors = {"down": random(2, 6), "up": random(8, 2, seed=1), "dora_scale": magnitude}
    torch.testing.assert_close(changed_weight(random(8, 6, seed=2), factors, 1.0).norm(dim=0, keepdim=True), magnitude)


def test_a_full_difference_is_added_and_strength_is_linear() -> None:
    weight, diff = random(8, 6), random(8, 6, seed=1)
    torch.testing.assert_close(changed_weight(weight, {"diff": diff}, 0.5), weight + diff / 2)
    dora = {"down": random(2, 6), "up": random(8, 2, seed=1), "dora_scale": random(8, 1).abs()}
    half, full = (changed_weight(weight, dora, strength) for strength in (0.5, 1.0))
    torch.testing.assert_close(half, (weight + full) / 2)
    torch.testing.assert_close(changed_weight(weight, dora, 0.0), weight)
