"""From a closed catalogue to answers: `python benchmarks/search.py [--models 1000 10000] [--keep FOLDER]`.

Writes catalogues as indexing would (benchmarks/catalogues.py), then measures each thing in a process of its own: wall
and processor seconds, and peak memory over a process that has only imported. The encoder is not in it. Writes
benchmarks/results/search.json and docs/results_speed.md.
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.catalogues import ENCODER, Chance, S, fill, picture
from modelsearch_core.catalog import Catalog
from modelsearch_core.embedding import Features
from modelsearch_core.search import ModelIndex, Query

RESULT = ROOT / "benchmarks" / "results" / "search.json"
CARDS = ROOT / "benchmarks" / "results" / "first_card.json"  # of benchmarks/first_card.py
PAGE = ROOT / "docs" / "results_speed.md"
QUERIES = 100  # whose first ten are compared with those of the full computation
QUERIES_OF_MANY = 20  # where this reads every sample of more than `MANY` models
MANY = 2000
TEN = 10
KINDS = ("text", "picture", "sketch", "like", "style")


def query(kind: str, seed: int, index: ModelIndex) -> Query:
    if kind == "text":
        return Query(text=[f"question {seed}"])
    if kind == "like":
        return Query(like=[index.collection.entries[(seed * 37) % len(index.collection)].fingerprint])
    return Query(sketches=[picture(seed)]) if kind == "sketch" else Query(images=[picture(seed)])


def ask(index: ModelIndex, kind: str, seed: int) -> None:
    index.search(query(kind, seed, index), method="style" if kind == "style" else "auto")


def first_and_next(path: Path, kind: str) -> dict[str, float]:
    """Opening with a first answer, and the mean of the next ten."""
    encoder = TimedChance()
    clock = Clock(encoder)
    index = ModelIndex.open(path, encoder=encoder)
    ask(index, kind, 0)
    found = clock.read("first")
    clock = Clock(encoder)
    for seed in range(1, 11):
        ask(index, kind, seed)
    return found | {name: value / 10 for name, value in clock.read("next").items()} | {"memory": grown()}


def after_writes(path: Path, kind: str) -> dict[str, float]:
    """The next answer after a setting was written, and after one model was measured again."""
    encoder = TimedChance()
    index = ModelIndex.open(path, encoder=encoder)
    index.search(query(kind, 0, index))
    found: dict[str, float] = {}
    with Catalog(path) as writer:
        writer.put_setting("any", str(time.time()))
        clock = Clock(encoder)
        index.reload()
        index.search(query(kind, 1, index))
        found |= clock.read("setting")
        key = index.collection.entries[5].key
        measured = writer.specification(*key, ENCODER)
        assert measured is not None
        writer.put_specification(measured)
        clock = Clock(encoder)
        assert index.reload()
        index.search(query(kind, 2, index))
    return found | clock.read("model")


def agreement(path: Path, kind: str) -> dict[str, float]:
    """Of queries: whose first ten, and whose first, are the full computation's."""
    ten = one = 0
    with ModelIndex.open(path, encoder=Chance()) as index:
        queries = QUERIES if len(index.collection) <= MANY else QUERIES_OF_MANY
        started = time.process_time()
        for seed in range(queries):
            asked = query(kind, seed + 1000, index)
            fast, full = ([match.id for match in index.search(asked, k=TEN, exact=exact)] for exact in (False, True))
            ten += fast == full
            one += fast[0] == full[0]
    seconds = (time.process_time() - started) / queries
    return {"queries": queries, "ten": ten / queries, "first": one / queries, "seconds": seconds}


class TimedChance(Chance):
    """Keeps how long it has taken."""

    def __init__(self) -> None:
        self.taken = np.zeros(2)  # wall and processor seconds

    def encode_texts(self, texts: Sequence[str]) -> Features:
        with self._timed():
            return super().encode_texts(texts)

    def encode_images(self, images: Sequence[Image.Image]) -> Features:
        with self._timed():
            return super().encode_images(images)

    @contextmanager
    def _timed(self) -> Generator[None]:
        before = _now()
        yield
        self.taken += _now() - before


class Clock:
    """Without the encoder's time."""

    def __init__(self, encoder: TimedChance) -> None:
        self._encoder = encoder
        self._started = _now() - encoder.taken

    def read(self, name: str) -> dict[str, float]:
        wall, processor = _now() - self._encoder.taken - self._started
        return {name: float(wall), f"{name}, processor": float(processor)}


def _now() -> NDArray[np.floating]:
    return np.array([time.perf_counter(), time.process_time()])


def grown() -> float:
    """Peak memory in MB, what was imported included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def used(path: Path) -> int:
    """Bytes of a catalogue; pages that are free are the next models'."""
    with closing(sqlite3.connect(path)) as connection:
        size, pages, free = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count", "freelist_count")
        )
    return size * (pages - free)


def samples(path: Path) -> int:
    """Of a model, at most."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT max(samples) FROM specification WHERE evidence = 'generated'").fetchone()[0]


TASKS: dict[str, Callable[[Path, str], dict[str, float]]] = {
    "answers": first_and_next,
    "writes": after_writes,
    "agreement": agreement,
}


def measured(task: str, path: Path, kind: str) -> dict[str, float]:
    """In a process of its own."""
    words = [sys.executable, __file__, "--task", task, "--file", str(path), "--kind", kind]
    done = subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def known_agreement(models: int) -> dict[str, Any]:
    """As it was measured last."""
    results = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.is_file() else []
    return next((result["agreement"] for result in results if result["models"] == models and "agreement" in result), {})


def run(models: int, folder: Path, *, compared: bool) -> dict[str, Any]:
    path = folder / f"{models}.sqlite"
    if not path.is_file():
        fill(path, models)
    found: dict[str, Any] = {"models": models, "samples": samples(path), "bytes a model": used(path) // models}
    for kind in KINDS:
        found[kind] = measured("answers", path, kind)
        print(models, kind, found[kind], file=sys.stderr, flush=True)
    found["writes"] = measured("writes", path, "text")
    print(models, found["writes"], file=sys.stderr, flush=True)
    if compared:
        found["agreement"] = {kind: measured("agreement", path, kind) for kind in ("picture", "sketch")}
        print(models, found["agreement"], file=sys.stderr, flush=True)
    elif known := known_agreement(models):
        found["agreement"] = known
    return found


def of_each_and_of_all(results: list[dict[str, Any]]) -> tuple[float, float] | None:
    """Bytes that a further model takes, and those that are the same however many there are, by the fewest and the most
    models of as many samples."""
    alike = sorted((of["models"], of["bytes a model"] * of["models"]) for of in results if of.get("samples", S) == S)
    if len(alike) < 2:
        return None
    (few, least), (many, most) = alike[0], alike[-1]
    each = (most - least) / (many - few)
    return each, least - few * each


def page(results: list[dict[str, Any]]) -> str:
    lines = [
        "# How fast answers come",
        "",
        "Written by `python benchmarks/search.py`. Catalogues as indexing writes them (benchmarks/catalogues.py): 64 samples",
        "with line drawings a model, words, trigger words for four of five LoRA, 36 recipes over 12 bases, 512 numbers a",
        "feature. Processor seconds (all threads), each in a process of its own; the encoder is not in it. Memory is the",
        "process's peak, Python and numpy included. `style` asks a picture by `--method style`, of samples.",
        "",
        "| models | query | open and first | next | peak memory, MB |",
        "|---:|---|---:|---:|---:|",
    ]
    for result in results:
        for kind in filter(result.__contains__, KINDS):
            of = result[kind]
            times = f"{of['first, processor']:.2f} | {of['next, processor']:.3f} | {of['memory']:.0f}"
            lines.append(f"| {result['models']:,} | {kind} | {times} |")
    fewer = [result for result in results if result.get("samples", S) != S]
    lines += (
        ["", *(f"Of {result['models']:,} models, {result['samples']} samples each." for result in fewer)]
        if fewer
        else []
    )
    lines += ["", "| models | bytes a model | next text after a setting | after a model |", "|---:|---:|---:|---:|"]
    for result in results:
        of = result["writes"]
        times = f"{of['setting, processor']:.3f} | {of['model, processor']:.3f}"
        lines.append(f"| {result['models']:,} | {result['bytes a model']:,} | {times} |")
    if sizes := of_each_and_of_all(results):
        each, of_all = sizes
        lines += [
            "",
            f"So a further model takes {each / 1000:.1f} KB, and {of_all / 1e6:.1f} MB are the same however many there are: "
            "texts to compare with,",
            "what yardsticks are made of, recipes, and what bases were asked for each of these.",
        ]
    compared = [result for result in results if "agreement" in result]
    if compared:
        lines += ["", "The share of queries that have the first ten, and the first, of the full computation:", ""]
        lines += ["| models | query | queries | first ten | first |", "|---:|---|---:|---:|---:|"]
        for result in compared:
            for kind, of in result["agreement"].items():
                lines.append(
                    f"| {result['models']:,} | {kind} | {of['queries']} | {of['ten']:.2f} | {of['first']:.2f} |"
                )
    if CARDS.is_file():
        lines += ["", *_cards(json.loads(CARDS.read_text(encoding="utf-8")))]
    return "\n".join(lines) + "\n"


def _cards(of: dict[str, Any]) -> list[str]:
    return [
        f"In Chromium, over {of['models']:,} models (`python benchmarks/first_card.py`), the first card is there",
        f"{of['list']['after'] / 1000:.2f} s after the last byte of a list's answer and {of['search']['after'] / 1000:.2f} s "
        "after that of a search (medians, by the",
        f"clock); while all of them fly past, {of['pictures']} pictures are asked for.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, nargs="+", default=[1000, 2000, 10_000])
    parser.add_argument("--keep", type=Path, help="folder of the catalogues; without it they are thrown away")
    parser.add_argument(
        "--answers-only", action="store_true", help="keep what was measured last of two stages' agreement"
    )
    parser.add_argument("--task", choices=TASKS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--kind", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.task:
        print(json.dumps(TASKS[args.task](args.file, args.kind)))
        return
    with tempfile.TemporaryDirectory() as folder:
        compared = [models <= 10_000 and not args.answers_only for models in args.models]
        pairs = zip(args.models, compared, strict=True)
        results = [run(models, args.keep or Path(folder), compared=each) for models, each in pairs]
    RESULT.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(results), encoding="utf-8")


if __name__ == "__main__":
    main()
