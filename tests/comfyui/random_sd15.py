"""Run by a ComfyUI's Python, in its folder: an SD1.5 checkpoint with random weights and LoRA for it.

`python random_sd15.py FOLDER LORA...` writes checkpoints/random_sd15.safetensors and loras/LORA.safetensors there.
"""

import math
import sys
from pathlib import Path

FOLDER, NAMES = Path(sys.argv[1]), sys.argv[2:]
sys.argv = [sys.argv[0], "--cpu"]
sys.path.insert(0, str(Path.cwd()))

import comfy.options  # noqa: E402  reads the arguments

comfy.options.enable_args_parsing()

import comfy.ldm.models.autoencoder  # noqa: E402
import comfy.ops  # noqa: E402
import comfy.sd1_clip  # noqa: E402
import comfy.supported_models  # noqa: E402
import comfy.utils  # noqa: E402
import torch  # noqa: E402

UNET = {
    "image_size": 32, "in_channels": 4, "out_channels": 4, "model_channels": 320, "num_res_blocks": [2] * 4,
    "channel_mult": [1, 2, 4, 4], "transformer_depth": [1, 1, 1, 1, 1, 1, 0, 0],
    "transformer_depth_output": [1] * 9 + [0] * 3, "transformer_depth_middle": 1, "use_spatial_transformer": True,
    "legacy": False, "adm_in_channels": None, "context_dim": 768, "use_linear_in_transformer": False,
    "use_temporal_attention": False, "dims": 2, "dtype": torch.float32,
}  # fmt: skip
VAE = {
    "double_z": True, "z_channels": 4, "resolution": 256, "in_channels": 3, "out_ch": 3, "ch": 128,
    "ch_mult": [1, 2, 4, 4], "num_res_blocks": 2, "attn_resolutions": [], "dropout": 0.0,
}  # fmt: skip


def fill(module: torch.nn.Module, random: torch.Generator) -> None:
    for name, parameter in module.named_parameters():
        with torch.no_grad():
            if parameter.ndim < 2:
                parameter.fill_(0.0 if name.endswith("bias") else 1.0)
            else:
                size = 1 / math.sqrt(parameter[0].numel())
                parameter.copy_(torch.randn(parameter.shape, generator=random) * size)


def checkpoint(path: Path, random: torch.Generator) -> None:
    settings = comfy.supported_models.SD15(UNET)
    settings.set_inference_dtype(torch.float32, None)
    settings.custom_operations = comfy.ops.disable_weight_init
    unet = settings.get_model({}, "", device="cpu").diffusion_model
    clip = comfy.sd1_clip.SD1ClipModel(device="cpu", dtype=torch.float32)
    vae = comfy.ldm.models.autoencoder.AutoencoderKL(ddconfig=VAE, embed_dim=4)
    for module in (unet, clip, vae):
        fill(module, random)
    words = {f"clip_l.{name.removeprefix('clip_l.')}": tensor for name, tensor in clip.state_dict().items()}
    state = settings.process_unet_state_dict_for_saving(unet.state_dict())
    state |= settings.process_clip_state_dict_for_saving(words)
    state |= settings.process_vae_state_dict_for_saving(vae.state_dict())
    half = {name: tensor.half().contiguous() for name, tensor in state.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    comfy.utils.save_torch_file(half, str(path))


def lora(path: Path, seed: int) -> None:
    """On the cross attentions of the whole UNet, strong enough to be seen."""
    random = torch.Generator().manual_seed(seed)
    state = {}
    for block, width in BLOCKS.items():
        for part, inner in (("attn2_to_k", 768), ("attn2_to_v", 768), ("attn2_to_q", width)):
            name = f"lora_unet_{block}_transformer_blocks_0_{part}"
            state[f"{name}.lora_down.weight"] = torch.randn(4, inner, generator=random).half() / math.sqrt(inner)
            state[f"{name}.lora_up.weight"] = torch.randn(width, 4, generator=random).half()
            state[f"{name}.alpha"] = torch.tensor(4.0)
    path.parent.mkdir(parents=True, exist_ok=True)
    comfy.utils.save_torch_file(
        state, str(path), metadata={"ss_base_model_version": "sd_v1", "ss_output_name": path.stem}
    )


BLOCKS = {
    **{f"down_blocks_{n}_attentions_{m}": 320 * 2**n for n in range(3) for m in range(2)},
    **{f"up_blocks_{n}_attentions_{m}": 1280 // 2 ** (n - 1) for n in range(1, 4) for m in range(3)},
    "mid_block_attentions_0": 1280,
}
checkpoint(FOLDER / "checkpoints" / "random_sd15.safetensors", torch.Generator().manual_seed(0))
for number, name in enumerate(NAMES, 1):
    lora(FOLDER / "loras" / f"{name}.safetensors", number)
