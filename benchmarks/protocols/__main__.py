"""Runs the protocols on the benchmark zoo and writes docs/results.md: `python -m benchmarks.protocols [NAME...]`.

After `python -m benchmarks.zoo.large_build`. Each protocol writes one file below benchmarks/results/; `page` only writes
docs/results.md from these. What is indexed already is not indexed again.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from . import agreement, collection, content, learned, one_image, page, style, sweeps

RESULTS = collection.ROOT / "benchmarks" / "results"
ZOO = collection.ROOT / "build" / "benchmark_zoo"


def _content(zoo: Path) -> dict[str, Any]:
    return content.run(collection.read(zoo, zoo / "index.sqlite"))


def _curve(zoo: Path) -> dict[str, Any]:
    """Up to 64 samples with all models, up to 512 with some."""
    found: dict[str, Any] = {}
    for name, file, most in (("all", "index.sqlite", collection.SAMPLES), ("some", "deep.sqlite", collection.DEEP)):
        if (zoo / file).is_file():
            of = collection.read(zoo, zoo / file)
            found[name] = {"models": len(of.collection), "methods": content.curve(of, most)}
    return found


def _one_image(zoo: Path) -> dict[str, Any]:
    return one_image.run(collection.read(zoo, zoo / "index.sqlite"), zoo)


def _sweeps(zoo: Path) -> dict[str, Any]:
    return sweeps.run(collection.read(zoo, zoo / "index.sqlite"))


def _learned(zoo: Path) -> dict[str, Any]:
    return learned.run(collection.read(zoo, zoo / "index.sqlite"))


PROTOCOLS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "content": _content,
    "curve": _curve,
    "one_image": _one_image,
    "sweeps": _sweeps,
    "learned": _learned,
    "style": style.run,
    "agreement": agreement.run,
}


def keep(name: str, found: dict[str, Any], seconds: float) -> None:
    """One JSON file with what made it."""
    made = {
        "protocol": name,
        "seconds": round(seconds),
        "machine": f"{platform.system()} {platform.machine()}, {torch.get_num_threads()} threads, {_gpu()}",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "torch": version("torch")},
    }
    text = json.dumps(made | found, indent=1, default=float)
    (RESULTS / f"zoo_{name}.json").write_text(text + "\n", encoding="utf-8")


def _gpu() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    known = ["index", "deep", *PROTOCOLS, "page"]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(known)}; all unless named")
    parser.add_argument("--zoo", type=Path, default=ZOO)
    parser.add_argument("--share", type=int, nargs=2, default=(0, 1), metavar=("I", "N"), help="of what is indexed")
    args = parser.parse_args()
    if unknown := set(args.names) - set(known):
        parser.error(f"{', '.join(sorted(unknown))}: no such protocol; choose of {', '.join(known)}")
    for name in args.names or known:
        started = time.monotonic()
        if name in ("index", "deep"):
            collection.index(args.zoo, deep=name == "deep", share=tuple(args.share))
        elif name == "page":
            page.PAGE.write_text(page.page(RESULTS), encoding="utf-8")
        else:
            keep(name, PROTOCOLS[name](args.zoo), time.monotonic() - started)
        print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
