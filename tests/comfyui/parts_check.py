"""Run by a ComfyUI's Python, in its folder: which files each family's parts are, among header-only files of all.

Prints JSON. `python parts_check.py PACK FOLDER`, where PACK is the folder of the pack and FOLDER an empty one.
"""

import importlib
import json
import struct
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

PACK, FOLDER = Path(sys.argv[1]), Path(sys.argv[2])
sys.argv = [sys.argv[0], "--cpu", "--base-directory", str(FOLDER)]
sys.path.insert(0, str(Path.cwd()))

import comfy.options  # noqa: E402  reads the arguments

comfy.options.enable_args_parsing()

pack = ModuleType("pack")
pack.__path__ = [str(PACK)]
sys.modules["pack"] = pack
families = importlib.import_module("pack.modelsearch_core.families")
known = importlib.import_module("pack.modelsearch_core.families.parts")
ours = importlib.import_module("pack.nodes.parts")
errors = importlib.import_module("pack.modelsearch_core.families.record")

T5 = "encoder.block.23.layer.1.DenseReluDense"
LAYER = "model.layers.0.post_attention_layernorm.weight"
NORM = "model.layers.0.self_attn.q_norm.weight"
BIAS = "model.layers.0.self_attn.k_proj.bias"
GEMMA = "model.layers.0.post_feedforward_layernorm.weight"
VISION = "model.visual.deepstack_merger_list.0.norm.weight"
MERGER = "model.visual.merger.linear_fc2.weight"
ENCODERS = {  # a few telling tensors of each, as released
    "CLIP_L": {"text_model.encoder.layers.0.mlp.fc1.weight": (3072, 768)},
    "CLIP_H": {"text_model.encoder.layers.22.mlp.fc1.weight": (4096, 1024)},
    "CLIP_G": {"text_model.encoder.layers.30.mlp.fc1.weight": (5120, 1280)},
    "T5_XXL": {f"{T5}.wi_1.weight": (10240, 4096)},
    "T5_XL": {f"{T5}.wi_1.weight": (5120, 2048)},
    "T5_XXL_OLD": {f"{T5}.wi.weight": (16384, 1024)},
    "BYT5_SMALL_GLYPH": {"encoder.block.0.layer.0.SelfAttention.k.weight": (384, 1472)},
    "LLAMA3_8": {LAYER: (4096,)},
    "GEMMA_2_2B": {GEMMA: (2304,)},
    "GEMMA_3_12B": {
        GEMMA: (3840,), "model.layers.47.self_attn.q_norm.weight": (256,),
        "model.layers.5.self_attn.v_proj.weight": (2048, 3840),
    },
    "QWEN25_3B": {BIAS: (256,)},
    "QWEN25_7B": {BIAS: (512,)},
    "QWEN3_06B": {LAYER: (1024,), NORM: (128,)},
    "QWEN3_2B": {LAYER: (2048,), NORM: (128,)},
    "QWEN3_4B": {LAYER: (2560,), NORM: (128,)},
    "QWEN3_8B": {LAYER: (4096,), NORM: (128,)},
    "QWEN3VL_4B": {VISION: (1024,), MERGER: (2560, 4096)},
    "QWEN3VL_8B": {VISION: (1152,), MERGER: (4096, 4608)},
    "GPT_OSS_20B": {"layers.0.self_attn.sinks": (64,), "layers.0.mlp.experts.gate_up_proj.weight": (32, 5760, 2880)},
}  # fmt: skip
VAES = {
    ("kl", 4): {"decoder.conv_in.weight": (512, 4, 3, 3)},
    ("kl", 16): {"decoder.conv_in.weight": (512, 16, 3, 3)},
    ("kl", 64): {"decoder.conv_in.weight": (1024, 64, 3, 3)},
    ("kl", 128): {"decoder.conv_in.weight": (512, 32, 3, 3), "bn.running_mean": (128,)},
    ("wan", 16): {"decoder.middle.0.residual.0.gamma": (384, 1, 1, 1)},
    ("wan", 48): {
        "decoder.middle.0.residual.0.gamma": (640, 1, 1, 1),
        "decoder.upsamples.0.upsamples.0.residual.2.weight": (1024, 1024, 3, 3, 3),
    },
    ("causal", 16): {"decoder.conv_in.conv.weight": (512, 16, 3, 3, 3)},
    ("causal", 32): {"decoder.conv_in.conv.weight": (1024, 32, 3, 3, 3)},
    ("cosmos", 16): {"decoder.unpatcher3d.wavelets": (2,)},
    ("mochi", 12): {"decoder.blocks.2.blocks.3.stack.5.weight": (256, 256, 3, 3, 3)},
    ("ltx", 128): {"decoder.up_blocks.0.res_blocks.0.conv1.conv.weight": (512, 512, 3, 3, 3)},
    ("cogvideox", 16): {
        "decoder.conv_in.conv.weight": (512, 16, 3, 3, 3),
        "decoder.mid_block.resnets.0.norm1.norm_layer.weight": (512,),
    },
    ("mage", 128): {"student.dconv_encoder.proj_out.weight": (128, 8)},
}


def write(path, shapes):
    """A safetensors file whose weights are a hole."""
    table, end = {}, 0
    for name, shape in shapes.items():
        size = 2
        for each in shape:
            size *= each
        table[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    header = json.dumps(table).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + end)


def tensors_of(part):
    if isinstance(part, known.Vae):
        return VAES.get((part.kind, part.channels))
    table = ENCODERS.get(part.kind)
    if table is None or not part.vocabulary:
        return table
    width = 4096
    name = "shared.weight" if part.kind.startswith("T5") else "model.embed_tokens.weight"
    return {**table, name: (part.vocabulary, width)}


def folder_of(part):
    return FOLDER / "models" / ("vae" if isinstance(part, known.Vae) else "text_encoders")


parts = {name: each for name, each in vars(known).items() if isinstance(each, (known.TextEncoder, known.Vae))}
untold = sorted(name for name, part in parts.items() if tensors_of(part) is None)
for part in parts.values():
    write(folder_of(part) / part.file, tensors_of(part) or {"weight": (1,)})


def chosen(family, variant):
    model = SimpleNamespace(architecture=family.name, variant=variant)
    found = ours.parts_for(model)
    wanted = family.parts_of(variant)
    if isinstance(wanted, errors.No):
        return None
    asked = [*(each.file for each in wanted.encoders), *([] if wanted.vae is known.PIXELS else [wanted.vae.file])]
    got = [path.name for path in (*found.encoders, found.vae) if path] if found else ours.what_is_missing(model)
    return [asked, got]


everything = {}
for family in families.FAMILIES.values():
    for variant in (None, *(each.name for each in families.known(family.variants))):
        everything[f"{family.name} {variant or ''}".strip()] = chosen(family, variant)

for path in (FOLDER / "models").rglob("*.safetensors"):
    path.unlink()
write(FOLDER / "models" / "vae" / "my favourite.safetensors", VAES["kl", 16])
write(FOLDER / "models" / "vae" / "sd3_something.safetensors", VAES["wan", 16])
write(FOLDER / "models" / "text_encoders" / "encoder a.safetensors", tensors_of(known.CLIP_L))
write(FOLDER / "models" / "text_encoders" / "encoder b.safetensors", tensors_of(known.UMT5))
flux = SimpleNamespace(architecture="flux", variant=None)
missing = ours.what_is_missing(flux)
write(FOLDER / "models" / "text_encoders" / "encoder c.safetensors", tensors_of(known.T5))
found = ours.parts_for(flux)
renamed = [path.name for path in (*found.encoders, found.vae)]
wrong_vae = ours.what_is_missing(SimpleNamespace(architecture="hunyuan_video", variant=None))
print(json.dumps({"chosen": everything, "untold": untold, "missing": missing, "renamed": renamed, "wrong": wrong_vae}))
