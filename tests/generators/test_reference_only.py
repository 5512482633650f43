"""Reference-only attention against a slow, explicit implementation on small random UNets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import diffusers
import pytest
import torch

from modelsearch_core.generators.reference_only import Reference, noise_level, reference_only
from tests.making import stable_diffusion as sd

Tensor = torch.Tensor
B, CONTEXT = 3, 48


def sdxl_unet() -> Any:
    """SDXL's way: linear projections, two transformer blocks, added conditions."""
    return diffusers.UNet2DConditionModel(
        sample_size=16, block_out_channels=(32, 64), cross_attention_dim=CONTEXT, attention_head_dim=(2, 4),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=2, use_linear_projection=True, addition_embed_type="text_time",
        addition_time_embed_dim=8, projection_class_embeddings_input_dim=6 * 8 + 16, norm_num_groups=8,
    )  # fmt: skip


UNETS: dict[str, Callable[[], Any]] = {"sd15": lambda: sd.unet(CONTEXT), "sdxl": sdxl_unet}


@pytest.fixture(params=UNETS)
def unet(request: pytest.FixtureRequest) -> Any:
    torch.manual_seed(0)
    return UNETS[request.param]().eval().requires_grad_(False)


def alphas() -> Tensor:
    return sd.small_scheduler().alphas_cumprod


def inputs(unet: Any, rows: int, *, seed: int = 0) -> dict[str, Any]:
    random = torch.Generator().manual_seed(seed)
    given: dict[str, Any] = {
        "sample": torch.randn(rows, 4, 8, 8, generator=random),
        "timestep": torch.tensor(601),
        "encoder_hidden_states": torch.randn(rows, 7, CONTEXT, generator=random),
    }
    if unet.config["addition_embed_type"]:
        added = torch.randn(rows, 16, generator=random)
        given["added_cond_kwargs"] = {"text_embeds": added, "time_ids": torch.full((rows, 6), 16.0)}
    return given


def reference(rows: int = B, **settings: float) -> Reference:
    random = torch.Generator().manual_seed(7)
    latents, noise = (torch.randn(rows, 4, 8, 8, generator=random) for _ in range(2))
    return Reference(latents=latents, noise=noise, **settings)


def plain_attention(attn: Any, queries: Tensor, keys: Tensor) -> Tensor:
    """softmax(q·kᵀ/√d)·v, one row, one head and one query at a time."""
    q, k, v = attn.to_q(queries), attn.to_k(keys), attn.to_v(keys)
    heads, d = attn.heads, q.shape[-1] // attn.heads
    out = torch.empty_like(q)
    for row in range(len(q)):
        for head in range(heads):
            of = slice(head * d, (head + 1) * d)
            for place in range(q.shape[1]):
                shares = ((k[row, :, of] @ q[row, place, of]) / d**0.5).softmax(dim=0)
                out[row, place, of] = shares @ v[row, :, of]
    return attn.to_out[0](out)


def explicit(unet: Any, given: dict[str, Any], drawn: Reference, shares: list[float]) -> Tensor:
    """Both passes written out, by replacing the forward of every self-attention."""
    layers = [module for name, module in unet.named_modules() if name.endswith("attn1")]
    seen: dict[int, Tensor] = {}
    a = alphas()[int(given["timestep"])]
    rows = len(given["sample"])
    noised = a.sqrt() * drawn.latents + (1 - a).sqrt() * drawn.noise
    noised = torch.cat([noised] * (rows // len(noised)))

    def write(layer: Any) -> Callable[..., Tensor]:
        def forward(tokens: Tensor, **_: Any) -> Tensor:
            seen[id(layer)] = tokens
            return plain_attention(layer, tokens, tokens)

        return forward

    def read(layer: Any) -> Callable[..., Tensor]:
        def forward(tokens: Tensor, **_: Any) -> Tensor:
            alone = plain_attention(layer, tokens, tokens)
            both = plain_attention(layer, tokens, torch.cat([tokens, seen[id(layer)]], dim=1))
            return torch.stack([s * b + (1 - s) * o for s, b, o in zip(shares, both, alone, strict=True)])

        return forward

    for layer in layers:
        layer.forward = write(layer)
    unet(**{**given, "sample": noised})
    for layer in layers:
        layer.forward = read(layer)
    result = unet(**given).sample
    for layer in layers:
        del layer.forward
    return result


@pytest.mark.parametrize(("weight", "fidelity"), [(1.0, 0.5), (1.0, 0.0), (1.0, 1.0), (0.4, 0.25)])
@pytest.mark.parametrize("guided", [False, True], ids=["alone", "with guidance"])
def test_it_is_the_explicit_computation(unet: Any, weight: float, fidelity: float, guided: bool):
    given = inputs(unet, 2 * B if guided else B)
    drawn = reference(weight=weight, style_fidelity=fidelity)
    shares = [weight * (1 - fidelity)] * (B if guided else 0) + [weight] * B
    with reference_only(unet, alphas(), drawn):
        ours = unet(**given).sample
    theirs = explicit(unet, given, drawn, shares)
    assert torch.allclose(ours, theirs, atol=2e-5)
    assert (ours - unet(**given).sample).abs().max() > 1e-3


def test_weight_zero_is_bit_identical_to_no_reference(unet: Any):
    given = inputs(unet, 2 * B)
    with reference_only(unet, alphas(), reference(weight=0.0)):
        ours = unet(**given).sample
    assert torch.equal(ours, unet(**given).sample)


def test_the_unet_is_as_before_even_after_an_error(unet: Any):
    given = inputs(unet, B)
    before, own = unet(**given).sample, dict(unet.attn_processors)
    weights = {name: tensor.clone() for name, tensor in unet.state_dict().items()}
    with pytest.raises(RuntimeError, match="stop"), reference_only(unet, alphas(), reference()):
        unet(**given)
        raise RuntimeError("stop")
    assert unet.attn_processors == own
    assert not unet._forward_pre_hooks
    assert torch.equal(before, unet(**given).sample)
    assert all(tensor.equal(weights[name]) for name, tensor in unet.state_dict().items())


def test_a_row_depends_on_its_own_drawing_alone(unet: Any):
    given, drawn = inputs(unet, B), reference()
    with reference_only(unet, alphas(), drawn):
        together = unet(**given).sample
    one = inputs(unet, B)
    one = {name: value[1:2] if isinstance(value, Tensor) and value.dim() else value for name, value in one.items()}
    if "added_cond_kwargs" in one:
        one["added_cond_kwargs"] = {name: value[1:2] for name, value in one["added_cond_kwargs"].items()}
    with reference_only(unet, alphas(), Reference(latents=drawn.latents[1:2], noise=drawn.noise[1:2])):
        alone = unet(**one).sample
    assert torch.allclose(together[1:2], alone, atol=1e-5)


def test_the_drawing_counts_and_its_noise_too(unet: Any):
    given, drawn = inputs(unet, B), reference()
    variants = [
        drawn,
        Reference(latents=drawn.latents + 1, noise=drawn.noise),
        Reference(latents=drawn.latents, noise=-drawn.noise),
    ]
    results: list[Tensor] = []
    for variant in variants:
        with reference_only(unet, alphas(), variant):
            results.append(unet(**given).sample)
    assert all((results[0] - other).abs().max() > 1e-3 for other in results[1:])


def test_rows_that_fit_no_drawing_are_refused(unet: Any):
    with pytest.raises(ValueError, match="5 rows for 3 drawings"), reference_only(unet, alphas(), reference()):
        unet(**inputs(unet, 5))
    with pytest.raises(ValueError, match="weight must be from 0 to 1, not 2"):
        reference(weight=2.0)


@pytest.mark.parametrize(
    "sampler", ["DDIMScheduler", "EulerDiscreteScheduler", "DPMSolverMultistepScheduler", "LCMScheduler"]
)
def test_the_noise_level_is_what_each_sampler_gives_the_unet(sampler: str):
    """Noising by the sampler's own rule and scaling by its own rule, at every step, is √ᾱ·x + √(1−ᾱ)·noise."""
    scheduler = getattr(diffusers, sampler).from_config(sd.small_scheduler().config)
    scheduler.set_timesteps(7)
    x, noise = torch.full((1, 1, 1, 1), 2.0), torch.full((1, 1, 1, 1), -3.0)
    for t in scheduler.timesteps:
        scheduler._step_index = None  # else it stays where it was, since no step is taken
        theirs = scheduler.scale_model_input(scheduler.add_noise(x, noise, t[None]), t)
        a = noise_level(scheduler.alphas_cumprod, t)
        assert torch.allclose(theirs.double(), a.sqrt() * x + (1 - a).sqrt() * noise, atol=2e-3), t


def test_between_two_timesteps_the_level_lies_between():
    a = alphas()
    low, middle, high = (float(noise_level(a, t)) for t in (300, 300.5, 301))
    assert high < middle < low
    assert low == pytest.approx(float(a[300]), abs=1e-6)
