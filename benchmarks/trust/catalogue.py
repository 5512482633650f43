"""Writers that are killed, and pages that are damaged."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from benchmarks.trust.figures import Figures
from modelsearch_core.catalog import Catalog
from modelsearch_core.catalog.repairing import repair
from modelsearch_core.errors import ModelSearchError
from modelsearch_core.specification import Evidence, Specification

ENCODER, DIGEST, PAGE = "campaign", "d", 4096


def write(path: Path, start: int, count: int) -> None:
    """Stores models with pictures, and says of each when it is stored."""
    chance = np.random.default_rng(start)
    with Catalog(path) as catalog:
        catalog.put_encoder(ENCODER, "none", 32)
        for number in range(start, start + count):
            with catalog.transaction():
                catalog.put_samples(str(number), DIGEST, {n: b"RIFF" + chance.bytes(6000) for n in range(8)})
                catalog.put_specification(
                    Specification(
                        fingerprint=str(number),
                        digest=DIGEST,
                        encoder=ENCODER,
                        evidence=Evidence.GENERATED,
                        Z=chance.normal(size=(8, 32)).astype(np.float32),
                        numbers=np.arange(8, dtype=np.int32),
                    )
                )
            print(number, flush=True)


def stored(path: Path) -> set[str]:
    """Models of which all is there."""
    with Catalog(path) as catalog:
        keys = [key[0] for key in catalog.specification_keys(ENCODER)]
        return {key for key in keys if len(catalog.sample_numbers(key, DIGEST)) == 8}


def kills(folder: Path, count: int, seed: int) -> Figures:
    """A process that writes is killed at any moment; whatever it said is stored must be, and nothing by halves."""
    figures, chance, path = Figures("kills while writing"), random.Random(seed), folder / "killed.sqlite"
    said: set[str] = set()
    for number in range(count):
        code = f"from benchmarks.trust.catalogue import *; write(Path(sys.argv[1]), {number * 1000}, 900)"
        with subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            said.add(process.stdout.readline().strip())
            time.sleep(chance.random() * 0.3)
            process.send_signal(signal.SIGKILL)
            said.update(line.strip() for line in process.stdout if line.endswith("\n"))
        with figures.timed():
            lost = said - stored(path)
        with closing(sqlite3.connect(path)) as connection:
            sound = connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        figures.outcomes["all there" if sound and not lost else "lost or damaged"] += 1
        figures.broken += [f"{sorted(lost)[:5]} lost, sound: {sound}"] if lost or not sound else []
    figures.outcomes[f"({len(said)} models stored by {count} writers)"] = 0
    return figures


def damaged_pages(folder: Path, count: int, seed: int) -> Figures:
    """One page of a catalogue of 100 models is overwritten at random; what `repair` saves."""
    figures, chance, path = Figures("damaged pages"), random.Random(seed), folder / "damaged.sqlite"
    devnull = sys.stdout
    with open(os.devnull, "w") as sys.stdout:  # noqa: PTH123
        write(path, 0, 100)
    sys.stdout = devnull
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = path.read_bytes()
    kept: list[float] = []
    for _ in range(count):
        page = chance.randrange(1, len(whole) // PAGE)
        path.write_bytes(whole[: page * PAGE] + chance.randbytes(PAGE) + whole[(page + 1) * PAGE :])
        with figures.timed():
            try:
                done = repair(path)
                kept.append(len(stored(path)) / 100)
                figures.outcomes["repaired" if done.was_damaged else "within a picture"] += 1
                figures.broken += [] if not repair(path).was_damaged else [f"page {page} is still damaged"]
            except ModelSearchError as error:
                figures.outcomes["nothing could be saved"] += 1
                figures.broken.append(str(error)[:100])
        for old in folder.glob("damaged damaged *"):
            old.unlink()
    figures.outcomes[f"(models kept: {np.mean(kept):.1%} on average, {min(kept):.0%} at worst)"] = 0
    return figures
