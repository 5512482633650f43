"""`python -m benchmarks.trust`: the whole campaign against hostile files, faults and requests; prints its figures.

Ends with 1 where anything was harmful. `--quick` tries a twentieth of it, `--only files` one part.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.trust import catalogue, files, requests
from benchmarks.trust.figures import HEADING, Figures

FLIPPED, OPCODES, PICTURES, KILLS, PAGES, REQUESTS = 50_000, 200_000, 20_000, 150, 200, 3_500


def parts(share: float, seed: int) -> dict[str, Callable[[Path], Iterator[Figures]]]:
    """The campaign's parts by name; `share` of the whole."""

    def count(whole: int) -> int:
        return max(1, round(whole * share))

    def of_files(folder: Path) -> Iterator[Figures]:
        yield from files.special(folder)
        yield from files.flipped(folder, count(FLIPPED), seed)
        yield files.opcodes(count(OPCODES), seed)
        yield from files.pictures(count(PICTURES), seed)

    def of_the_catalogue(folder: Path) -> Iterator[Figures]:
        yield catalogue.kills(folder, count(KILLS), seed)
        yield catalogue.damaged_pages(folder, count(PAGES), seed)

    return {
        "files": of_files,
        "catalogue": of_the_catalogue,
        "requests": lambda folder: requests.strangers(folder, count(REQUESTS), seed),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=["files", "catalogue", "requests"])
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    started, broken = time.monotonic(), []
    print(HEADING)
    for name, part in parts(0.05 if args.quick else 1.0, args.seed).items():
        if args.only not in (None, name):
            continue
        with tempfile.TemporaryDirectory(prefix="modelsearch-trust-") as folder:
            for figures in part(Path(folder)):
                print(figures.line(), flush=True)
                broken += [f"{figures.name}: {what}" for what in figures.broken]
    for what in broken[:50]:
        print(f"harmful: {what}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{len(broken)} harmful; {memory} MB at most, {time.monotonic() - started:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
