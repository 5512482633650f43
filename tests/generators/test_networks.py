"""LoRA files on a pipeline: every spelling finds its layers, and the pictures are those of diffusers' own loader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from modelsearch_core.errors import ModelSearchError
from modelsearch_core.generators import patches as patching
from modelsearch_core.generators.layer_names import LayerNames, renamed
from modelsearch_core.generators.network_files import layers_of
from modelsearch_core.generators.patches import ROOM, Patches
from modelsearch_core.model_files import Kind, ModelFile
from tests.making import stable_diffusion as sd


def lora(path: Path, network: str = "lora") -> ModelFile:
    return ModelFile(path=path, kind=Kind.LORA, architecture="sd_mini", fingerprint=path.name, size=0, modified=0,
                     title=path.stem, network=network)  # fmt: skip


def noise_prediction(pipe: Any) -> torch.Tensor:
    with torch.no_grad():
        ids = pipe.tokenizer("a cat", padding="max_length", max_length=77, return_tensors="pt").input_ids
        sample = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0))
        return pipe.unet(sample, 500, pipe.text_encoder(ids)[0]).sample


@pytest.fixture
def patches(pipe: Any) -> Any:
    made = Patches(pipe.components)
    yield made
    made.clear()


@pytest.mark.parametrize("name", ["kohya", "peft"])
def test_a_lora_does_what_diffusers_own_loader_makes_of_it(
    tmp_path: Path, pipe: Any, patches: Patches, name: str
) -> None:
    """kohya's without its text encoder, of which diffusers 0.42 with transformers 5.23 silently drops the attention."""
    file = tmp_path / f"{name}.safetensors"
    sd.write_peft(file, pipe) if name == "peft" else sd.write_kohya(file, pipe, text=False)
    plain = noise_prediction(pipe)
    patches.set([(lora(file), 0.7)])
    ours = noise_prediction(pipe)
    patches.clear()
    pipe.load_lora_weights(str(tmp_path), weight_name=file.name, adapter_name="one", local_files_only=True)
    pipe.set_adapters(["one"], [0.7])
    theirs = noise_prediction(pipe)
    pipe.unload_lora_weights()
    assert (theirs - plain).abs().mean() > 0.01
    torch.testing.assert_close(ours, theirs, atol=2e-4, rtol=1e-3)


def test_every_spelling_of_one_network_is_the_same(tmp_path: Path, pipe: Any, patches: Patches) -> None:
    down, up = {}, {}
    for number, (key, weight) in enumerate(sd.layers_of(pipe).items()):
        down[key], up[key] = sd.lora_factors(weight, 2, number)
    spellings = {
        "kohya": lambda part, path: (f"{sd.kohya_name(part, path)}.lora_down.weight",
                                     f"{sd.kohya_name(part, path)}.lora_up.weight"),
        "peft": lambda part, path: (f"{_dotted(part, path)}.lora_A.weight", f"{_dotted(part, path)}.lora_B.weight"),
        "named": lambda part, path: (f"{_dotted(part, path)}.lora_A.default.weight",
                                     f"{_dotted(part, path)}.lora_B.default.weight"),
        "older": lambda part, path: (f"{_dotted(part, path)}.lora.down.weight",
                                     f"{_dotted(part, path)}.lora.up.weight"),
        "oldest": _oldest,
    }  # fmt: skip
    results = []
    for name, spelling in spellings.items():
        state = {}
        for key in down:
            first, second = spelling(*key)
            state |= {first: down[key], second: up[key]}
        patches.set([(lora(sd.save(tmp_path / f"{name}.safetensors", state)), 1.0)])
        results.append(noise_prediction(pipe))
    assert all(torch.equal(result, results[0]) for result in results)


def _dotted(part: str, path: str) -> str:
    return f"unet.{path}" if part == "unet" else f"text_encoder.text_model.{path}"


def _oldest(part: str, path: str) -> tuple[str, str]:
    """Attention processors had the factors, in diffusers up to 0.20."""
    name = _dotted(part, path)
    for new, old in (("attn1.to_q", "attn1.processor.to_q"), ("attn2.to_k", "attn2.processor.to_k"),
                     ("attn1.to_out.0", "attn1.processor.to_out"), ("self_attn.q_proj", "self_attn.to_q")):  # fmt: skip
        if name.endswith(new):
            return (f"{name.replace(new, old)}_lora.down.weight", f"{name.replace(new, old)}_lora.up.weight")
    return f"{name}.lora_linear_layer.down.weight", f"{name}.lora_linear_layer.up.weight"


@pytest.mark.parametrize("flavour", ["dora", "loha", "lokr", "full"])
def test_relatives_of_lora_change_the_prediction_and_go_without_a_trace(
    tmp_path: Path, pipe: Any, patches: Patches, flavour: str
) -> None:
    plain = noise_prediction(pipe)
    path = sd.write_relative(tmp_path / f"{flavour}.safetensors", pipe, flavour)
    patches.set([(lora(path, flavour), 1.0)])
    assert (noise_prediction(pipe) - plain).abs().mean() > 1e-3
    patches.clear()
    assert torch.equal(noise_prediction(pipe), plain)


def numbered(pipe: Any, order: tuple[str, ...]) -> dict[str, torch.Tensor]:
    """As cloneofsimo/lora saves it: the linear layers of attention, in the order of the diffusers of its day."""
    weights: list[torch.Tensor] = []
    for path, module in pipe.unet.named_modules():
        if path.rpartition(".")[0].endswith("transformer_blocks"):
            linear = {"ff": [module.ff.net[0].proj]} | {
                name: [attention.to_q, attention.to_k, attention.to_v, attention.to_out[0]]
                for name, attention in (("attn1", module.attn1), ("attn2", module.attn2))
            }
            weights += [layer.weight for part in order for layer in linear[part]]
    state: dict[str, torch.Tensor] = {}
    for number, weight in enumerate(weights):
        state[f"unet:{number}:down"], state[f"unet:{number}:up"] = sd.lora_factors(weight, 2, weight.numel() % 97)
    return state


@pytest.mark.parametrize("order", [("attn1", "ff", "attn2"), ("attn1", "attn2", "ff")])
def test_layers_with_numbers_are_found_by_their_order_and_widths(
    tmp_path: Path, pipe: Any, patches: Patches, order: tuple[str, ...]
) -> None:
    state = numbered(pipe, order)
    path = sd.save(tmp_path / "a.safetensors", {**state, "<s1>": torch.ones(4)}, {"<s1>": "<embed>"})
    layer = pipe.unet.get_submodule(f"{sd.UNET_LAYERS[1].rpartition('.')[0]}.to_k")  # the first that is as wide as text
    number = next(n for n in range(len(state)) if state[f"unet:{n}:down"].shape[1] == layer.weight.shape[1])
    before = layer.weight.detach().clone()
    patches.set([(lora(path), 1.0)])
    change = state[f"unet:{number}:up"] @ state[f"unet:{number}:down"]
    torch.testing.assert_close(layer.weight.detach() - before, change, atol=1e-5, rtol=1e-4)


def test_numbers_among_other_modules_are_refused(tmp_path: Path, pipe: Any, patches: Patches) -> None:
    state = numbered(pipe, ("attn1", "ff", "attn2"))
    path = sd.save(tmp_path / "a.safetensors", state, {"unet": '["CrossAttention", "ResnetBlock2D"]'})
    with pytest.raises(ModelSearchError, match="among those of ResnetBlock2D"):
        patches.set([(lora(path), 1.0)])


def test_simpletuners_names_are_kohyas(tmp_path: Path, pipe: Any, patches: Patches) -> None:
    state = sd.lora_factors(pipe.unet.get_submodule(sd.UNET_LAYERS[0]).weight, 2, 0)
    name = sd.UNET_LAYERS[0].replace(".", "_")
    results = []
    for prefix in ("lora_unet", "lycoris", "lycoris_unet"):
        factors = {f"{prefix}_{name}.lora_down.weight": state[0], f"{prefix}_{name}.lora_up.weight": state[1]}
        patches.set([(lora(sd.save(tmp_path / f"{prefix}.safetensors", factors)), 1.0)])
        results.append(noise_prediction(pipe))
    assert torch.equal(results[0], results[1]) and torch.equal(results[0], results[2])


def test_a_network_of_norms_alone_is_applied(tmp_path: Path, pipe: Any, patches: Patches) -> None:
    path = "down_blocks.1.attentions.0.transformer_blocks.0.norm1"
    norm = pipe.unet.get_submodule(path)
    before, bias = norm.weight.detach().clone(), norm.bias.detach().clone()
    name = f"lora_unet_{path.replace('.', '_')}"
    state = {f"{name}.w_norm": torch.full_like(before, 0.5), f"{name}.b_norm": torch.full_like(bias, -0.25)}
    patches.set([(lora(sd.save(tmp_path / "norm.safetensors", state), "full"), 1.0)])
    torch.testing.assert_close(norm.weight.detach(), before + 0.5)
    torch.testing.assert_close(norm.bias.detach(), bias - 0.25)


def test_two_networks_add_up_and_come_off_together(zoo: Path, pipe: Any, patches: Patches) -> None:
    plain = noise_prediction(pipe)
    kohya, peft = (lora(zoo / f"{name}.safetensors") for name in ("kohya", "peft"))
    weight = pipe.unet.get_submodule(sd.UNET_LAYERS[0]).weight
    before = weight.detach().clone()
    changes = []
    for networks in ([kohya], [peft], [kohya, peft]):
        patches.set([(network, 1.0) for network in networks])
        changes.append(weight.detach() - before)
    torch.testing.assert_close(changes[2], changes[0] + changes[1], atol=1e-5, rtol=1e-4)
    patches.set([])
    assert torch.equal(noise_prediction(pipe), plain)


def test_alpha_of_peft_comes_from_the_header_or_from_the_file_beside(tmp_path: Path) -> None:
    state = {"unet.a.lora_A.weight": torch.ones(4, 3), "unet.a.lora_B.weight": torch.ones(3, 4)}
    header = sd.save(
        tmp_path / "x.safetensors", state, {"lora_adapter_metadata": '{"unet.lora_alpha": 8, "unet.r": 4}'}
    )
    assert float(layers_of(lora(header))["unet.a"]["alpha"]) == 8
    beside = sd.save(tmp_path / "adapter_model.safetensors", state)
    (tmp_path / "adapter_config.json").write_text('{"lora_alpha": 6, "use_rslora": true, "alpha_pattern": {"b": 1}}')
    assert float(layers_of(lora(beside))["unet.a"]["alpha"]) == 6 * 4**0.5
    assert "alpha" not in layers_of(lora(sd.save(tmp_path / "plain.safetensors", state)))["unet.a"]


def test_every_original_name_of_sdxl_is_known() -> None:
    unet = sdxl_unet()
    for path, module in unet.named_modules():
        if not list(module.children()) and list(module.parameters()):
            original = sd.original_unet(f"{path}.weight").removesuffix(".weight").replace(".", "_")
            assert renamed(original, 3) == path.replace(".", "_")


def test_original_names_are_renamed_as_diffusers_does() -> None:
    from types import SimpleNamespace

    from diffusers.loaders.lora_conversion_utils import _maybe_map_sgm_blocks_to_diffusers

    names = ("input_blocks_4_1_transformer_blocks_0_attn1_to_q", "input_blocks_8_1_proj_in",
             "middle_block_1_transformer_blocks_9_ff_net_0_proj", "output_blocks_0_1_transformer_blocks_1_attn2_to_k",
             "output_blocks_5_1_proj_out")  # fmt: skip
    theirs = _maybe_map_sgm_blocks_to_diffusers(
        {f"lora_unet_{name}.alpha": 0 for name in names}, SimpleNamespace(layers_per_block=2)
    )
    ours = {"lora_unet_" + renamed(name, 3) + ".alpha" for name in names}
    unet = LayerNames({"unet": sdxl_unet()})
    assert {unet.place_of(name.removesuffix(".alpha")) for name in ours} == {
        unet.place_of(name.removesuffix(".alpha").replace("input_blocks", "down_blocks")
                      .replace("output_blocks", "up_blocks").replace("middle_block", "mid_block"))
        for name in theirs
    }  # fmt: skip
    assert all(unet.place_of(f"lora_unet_{name}") for name in names)


def sdxl_unet() -> Any:
    import json

    from diffusers import UNet2DConditionModel

    from modelsearch_core.generators.layouts import CONFIGS

    with torch.device("meta"):
        return UNet2DConditionModel.from_config(json.loads((CONFIGS / "sdxl.json").read_text())["unet/config.json"])


def test_a_network_for_another_model_says_what_does_not_fit(tmp_path: Path, pipe: Any, patches: Patches) -> None:
    plain = noise_prediction(pipe)
    layer = f"unet.{sd.UNET_LAYERS[0]}"
    wide = {f"{layer}.lora_A.weight": torch.ones(2, 77), f"{layer}.lora_B.weight": torch.ones(64, 2)}
    with pytest.raises(
        ModelSearchError, match=r"wide.safetensors does not fit .*attn1.to_q .*\(2, 77\).*choose the base"
    ):
        patches.set([(lora(sd.save(tmp_path / "wide.safetensors", wide)), 1.0)])
    other = {"unet.x.lora_A.weight": torch.ones(2, 2), "unet.x.lora_B.weight": torch.ones(2, 2)}
    with pytest.raises(ModelSearchError, match="1 of its 1 layers are unknown"):
        patches.set([(lora(sd.save(tmp_path / "other.safetensors", other)), 1.0)])
    assert torch.equal(noise_prediction(pipe), plain)


def test_a_network_type_that_is_not_applied_is_named(tmp_path: Path, patches: Patches) -> None:
    path = sd.save(tmp_path / "oft.safetensors", {"lora_unet_x.oft_blocks": torch.ones(2, 2)})
    with pytest.raises(ModelSearchError, match=r"oft_blocks.* not applied here \(oft\)"):
        patches.set([(lora(path, "oft"), 1.0)])


@pytest.mark.parametrize("room", [0, ROOM + 10**9], ids=["no room on the card", "room on the card"])
def test_wherever_originals_are_kept_they_come_back_bit_by_bit(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patching, "free_bytes", lambda _: room)
    layer = torch.nn.Linear(3, 2)
    before = layer.weight.detach().clone()
    on = Patches({})
    with torch.no_grad():
        on._write(layer.weight, torch.ones(2, 3))  # pyright: ignore
        on._write(layer.weight, torch.zeros(2, 3))  # pyright: ignore
    assert len(on._originals) == 1  # pyright: ignore
    on.clear()
    assert layer.weight.equal(before)
