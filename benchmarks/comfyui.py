"""How late prompts are while ComfyUI's pack reads thousands of LoRA: `python -m benchmarks.comfyui [--loras 5000]`.

Starts the ComfyUI that `COMFYUI_PATH` and `COMFYUI_PYTHON` name (docs/development.md) on a folder of small LoRA with
sidecars, as many busy processes beside it as `--busy` says, and sends a trivial prompt every half second while files and
words are read; after every ten of them, ten while reading pauses, since what else the machine does makes prompts late, too.
A prompt is late by how much longer it takes than the median of those in the pauses. Writes benchmarks/results/comfyui.json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from modelsearch_core.catalog import Catalog
from modelsearch_core.encoders import open_encoder
from tests.comfyui.engine import catalog_of
from tests.comfyui.host import ComfyUI, install, other_packs
from tests.making.clip import clip_folder

RESULT = ROOT / "benchmarks" / "results" / "comfyui.json"
LAYER = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
EVERY = 0.5  # seconds between two prompts
BLOCK = 10  # prompts, after which reading pauses or goes on
SPIN = "while True: pass"
VIT_B_32 = {  # as large as the usual encoder, with random weights
    "embed_dim": 512,
    "vision_cfg": {"image_size": 224, "layers": 12, "width": 768, "patch_size": 32},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8, "layers": 12},
}


def make_loras(folder: Path, count: int) -> None:
    """Real small LoRA, a fifth of them with what a hub says."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for number in range(count):
        factors = {
            f"{LAYER}.lora_down.weight": rng.normal(size=(4, 768)).astype(np.float16),
            f"{LAYER}.lora_up.weight": rng.normal(size=(320, 4)).astype(np.float16),
        }
        path = folder / f"style {number:05}.safetensors"
        save_file(factors, path, {"ss_output_name": f"style {number}", "ss_tag_frequency": '{"a": {"ink": 9}}'})
        if number % 5 == 0:
            said = {"description": f"number {number}, brushes and ink", "trainedWords": [f"word{number}"]}
            path.with_suffix(".civitai.info").write_text(json.dumps(said), encoding="utf-8")


@contextmanager
def busy(count: int) -> Generator[None]:
    """Processes that use a core each."""
    spinning = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(count)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()


def prompt(server: ComfyUI, salt: int) -> float:
    """Seconds until a prompt that does nothing is through."""
    asked = {"1": {"class_type": "SlowSink", "inputs": {"seconds": 0.0, "salt": salt}}}
    began = time.monotonic()
    server.run(asked, 600)
    return time.monotonic() - began


def block(server: ComfyUI, first: int) -> list[float]:
    taken: list[float] = []
    for number in range(BLOCK):
        taken.append(prompt(server, first + number))
        time.sleep(max(0.0, EVERY - taken[-1]))
    return taken


def act(server: ComfyUI, action: str, **more: Any) -> None:
    status, answer = server.post("/modelsearch/index", {"action": action, **more})
    assert status == 200, answer


def measured(base: Path, loras: int, spinning: int, most: float) -> dict[str, Any]:
    """`most`: seconds of reading that are looked at. On a ComfyUI that had nothing to read until it was up, so that both figures are of one server."""
    install(base)
    other_packs(base)
    make_loras(base / "made", loras)
    (base / "models" / "loras").mkdir(parents=True)
    encoder = open_encoder(str(clip_folder(base / "clip", model=VIT_B_32)), device="cpu")
    with Catalog(catalog_of(base)) as catalog:
        catalog.put_encoder(encoder.name, str(base / "clip"), encoder.dimension)
    server = ComfyUI(base)
    try:
        server.wait_until_up()
        with busy(spinning):
            (base / "made").rename(base / "models" / "loras" / "made")
            began = time.monotonic()
            act(server, "start", quick=True)
            stages: Counter[str] = Counter()
            reading: list[float] = []
            pausing: list[float] = []
            while (now := progress(server))["active"] and time.monotonic() - began < most:
                stages[now["stage"]] += BLOCK
                reading += block(server, len(reading) + len(pausing))
                if progress(server)["active"]:
                    act(server, "pause")
                    pausing += block(server, len(reading) + len(pausing))
                    act(server, "resume")
            seconds = time.monotonic() - began
            load = os.getloadavg()[0]
            ended = progress(server)
        assert ended["state"] != "failed", ended
        assert server.get("/modelsearch/status")["models"] == loras
    finally:
        server.stop()
    usual = statistics.median(pausing)
    return {
        "loras": loras,
        "busy_processes": spinning,
        "cores": os.cpu_count(),
        "load": round(load, 1),
        "seconds_of_reading": round(seconds, 1),
        "is_through": not ended["active"],
        "prompts_in_each_stage": dict(stages),
        "usual_prompt": round(usual, 3),
        "late_while_reading": lateness(reading, usual),
        "late_while_reading_pauses": lateness(pausing, usual),
    }


def lateness(taken: Sequence[float], usual: float) -> dict[str, float]:
    late = [seconds - usual for seconds in taken]
    return {
        "prompts": len(late),
        "median": round(statistics.median(late), 3),
        "95th": round(float(np.quantile(late, 0.95)), 3),
        "most": round(max(late), 3),
    }


def progress(server: ComfyUI) -> dict[str, Any]:
    return server.get("/modelsearch/index")["progress"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loras", type=int, default=5000)
    parser.add_argument("--busy", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--seconds", type=float, default=900.0, help="of reading that are looked at")
    chosen = parser.parse_args()
    if not os.environ.get("COMFYUI_PATH"):
        parser.error("COMFYUI_PATH does not name a checkout of ComfyUI")
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), chosen.loras, chosen.busy, chosen.seconds)
    RESULT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
