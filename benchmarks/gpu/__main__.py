"""What a LoRA costs on this machine: `python -m benchmarks.gpu [--families sd15 sdxl] [--seconds 470]`.

Random weights of full size, so that nothing is downloaded. On a card in under eight minutes; on a processor at 64 pixels,
a few pictures, to see that it runs through. Prints a table as it goes and writes, on a card, benchmarks/results/gpu.json.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from modelsearch_core.errors import InvalidOutputError
from modelsearch_core.generators.devices import device_of
from modelsearch_core.generators.diffusers import DiffusersGenerator
from modelsearch_core.generators.settings import GeneratorSettings
from modelsearch_core.model_files import ModelFile
from modelsearch_core.probes import default_probes

from .weights import Files, write

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "benchmarks" / "results" / "gpu.json"
PICTURES = {"cuda": 64, "cpu": 2}
BATCHES = (1, 4, 8, 16, 32)
GOALS = {"share of the measured rate": 0.4, "swap of a LoRA's time": 0.05, "seconds of SD1.5 with four steps": 1.0}


class Measured:
    """What was measured, told at once; what there was no time for, told at the end."""

    def __init__(self, seconds: float) -> None:
        self.found: dict[str, Any] = {"goals": GOALS}
        self.missing: list[str] = []
        self._end = time.monotonic() + seconds

    def add(self, name: str, measure: Callable[[], Any]) -> Any:
        if time.monotonic() > self._end:
            self.missing.append(f"{name} (no time left)")
            return None
        try:
            value = measure()
        except (RuntimeError, InvalidOutputError) as error:
            self.missing.append(f"{name} ({type(error).__name__}: {str(error)[:200]})")
            return None
        self.found[name] = value
        print(f"{name:44} {value}", flush=True)
        return value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--families", nargs="+", choices=["small", "sd15", "sdxl"])
    parser.add_argument("--seconds", type=float, default=470.0)
    args = parser.parse_args()
    device = device_of(GeneratorSettings(device=args.device))
    told = Measured(args.seconds)
    told.add("device", lambda: torch.cuda.get_device_name() if device.startswith("cuda") else "processor")
    rate = told.add("rate, TFLOP/s", lambda: round(measured_rate(device) / 1e12, 2))
    wanted = args.families or (["sd15", "sdxl"] if device.startswith("cuda") else ["small"])
    told.missing += [f"{family} (name it by --families)" for family in ("sd15", "sdxl") if family not in wanted]
    if not device.startswith("cuda"):
        told.missing.append("everything that a card does: share of its rate, its memory, sizes of 512 pixels and more")
    for family in wanted:
        with tempfile.TemporaryDirectory() as folder:
            measure(told, family, write(Path(folder, family), family, 2), device, rate)
    told.found["not measured"] = told.missing
    print("not measured:", *told.missing or ["nothing"], sep="\n  ")
    if device.startswith("cuda"):
        RESULT.write_text(json.dumps(told.found, indent=1) + "\n", encoding="utf-8")


def measured_rate(device: str) -> float:
    """FLOP/s of a large product of matrices, in bfloat16 on a card."""
    is_card = device.startswith("cuda")
    n, dtype = (8192, torch.bfloat16) if is_card else (1024, torch.float32)
    A, B = (torch.randn(n, n, device=device).to(dtype) for _ in range(2))
    _ = A @ B
    seconds = timed(device, lambda: [A @ B for _ in range(10)])
    return 20 * n**3 / seconds


def timed(device: str, work: Callable[[], Any]) -> float:
    """Seconds, until the card is done."""
    settle(device)
    began = time.perf_counter()
    work()
    settle(device)
    return time.perf_counter() - began


def settle(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def measure(told: Measured, family: str, files: Files, device: str, rate: float | None) -> None:
    """One family: loading, swapping, recipes, batches, memory."""
    is_card = device.startswith("cuda")
    count = PICTURES["cuda" if is_card else "cpu"]
    common: dict[str, Any] = {"device": device, "size": None if is_card else 64}
    one, other = files.loras
    plain = DiffusersGenerator([files.base, one, other], GeneratorSettings(**common))
    few = DiffusersGenerator(
        [files.base, one, other, files.few_step], GeneratorSettings(**common, decoders=(files.decoders,))
    )
    told.add(f"{family}: first picture, with loading, s", lambda: round(timed(device, lambda: ask(plain, one, 1)), 2))
    swap = told.add(f"{family}: LoRA swap, s", lambda: round(swap_seconds(plain, one, other, device), 3))
    flop = told.add(f"{family}: TFLOP a picture, plain", lambda: round(flops(plain, one) / 1e12, 3))
    for name, generator in (("plain", plain), ("few steps, small decoder", few)):
        ask(generator, one, 1)
        key = f"{family}: {count} pictures of a LoRA, {name}, s"
        seconds = told.add(key, lambda generator=generator: round(timed(device, lambda: ask(generator, one, count)), 2))
        if seconds and flop and rate and name == "plain":
            told.add(f"{family}: share of the rate", lambda s=seconds: round(flop * count / s / rate, 3))
        if seconds and swap:
            told.add(f"{family}: swap of a LoRA's time, {name}", lambda s=seconds: round(swap / s, 3))
        generator.close()
    for batch in BATCHES if is_card else BATCHES[:2]:
        told.add(
            f"{family}: s a picture, batch {batch}", lambda batch=batch: at_batch(files, common, batch, count, device)
        )
    told.add(f"{family}: peak memory, GB", lambda: round(peak(device) / 1e9, 2))


def ask(generator: DiffusersGenerator, model: ModelFile, count: int) -> None:
    """Random weights may give pictures that no index takes; they cost the same."""
    probe_set = generator.plan(model, default_probes(max(count, 8)))
    try:
        for _ in generator.generate(model, probe_set, list(range(count))):
            pass
    except InvalidOutputError as error:
        print(f"  ({str(error)[:100]})")


def swap_seconds(generator: DiffusersGenerator, one: ModelFile, other: ModelFile, device: str) -> float:
    """The better of a few: the first also reads the file from the disk."""
    resident: Any = generator._resident  # pyright: ignore[reportPrivateUsage]  the work itself, without pictures
    assert resident is not None
    turns = [other, one, other, one]
    return min(timed(device, lambda lora=lora: resident.prepare([(lora, 1.0)], None, "dpmpp_2m")) for lora in turns)


def flops(generator: DiffusersGenerator, model: ModelFile) -> int:
    """Of one picture, counted."""
    counter = FlopCounterMode(display=False)
    with counter:
        ask(generator, model, 1)
    return counter.get_total_flops()


def at_batch(files: Files, common: dict[str, Any], batch: int, count: int, device: str) -> float:
    """Seconds a picture, with few steps and the small decoder."""
    settings = GeneratorSettings(**common, batch=batch, decoders=(files.decoders,))
    generator = DiffusersGenerator([files.base, *files.loras, files.few_step], settings)
    ask(generator, files.loras[0], 1)
    pictures = max(batch, min(count, 32))
    seconds = timed(device, lambda: ask(generator, files.loras[0], pictures)) / pictures
    generator.close()
    return round(seconds, 3)


def peak(device: str) -> int:
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
