"""How long a first scan of many LoRA takes, and one in which nothing changed.

    python benchmarks/scan.py [--models 5000] [--distinct] [--json]

Writes LoRA with the modules of kohya's Stable Diffusion 1.5 networks (their data left sparse), in 24 variants (rank, dtype,
with and without text encoder) as a collection has them, a sidecar and a preview beside each, into a
temporary folder. With --distinct no two of them have the same table of tensors, which is the worst case.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from modelsearch_core.model_files import ModelFile, SkippedFile, scan
from tests.making.model_files import write_sparse

WIDTHS = (320, 640, 1280)
MODULES = ("attn1_to_q", "attn1_to_k", "attn1_to_v", "attn1_to_out_0", "attn2_to_q", "attn2_to_k", "attn2_to_v",
           "attn2_to_out_0", "ff_net_0_proj", "ff_net_2")  # fmt: skip


def sd15_lora(rank: int, text_encoder: bool) -> dict[str, tuple[int, ...]]:
    """Names and shapes of kohya's LoRA for Stable Diffusion 1.5: 192 modules of the UNet, 72 of the text encoder."""
    shapes: dict[str, tuple[int, ...]] = {}
    for place, width in unet_blocks():
        for module in (*MODULES, "proj_in", "proj_out"):
            prefix = "" if module.startswith("proj") else "transformer_blocks_0_"
            into = 768 if module in ("attn2_to_k", "attn2_to_v") else width
            add_module(shapes, f"lora_unet_{place}_{prefix}{module}", into, width, rank)
    for layer in range(12 if text_encoder else 0):
        for module in (
            "self_attn_k_proj",
            "self_attn_out_proj",
            "self_attn_q_proj",
            "self_attn_v_proj",
            "mlp_fc1",
            "mlp_fc2",
        ):
            add_module(shapes, f"lora_te_text_model_encoder_layers_{layer}_{module}", 768, 768, rank)
    return shapes


def unet_blocks() -> list[tuple[str, int]]:
    down = [(f"down_blocks_{block}_attentions_{n}", WIDTHS[block]) for block in range(3) for n in range(2)]
    up = [(f"up_blocks_{block}_attentions_{n}", WIDTHS[3 - block]) for block in range(1, 4) for n in range(3)]
    return [*down, ("mid_block_attentions_0", 1280), *up]


def add_module(shapes: dict[str, tuple[int, ...]], name: str, into: int, out: int, rank: int) -> None:
    shapes[f"{name}.alpha"] = ()
    shapes[f"{name}.lora_down.weight"] = (rank, into)
    shapes[f"{name}.lora_up.weight"] = (out, rank)


def write_models(folder: Path, count: int, distinct: bool) -> None:
    layouts = [sd15_lora(rank, text_encoder) for rank in (4, 8, 16, 32, 64, 128) for text_encoder in (True, False)]
    for number in range(count):
        stem = folder / f"{number % 50:02d}" / f"model {number:05d}"
        tags = {"10_concept": {f"tag {n}": 20 - n for n in range(20)}}
        metadata = {"ss_output_name": f"Model {number}", "ss_tag_frequency": json.dumps(tags)}
        shapes = layouts[number % len(layouts)] | ({f"lora_unet_own_{number}.alpha": ()} if distinct else {})
        dtype = ("F16", "BF16")[number // len(layouts) % 2]
        write_sparse(stem.with_suffix(".safetensors"), shapes, metadata, dtype=dtype)
        stem.with_suffix(".civitai.info").write_text(
            json.dumps({"trainedWords": [f"word{number}"], "baseModel": "SD 1.5"})
        )
        stem.with_suffix(".preview.png").write_bytes(b"")


def timed_scan(
    folder: Path, known: Mapping[Path, ModelFile | SkippedFile] | None = None
) -> tuple[dict[str, float], dict[Path, ModelFile | SkippedFile]]:
    """Seconds on the clock and of the processor (the same on an idle machine), and what was found."""
    clock, processor = time.perf_counter(), time.process_time()
    found = {each.path: each for each in scan([folder], known)}
    return {"s": round(time.perf_counter() - clock, 3), "cpu_s": round(time.process_time() - processor, 3)}, found


def measure(count: int, distinct: bool) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        write_models(Path(folder), count, distinct)
        first, found = timed_scan(Path(folder))
        again, same = timed_scan(Path(folder), found)
    assert all(same[path] is found[path] for path in found) and len(same) == count
    times = {f"{name}_{unit}": each[unit] for name, each in (("first", first), ("again", again)) for unit in each}
    return {"models": count, **times, "ratio": round(first["s"] / again["s"], 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=5000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--distinct", action="store_true", help="no two files with the same table of tensors")
    options = parser.parse_args()
    result = measure(options.models, options.distinct)
    if options.json:
        print(json.dumps(result))
    else:
        print(
            "| models | first scan | (processor) | nothing changed | (processor) | ratio |\n|---|---|---|---|---|---|"
        )
        print("| {models} | {first_s} s | {first_cpu_s} s | {again_s} s | {again_cpu_s} s | {ratio} |".format(**result))


if __name__ == "__main__":
    main()
