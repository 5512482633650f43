"""How long a first scan of many LoRA takes, and one in which nothing changed.

    python benchmarks/scan.py [--models 5000] [--distinct] [--json]

Writes LoRA with the layers that kohya's trainer adapts in SDXL and in FLUX.1 (their data left sparse), in 36 different
tables (rank and dtype) as a collection has them, a sidecar and a preview beside each, into a temporary folder; compares
with `json.loads` of the same headers. With --distinct no two files have the same table, which is the worst case.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from modelsearch_core.model_files import ModelFile, SkippedFile, scan
from tests.making.model_files import write_sparse

RANKS = (4, 8, 12, 16, 24, 32, 48, 64, 128)
ATTENTION = ("attn1_to_q", "attn1_to_k", "attn1_to_v", "attn1_to_out_0", "attn2_to_q", "attn2_to_out_0")
BLOCKS = {  # of SDXL's U-Net: width and number of transformer blocks
    **dict.fromkeys(("input_blocks_4_1", "input_blocks_5_1"), (640, 2)),
    **dict.fromkeys(("output_blocks_3_1", "output_blocks_4_1", "output_blocks_5_1"), (640, 2)),
    **dict.fromkeys(("input_blocks_7_1", "input_blocks_8_1", "middle_block_1"), (1280, 10)),
    **dict.fromkeys(("output_blocks_0_1", "output_blocks_1_1", "output_blocks_2_1"), (1280, 10)),
}

Layers = Iterator[tuple[str, int, int]]  # name, inputs, outputs


def sdxl() -> Layers:
    """722 layers."""
    for block, (width, depth) in BLOCKS.items():
        yield from ((f"{block}_{end}", width, width) for end in ("proj_in", "proj_out"))
        for number in range(depth):
            name = f"{block}_transformer_blocks_{number}"
            yield from ((f"{name}_{each}", width, width) for each in ATTENTION)
            yield from ((f"{name}_{each}", 2048, width) for each in ("attn2_to_k", "attn2_to_v"))
            yield from ((f"{name}_ff_net_0_proj", width, 8 * width), (f"{name}_ff_net_2", 4 * width, width))


def flux() -> Layers:
    """304 layers."""
    width = 3072
    for number in range(19):
        for stream in ("img", "txt"):
            for layer, into, out in (
                ("attn_qkv", 1, 3),
                ("attn_proj", 1, 1),
                ("mlp_0", 1, 4),
                ("mlp_2", 4, 1),
                ("mod_lin", 1, 6),
            ):
                yield f"double_blocks_{number}_{stream}_{layer}", into * width, out * width
    for number in range(38):
        for layer, into, out in (("linear1", 1, 7), ("linear2", 5, 1), ("modulation_lin", 1, 3)):
            yield f"single_blocks_{number}_{layer}", into * width, out * width


def lora(layers: Layers, rank: int) -> dict[str, tuple[int, ...]]:
    """Names in the order in which the library saves them."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, into, out in layers:
        name = f"lora_unet_{layer}"
        shapes |= {f"{name}.alpha": (), f"{name}.lora_down.weight": (rank, into), f"{name}.lora_up.weight": (out, rank)}
    return dict(sorted(shapes.items()))


def write_models(folder: Path, count: int, distinct: bool) -> None:
    tables = [(lora(family(), rank), dtype) for rank in RANKS for family in (sdxl, flux) for dtype in ("F16", "BF16")]
    for number in range(count):
        stem = folder / f"{number % 50:02d}" / f"model {number:05d}"
        tags = {"10_concept": {f"tag {n}": 20 - n for n in range(20)}}
        metadata = {"ss_output_name": f"Model {number}" + "!" * (number % 7), "ss_tag_frequency": json.dumps(tags)}
        shapes, dtype = tables[number % len(tables)]
        own = {f"lora_unet_own_{number}.alpha": ()} if distinct else {}
        write_sparse(stem.with_suffix(".safetensors"), {**shapes, **own}, metadata, dtype=dtype, padded=True)
        stem.with_suffix(".civitai.info").write_text(
            json.dumps({"trainedWords": [f"word{number}"], "baseModel": "SDXL 1.0"})
        )
        stem.with_suffix(".preview.png").write_bytes(b"")


def timed_parsing(folder: Path) -> float:
    """Seconds of the processor for `json.loads` of all headers, and nothing else."""
    total = 0.0
    for path in folder.rglob("*.safetensors"):
        with path.open("rb") as file:
            raw = file.read(int.from_bytes(file.read(8), "little"))
        before = time.process_time()
        json.loads(raw)
        total += time.process_time() - before
    return total


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
        parsing = timed_parsing(Path(folder))
        first, found = timed_scan(Path(folder))
        again, same = timed_scan(Path(folder), found)
    assert all(same[path] is found[path] for path in found) and len(same) == count
    times = {f"{name}_{unit}": each[unit] for name, each in (("first", first), ("again", again)) for unit in each}
    return {"models": count, "json_cpu_s": round(parsing, 3), **times, "ratio": round(first["cpu_s"] / parsing, 2)}


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
        print("| models | json.loads | first scan | (processor) | of json.loads | nothing changed | (processor) |")
        print("|---|---|---|---|---|---|---|")
        print(
            "| {models} | {json_cpu_s} s | {first_s} s | {first_cpu_s} s | {ratio} | {again_s} s | {again_cpu_s} s |".format(
                **result
            )
        )


if __name__ == "__main__":
    main()
