"""Small Stable Diffusion models with random weights, in the layouts and with the LoRA that users have.

The original layout is made by renaming diffusers' modules, independently of the tables that the code under test uses.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import diffusers
import torch
import transformers
from safetensors.torch import save_file

from modelsearch_core.generators.layouts import CONFIGS
from modelsearch_core.generators.tokenizer import write_clip_tokenizer

State = dict[str, torch.Tensor]
WIDTHS = (32, 64)


def pipeline(context: int, seed: int, scratch: Path) -> Any:
    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return diffusers.StableDiffusionPipeline(
            unet=unet(context),
            vae=small_vae(),
            text_encoder=transformers.CLIPTextModel(text_config(context)),
            tokenizer=transformers.CLIPTokenizer.from_pretrained(_tokenizer(scratch), local_files_only=True),
            scheduler=small_scheduler(),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )


def small_vae() -> Any:
    return diffusers.AutoencoderKL(
        block_out_channels=(16, 32, 32),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        norm_num_groups=8,
        scaling_factor=0.5,
    )


def small_scheduler() -> Any:
    return diffusers.DDIMScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, steps_offset=1)


def unet(context: int) -> Any:
    return diffusers.UNet2DConditionModel(
        sample_size=16,
        block_out_channels=WIDTHS,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=context,
        attention_head_dim=4,
        norm_num_groups=8,
    )


def text_config(context: int) -> Any:
    return transformers.CLIPTextConfig(
        vocab_size=49408, hidden_size=context, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        projection_dim=context, bos_token_id=0, eos_token_id=2, pad_token_id=1,
    )  # fmt: skip


def _tokenizer(folder: Path) -> str:
    write_clip_tokenizer(folder)
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "pad_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return str(folder)


def write_single_file(path: Path, pipe: Any, *, dtype: torch.dtype = torch.float16, plain: str = "") -> Path:
    """The same model as one file in the original layout."""
    text = "cond_stage_model.transformer."
    names = {name if name.startswith("text_model.") else f"text_model.{name}": t for name, t in
             pipe.text_encoder.state_dict().items()}  # fmt: skip
    state = {f"model.diffusion_model.{original_unet(name, plain)}": t for name, t in pipe.unet.state_dict().items()}
    state |= {f"first_stage_model.{name}": t for name, t in original_vae(pipe.vae).items()}
    state |= {text + name: t for name, t in names.items() if not name.endswith("position_ids")}
    return save(path, {name: t.to(dtype) for name, t in state.items()})


_UNET_OUTER = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}


def original_unet(name: str, plain: str = "") -> str:
    """The original name of a UNet tensor; `plain` is the up block that has no attention before it doubles the size."""
    blocks = 3  # layers per block, plus one
    for new, old in _UNET_OUTER.items():
        if name.startswith(f"{new}."):
            return name.replace(new, old, 1)
    side, *rest = name.split(".")
    if side == "mid_block":
        place = {"resnets.0": 0, "attentions.0": 1, "resnets.1": 2}[".".join(rest[:2])]
        return f"middle_block.{place}.{_inner(rest[0], rest[2:])}"
    block, kind, layer, *inner = rest
    number = int(block) * blocks + int(layer)
    if kind == "downsamplers":
        return f"input_blocks.{int(block) * blocks + blocks}.0.op.{inner[1]}"
    if kind == "upsamplers":  # after the last layer of its block
        return f"output_blocks.{int(block) * blocks + blocks - 1}.{1 if block == plain else 2}.conv.{inner[1]}"
    place = 0 if kind == "resnets" else 1
    start = f"input_blocks.{number + 1}" if side == "down_blocks" else f"output_blocks.{number}"
    return f"{start}.{place}.{_inner(kind, inner)}"


def _inner(kind: str, rest: list[str]) -> str:
    return ".".join([_RESNET[rest[0]], *rest[1:]] if kind == "resnets" else rest)


def original_vae(vae: Any) -> State:
    """The VAE's tensors under their original names; attention is written as 1x1 convolutions there."""
    levels = len(vae.config["block_out_channels"])
    return {_vae_name(name, levels): _vae_tensor(name, tensor) for name, tensor in vae.state_dict().items()}


def _vae_tensor(name: str, tensor: torch.Tensor) -> torch.Tensor:
    return tensor[:, :, None, None] if ".attentions." in name and tensor.dim() == 2 else tensor


def _vae_name(name: str, levels: int) -> str:
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
    name = re.sub(r"mid_block\.attentions\.0", "mid.attn_1", name)
    name = re.sub(r"down_blocks\.(\d)\.resnets\.(\d)", r"down.\1.block.\2", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d)\.resnets\.(\d)", lambda m: f"up.{levels - 1 - int(m[1])}.block.{m[2]}", name)
    name = re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{levels - 1 - int(m[1])}.upsample", name)
    for new, old in (("conv_norm_out", "norm_out"), ("group_norm", "norm"), ("conv_shortcut", "nin_shortcut"),
                     ("to_q", "q"), ("to_k", "k"), ("to_v", "v"), ("to_out.0", "proj_out")):  # fmt: skip
        name = name.replace(new, old)
    return name


UNET_LAYERS = (  # path in the UNet: linear layers, a 1x1 and a 3x3 convolution
    "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q",
    "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k",
    "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0",
    "up_blocks.0.attentions.2.transformer_blocks.0.ff.net.0.proj",
    "mid_block.attentions.0.proj_in",
    "down_blocks.0.resnets.1.conv2",
)
TEXT_LAYERS = ("encoder.layers.0.self_attn.q_proj", "encoder.layers.1.mlp.fc1")
KOHYA = {"ss_network_module": "networks.lora", "ss_output_name": "small", "ss_network_dim": "2"}


def kohya_name(part: str, path: str) -> str:
    prefix = {"unet": "lora_unet_", "text_encoder": "lora_te_text_model_"}[part]
    return prefix + path.replace(".", "_")


def layers_of(pipe: Any, *, text: bool = True) -> dict[tuple[str, str], torch.Tensor]:
    """The weights that the LoRA here adapt, by (component, path without `text_model`)."""
    found = {("unet", path): pipe.unet.get_submodule(path).weight for path in UNET_LAYERS}
    encoder = getattr(pipe.text_encoder, "text_model", pipe.text_encoder)
    return found | {("text_encoder", path): encoder.get_submodule(path).weight for path in TEXT_LAYERS if text}


def lora_factors(weight: torch.Tensor, rank: int, seed: int, size: float = 0.5) -> tuple[torch.Tensor, torch.Tensor]:
    """(down, up) in the shapes that trainers write for this weight."""
    random = torch.Generator().manual_seed(seed)
    down = torch.randn(rank, *weight.shape[1:], generator=random) * size
    return down, torch.randn(weight.shape[0], rank, *[1] * (weight.dim() - 2), generator=random) * size


def write_kohya(path: Path, pipe: Any, *, rank: int = 2, alpha: float = 1.0, text: bool = True) -> Path:
    state: State = {}
    for number, ((part, layer), weight) in enumerate(layers_of(pipe, text=text).items()):
        name = kohya_name(part, layer)
        down, up = lora_factors(weight, rank, 100 + number)
        state |= {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up, f"{name}.alpha": torch.tensor(alpha)}
    return save(path, state, KOHYA)


def write_peft(path: Path, pipe: Any, *, rank: int = 2) -> Path:
    """As diffusers saves it: `unet.….lora_A.weight`."""
    state: State = {}
    for number, ((part, layer), weight) in enumerate(layers_of(pipe).items()):
        name = f"unet.{layer}" if part == "unet" else f"text_encoder.text_model.{layer}"
        down, up = lora_factors(weight, rank, 200 + number)
        state |= {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}
    return save(path, state)


def save(path: Path, state: Mapping[str, torch.Tensor], metadata: dict[str, str] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.detach().contiguous().clone() for name, tensor in state.items()}, path, metadata)
    return path


def write_relative(path: Path, pipe: Any, flavour: str) -> Path:
    """A DoRA, LoHa or LoKr as LyCORIS saves it, or full differences."""
    state: State = {}
    for number, ((part, layer), weight) in enumerate(layers_of(pipe).items()):
        random = torch.Generator().manual_seed(number)
        factors = _RELATIVES[flavour](weight, random)
        state |= {f"{kohya_name(part, layer)}.{name}": tensor for name, tensor in factors.items()}
    return save(path, state)


def _dora(weight: torch.Tensor, random: torch.Generator) -> State:
    down, up = lora_factors(weight, 2, int(torch.randint(99, (1,), generator=random)))
    norm = weight.detach().flatten(1).norm(dim=1).reshape(-1, *[1] * (weight.dim() - 1))
    return {"lora_down.weight": down, "lora_up.weight": up, "alpha": torch.tensor(1.0), "dora_scale": norm * 1.5}


def _loha(weight: torch.Tensor, random: torch.Generator) -> State:
    shapes = {"a": (weight.shape[0], 2), "b": (2, weight[0].numel())}
    factors = {f"hada_w{n}_{s}": torch.randn(shapes[s], generator=random) * 0.5 for n in (1, 2) for s in "ab"}
    return factors | {"alpha": torch.tensor(1.0)}


def _lokr(weight: torch.Tensor, random: torch.Generator) -> State:
    outer, inner = weight.shape[0] // 2, weight.shape[1] // 2
    return {
        "lokr_w1": torch.randn(2, 2, generator=random) * 0.5,
        "lokr_w2_a": torch.randn(outer, 2, generator=random) * 0.5,
        "lokr_w2_b": torch.randn(2, inner * weight[0, 0].numel(), generator=random) * 0.5,
        "alpha": torch.tensor(1.0),
    }


def _full(weight: torch.Tensor, random: torch.Generator) -> State:
    return {"diff": torch.randn(weight.shape, generator=random) * 0.1}


_RELATIVES = {"dora": _dora, "loha": _loha, "lokr": _lokr, "full": _full}


def standard_parts(architecture: str, dtype: torch.dtype = torch.float16) -> SimpleNamespace:
    """UNet, VAE and text encoder at full size with random weights, as the bundled configurations describe them."""
    files = json.loads((CONFIGS / f"{architecture}.json").read_text("utf-8"))
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        return SimpleNamespace(
            unet=diffusers.UNet2DConditionModel.from_config(files["unet/config.json"]),
            vae=diffusers.AutoencoderKL.from_config(files["vae/config.json"]),
            text_encoder=transformers.CLIPTextModel(transformers.CLIPTextConfig(**files["text_encoder/config.json"])),
        )
    finally:
        torch.set_default_dtype(before)


def write_full_kohya(path: Path, unet: Any, *, rank: int = 4) -> Path:
    """On every linear layer of the attention and feed-forward blocks, as sd-scripts trains."""
    state: State = {}
    for layer, module in unet.named_modules():
        if isinstance(module, torch.nn.Linear) and ".transformer_blocks." in layer:
            name = kohya_name("unet", layer)
            down, up = lora_factors(module.weight, rank, 0, size=0.05)
            state |= {f"{name}.lora_down.weight": down.half(), f"{name}.lora_up.weight": up.half()}
            state[f"{name}.alpha"] = torch.tensor(float(rank))
    return save(path, state, KOHYA)


def sdxl_pipeline(scratch: Path) -> Any:
    """SDXL with its own widths of text features and a narrow UNet, one layer a text encoder."""
    config = transformers.CLIPTextConfig
    tokenizer = transformers.CLIPTokenizer.from_pretrained(_tokenizer(scratch), local_files_only=True)
    common = {"vocab_size": 49408, "num_hidden_layers": 2, "eos_token_id": 2, "bos_token_id": 0, "pad_token_id": 1}
    torch.manual_seed(0)
    return diffusers.StableDiffusionXLPipeline(
        unet=diffusers.UNet2DConditionModel(
            sample_size=16, block_out_channels=WIDTHS, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=2048, attention_head_dim=4,
            transformer_layers_per_block=(1, 2), use_linear_projection=True, addition_embed_type="text_time",
            addition_time_embed_dim=8, projection_class_embeddings_input_dim=1280 + 6 * 8, norm_num_groups=8,
        ),
        vae=small_vae(),
        text_encoder=transformers.CLIPTextModel(
            config(**common, hidden_size=768, intermediate_size=96, num_attention_heads=12, projection_dim=768)
        ),
        text_encoder_2=transformers.CLIPTextModelWithProjection(
            config(**common, hidden_size=1280, intermediate_size=96, num_attention_heads=20, projection_dim=1280,
                   hidden_act="gelu")
        ),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        scheduler=small_scheduler(),
    )  # fmt: skip


def write_sdxl_single_file(path: Path, pipe: Any) -> Path:
    """In the original layout, where the second text encoder is open_clip's."""
    first = {f"text_model.{name.removeprefix('text_model.')}": t for name, t in pipe.text_encoder.state_dict().items()}
    state = {f"model.diffusion_model.{original_unet(name)}": t for name, t in pipe.unet.state_dict().items()}
    state |= {f"first_stage_model.{name}": t for name, t in original_vae(pipe.vae).items()}
    state |= {f"conditioner.embedders.0.transformer.{name}": t for name, t in first.items()}
    state |= {f"conditioner.embedders.1.model.{name}": t for name, t in as_open_clip(pipe.text_encoder_2).items()}
    return save(path, state)


def as_open_clip(encoder: Any) -> State:
    state = {name.removeprefix("text_model."): tensor for name, tensor in encoder.state_dict().items()}
    found = {
        "token_embedding.weight": state["embeddings.token_embedding.weight"],
        "positional_embedding": state["embeddings.position_embedding.weight"],
        "text_projection": state["text_projection.weight"].T,
        "ln_final.weight": state["final_layer_norm.weight"],
        "ln_final.bias": state["final_layer_norm.bias"],
    }
    for layer in range(encoder.config.num_hidden_layers):
        new, old = f"encoder.layers.{layer}", f"transformer.resblocks.{layer}"
        for kind in ("weight", "bias"):
            attention = [state[f"{new}.self_attn.{part}_proj.{kind}"] for part in "qkv"]
            found[f"{old}.attn.in_proj_{kind}"] = torch.cat(attention)
            for theirs, ours in _OPEN_CLIP.items():
                found[f"{old}.{theirs}.{kind}"] = state[f"{new}.{ours}.{kind}"]
    return found


_OPEN_CLIP = {
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
}
