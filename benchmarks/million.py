"""A million models: `python benchmarks/million.py build FOLDER`, then `measure FOLDER`, or `kernels`.

What models add to their base's pictures is drawn as the signatures of real LoRA are spread (CARLoS; mean, covariance,
strengths and consistencies in benchmarks/signature_covariance.npz, which `geometry FILE.parquet` writes): mixtures of
themes with perturbations of their own. Of each model there is on disk what a catalogue keeps of all: its mean (16 bits a
number) and its density's axes and variances (a byte a number, `scores.coarse`); samples come of a seed. In memory are
rows whose product with a query is nearly its score (`flat_densities`), a byte a number. `measure` asks by text and by picture, compares with the full computation over all models,
adds and removes one, and writes benchmarks/results/million.json.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.flat_densities import Layout
from benchmarks.ranking import CLIP_NORM, read_signatures
from modelsearch_core.embedding import Features, unit
from modelsearch_core.nearest import Exact, InBytes
from modelsearch_core.ranking import rank
from modelsearch_core.scores import gaussian
from modelsearch_core.scores.coarse import LEVELS, WIDTH, Coarse, row_type

HERE = Path(__file__).resolve().parent
GEOMETRY, RESULT = HERE / "signature_covariance.npz", HERE / "results" / "million.json"
D, BLOCK, THEMES = 512, 10_000, 20_000
KEPT = 160  # principal axes of the covariance; they hold 98 % of it
LENGTHS = 0.8, 0.03  # of means of pictures: their mean and deviation
OWN_AXES = 0.5  # of a density's axes beside those that all probes give all models
NEAR = {"text": 4096, "picture": 16_384}  # models that are looked at more closely
TEN = 10
SURE, DEVIATIONS = 512, 4.5  # models that are looked at anyway, and how far others may be off; chosen by other pictures

Array = NDArray[np.floating]


def geometry(signatures: Path) -> None:
    """Mean, strongest axes and spreads of real signatures; not the signatures."""
    direction, strength, consistency = read_signatures(signatures)
    mean, quantiles = direction.mean(axis=0), np.linspace(0, 1, 41)
    variances, axes = np.linalg.eigh(np.cov(direction.T))
    np.savez_compressed(
        GEOMETRY,
        mean=mean.astype(np.float16),
        axes=axes[:, ::-1].T[:KEPT].astype(np.float16),
        deviations=np.sqrt(variances[::-1][:KEPT]).astype(np.float16),
        strength=np.quantile(strength, quantiles).astype(np.float16),
        consistency=np.quantile(consistency, quantiles).astype(np.float16),
    )


class World:
    def __init__(self) -> None:
        with np.load(GEOMETRY) as file:
            self._of = {name: file[name].astype(np.float32) for name in file.files}
        rng = np.random.default_rng(1)
        self.base = unit(rng.normal(size=D)).astype(np.float32)  # what a base makes of all probes, in the mean
        self.basis = np.ascontiguousarray(self._of["axes"][:WIDTH])
        self._themes = self._drawn(rng, THEMES)

    def _drawn(self, rng: np.random.Generator, n: int) -> Features:
        """(n, D) directions as real ones are spread."""
        own = rng.normal(size=(n, KEPT)).astype(np.float32) * self._of["deviations"]
        return unit(self._of["mean"] + own @ self._of["axes"]).astype(np.float32)

    def _quantile(self, name: str, u: Array) -> Array:
        return np.interp(u, np.linspace(0, 1, len(self._of[name])), self._of[name]).astype(np.float32)[:, None]

    def means(self, number: int, n: int = BLOCK) -> Features:
        """(n, D) float16, of the models of a block."""
        return self._means(np.random.default_rng([2, number]), n)[0]

    def _means(self, rng: np.random.Generator, n: int) -> tuple[Features, Array]:
        theme = self._themes[(THEMES * rng.random(n) ** 2).astype(np.intp)]
        direction = unit(theme + 0.8 * self._drawn(rng, n))
        part = self._quantile("strength", rng.random(n)) * np.sqrt(self._quantile("consistency", rng.random(n)))
        length = np.clip(rng.normal(*LENGTHS, size=(n, 1)), 0.5, 0.95)
        return (length * unit(CLIP_NORM * self.base + part * direction)).astype(np.float16), length

    def block(self, number: int, n: int = BLOCK) -> tuple[Features, NDArray[Any]]:
        """Their means and the rows of their densities (n,)."""
        rng = np.random.default_rng([2, number])
        means, length = self._means(rng, n)
        rows = np.zeros(n, row_type(WIDTH))
        spread = np.linspace(1, 0.2, WIDTH, dtype=np.float32)[:, None]
        own = OWN_AXES * rng.normal(size=(n, WIDTH, gaussian.RANK)).astype(np.float32) * spread / np.sqrt(WIDTH)
        V = np.linalg.qr(np.eye(WIDTH, gaussian.RANK, dtype=np.float32) + own)[0].swapaxes(1, 2)
        rows["step"] = np.abs(V).max(axis=(1, 2)) / LEVELS
        rows["axes"] = np.rint(V / rows["step"][:, None, None])
        rows["variances"] = 0.05 * 0.85 ** np.arange(gaussian.RANK) * rng.lognormal(0, 0.3, (n, 1))
        rows["length"] = length[:, 0]
        return means, rows

    def text(self, seed: int) -> Array:
        """As far from all pictures as texts are: a direction of its own, and a theme."""
        rng = np.random.default_rng([3, seed])
        theme = self._themes[int(rng.integers(THEMES))]
        return unit(unit(rng.normal(size=D)) + 0.4 * self.base + 0.6 * theme).astype(np.float32)

    def picture(self, seed: int, store: Store) -> Array:
        """A sample of some model."""
        model = int(np.random.default_rng([4, seed]).integers(len(store)))
        return store.samples(model, seed=[5, seed], n=1)[0]


@dataclass(frozen=True)
class Store:
    """On disk: rows are read where they are needed, in their order."""

    folder: Path
    world: World

    @cached_property
    def _files(self) -> tuple[int, int]:
        flags = os.O_RDONLY
        return os.open(self.folder / "means", flags), os.open(self.folder / "densities", flags)

    def __len__(self) -> int:
        return (self.folder / "means").stat().st_size // (2 * D)

    def _read(self, file: int, kind: np.dtype[Any], numbers: NDArray[np.integer]) -> NDArray[Any]:
        size = kind.itemsize
        return np.frombuffer(b"".join(os.pread(file, size, size * int(m)) for m in numbers), kind)

    def means(self, numbers: NDArray[np.integer]) -> Features:
        return self._read(self._files[0], np.dtype((np.float16, D)), numbers).astype(np.float32).reshape(-1, D)

    def flat(self, numbers: NDArray[np.integer]) -> Features:
        return self.layout.rows(self.densities(numbers))

    @cached_property
    def layout(self) -> Layout:
        rng = np.random.default_rng(7)
        some = np.sort(rng.choice(len(self), min(len(self), 5000), replace=False))
        pictures = [self.samples(int(m), seed=[8, int(m)], n=1)[0] for m in some[:500]]
        return Layout.of(self.densities(some), np.stack(pictures))

    def densities(self, numbers: NDArray[np.integer]) -> Coarse:
        rows = self._read(self._files[1], row_type(WIDTH), numbers)
        return Coarse(self.world.basis, rows, self.means(numbers))

    def samples(self, model: int, *, seed: Any = None, n: int = 64) -> Features:
        """(n, D) of a model's density, at unit length."""
        of, rng = self.densities(np.array([model])), np.random.default_rng([6, model] if seed is None else seed)
        V = of.rows["axes"][0].astype(np.float32) * of.rows["step"][0] @ self.world.basis
        along = rng.normal(size=(n, len(V))) * np.sqrt(of.rows["variances"][0])
        return unit(of.mean + along @ V + np.sqrt(of.floor) * rng.normal(size=(n, D))).astype(np.float32)

    def blocks(self) -> Iterator[NDArray[np.intp]]:
        return (np.arange(a, min(a + BLOCK, len(self))) for a in range(0, len(self), BLOCK))


def some_of(models: int, n: int) -> NDArray[np.intp]:
    return np.sort(np.random.default_rng(9).choice(models, min(models, n), replace=False))


def build(folder: Path, models: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    world, began = World(), time.process_time()
    with (folder / "means").open("wb") as means, (folder / "densities").open("wb") as densities:
        for start in range(0, models, BLOCK):
            mean, rows = world.block(start // BLOCK, min(BLOCK, models - start))
            means.write(mean.tobytes())
            densities.write(rows.tobytes())
    print(f"{models:,} models written in {time.process_time() - began:.0f} s of a processor")


def indexed(store: Store) -> InBytes:
    return InBytes.of(
        (store.flat(block) for block in store.blocks()), store.flat, store.flat(some_of(len(store), 20_000))
    )


@dataclass(frozen=True)
class Engine:
    store: Store
    index: InBytes
    looked_at: list[int] = field(default_factory=list)  # models, of each picture

    def text(self, h: Array) -> NDArray[np.intp]:
        """1st Moment, of the models whose means are nearest."""
        near = np.sort(self.index.near(self.store.layout.text(h), NEAR["text"]))
        return near[rank(unit(self.store.means(near)) @ h, TEN)]

    def picture(self, h: Array) -> NDArray[np.intp]:
        """Density, of the models whose densities may be among the best: as far as bytes are off with the first of them."""
        query = self.store.layout.picture(h)
        near, products = self.index.with_products(query, NEAR["picture"])
        first, exact = slice(SURE), np.full(len(near), -np.inf)
        exact[first] = self._exactly(near[first], h)
        off = exact[first] - products[first]
        may = products + off.mean() + DEVIATIONS * off.std() > np.partition(exact[first], -TEN)[-TEN]
        may[first] = False
        exact[may] = self._exactly(near[may], h)
        self.looked_at.append(SURE + int(may.sum()))
        return near[rank(exact, TEN)]

    def _exactly(self, models: NDArray[np.intp], h: Array) -> Array:
        """2ε log N(h) of them, (n,), read from disk in its order."""
        order = np.argsort(models)
        found = np.empty(len(models))
        densities = self.store.densities(models[order])
        found[order] = 2 * densities.floor * densities.log_density(h[None])[0]
        return found


def exactly(store: Store, texts: Features, pictures: Features) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(T, 10) by each: every model is looked at."""
    by_text, by_picture = (np.empty((len(h), len(store)), np.float32) for h in (texts, pictures))
    for block in store.blocks():
        of = store.densities(block)
        by_text[:, block] = texts @ unit(of.mean).T
        by_picture[:, block] = of.log_density(pictures)
    return tuple(np.array([rank(row, TEN) for row in scores]) for scores in (by_text, by_picture))  # type: ignore[return-value]


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """(processor ms, result)"""
    began = time.process_time()
    found = call()
    return 1e3 * (time.process_time() - began), found


def memory(name: str) -> float:
    """MB, as Linux counts them: VmRSS now, VmHWM at most so far."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


def measure(folder: Path, queries: int) -> dict[str, Any]:
    store = Store(folder, World())
    before = memory("VmRSS")
    built, index = timed(lambda: indexed(store))
    engine = Engine(store, index)
    texts = np.stack([store.world.text(seed) for seed in range(queries)])
    pictures = np.stack([store.world.picture(seed, store) for seed in range(queries)])
    result: dict[str, Any] = {"models": len(store), "build_s": built / 1e3, "queries": queries}
    found: dict[str, list[NDArray[np.intp]]] = {}
    for name, of, asked in (("text", engine.text, texts), ("picture", engine.picture, pictures)):
        of(asked[0])
        times, answers = zip(*(timed(lambda h=h, of=of: of(h)) for h in asked), strict=True)
        found[name] = list(answers)
        result[name] = {"median_ms": float(np.median(times)), "most_ms": float(max(times))}
    result["picture"]["looked_at"] = float(np.median(engine.looked_at))
    result["resident_mb"], result["most_resident_mb"] = memory("VmRSS"), memory("VmHWM")
    result["grown_mb"] = memory("VmRSS") - before
    result |= changes(engine, pictures[0])
    exact = exactly(store, texts, pictures)
    for name, true in zip(("text", "picture"), exact, strict=True):
        same = [np.array_equal(a, b) for a, b in zip(found[name], true, strict=True)]
        recall = [len(set(a) & set(b)) / TEN for a, b in zip(found[name], true.tolist(), strict=True)]
        result[name] |= {"first_ten": float(np.mean(same)), "recall": float(np.mean(recall))}
    return result


def changes(engine: Engine, h: Array) -> dict[str, float]:
    """One model more, found at once; one less."""
    best, index = int(engine.picture(h)[0]), engine.index
    adding, _ = timed(lambda: index.add(engine.store.flat(np.array([best]))))
    assert len(index) == len(engine.store) + 1
    removing, _ = timed(lambda: index.remove(np.array([len(engine.store)])))
    last = engine.picture(h)
    removed, _ = timed(lambda: index.remove(np.array([best])))
    assert best in last and best not in engine.picture(h)
    with_gap, _ = timed(lambda: engine.picture(h))
    index._gone[best] = False
    return {"add_ms": adding, "remove_ms": (removing + removed) / 2, "picture_after_removal_ms": with_gap}


def kernels(models: int) -> dict[str, float]:
    """1st Moment and order of ten, against the bare product and argpartition."""
    world, rows = World(), np.empty((models, D), np.float32)
    for start in range(0, models, BLOCK):
        n = min(BLOCK, models - start)
        rows[start : start + n] = unit(world.means(start // BLOCK, n).astype(np.float32))
    texts, exact = np.stack([world.text(seed) for seed in range(10)]), Exact(rows)
    index = InBytes.of(np.array_split(rows, max(1, models // BLOCK)), lambda numbers: rows[numbers], rows[:20_000])

    def fastest(of: Callable[[Array], Any]) -> float:
        return min(timed(lambda h=h: of(h))[0] for h in np.concatenate([texts[:1], texts]))

    found = {
        "models": models,
        "product": fastest(lambda h: rows @ h),
        "product_argpartition": fastest(lambda h: np.argpartition(-(rows @ h), TEN)[:TEN]),
        "exact": fastest(lambda h: exact.best(h, TEN)),
        "bytes": fastest(lambda h: index.best(h, TEN)),
        "bytes_mb": models * D / 2**20,
    }
    same = [len(set(index.best(h, TEN)) & set(exact.best(h, TEN).tolist())) / TEN for h in texts]
    narrow = np.random.default_rng(0).random(models) < 0.01
    under = [len(set(index.best(h, TEN, narrow)) & set(exact.best(h, TEN, narrow).tolist())) / TEN for h in texts]
    return found | {"recall": float(np.mean(same)), "recall_1_percent": float(np.mean(under))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tasks = parser.add_subparsers(dest="task", required=True)
    tasks.add_parser("geometry").add_argument("signatures", type=Path)
    building = tasks.add_parser("build")
    building.add_argument("folder", type=Path)
    building.add_argument("--models", type=int, default=1_000_000)
    measuring = tasks.add_parser("measure")
    measuring.add_argument("folder", type=Path)
    measuring.add_argument("--queries", type=int, default=20)
    tasks.add_parser("kernels").add_argument("--models", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    args = parser.parse_args()
    if args.task == "geometry":
        geometry(args.signatures)
    elif args.task == "build":
        build(args.folder, args.models)
    else:
        name = args.task
        found = measure(args.folder, args.queries) if name == "measure" else [kernels(M) for M in args.models]
        results = json.loads(RESULT.read_text()) if RESULT.is_file() else {}
        RESULT.write_text(json.dumps(results | {name: found}, indent=1) + "\n")
        print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
