"""One image (docs/methods.md 4): which of 16 checkpoints of one category made a picture; prompts of queries and probes apart.

55 prompts specify a model; 18 others, with 10 seeds each, ask. Methods and baselines of the paper, and the weights that it does not try.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.baselines import pixels
from benchmarks.zoo import diffusion
from benchmarks.zoo.large import ANIMALS
from benchmarks.zoo.world import caption, sample_scene
from modelsearch_core.embedding import Features, unit
from modelsearch_core.encoders.interrogator import Phrases, joined
from modelsearch_core.evaluation import average_rank, top_k_accuracy
from modelsearch_core.ranking import from_distance
from modelsearch_core.scores import gaussian, kernel_mean
from modelsearch_core.scores.samples import offsets_of
from modelsearch_core.search.auto import AUTO
from modelsearch_core.specification import Modality

from .collection import DEVICE, Asker, Indexed, Numbers, Questions, Scores

SPECIFY, ASK, SEEDS = 55, 18, 10
GAMMAS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
TEMPERATURES = (0.05, 0.1, 0.2, 0.5)
PIXELS = 64  # a side, of RKME-Basic's pictures


def asked_pictures(of: Indexed, zoo: Path) -> tuple[list[np.ndarray], list[str]]:
    """(180, 64, 64, 3) pictures of each checkpoint, kept, and their prompts."""
    rng = np.random.default_rng(70_000)
    scenes = [caption(sample_scene(rng, ANIMALS, query=True)) for _ in range(ASK)]
    prompts = [prompt for prompt in scenes for _ in range(SEEDS)]
    return [_pictures(of, zoo, int(m), prompts) for m in of.checkpoints], prompts


def _pictures(of: Indexed, zoo: Path, m: int, prompts: list[str]) -> np.ndarray:
    file = of.collection.entries[m].model.path
    path = zoo / "one_image" / f"{file.stem}.npy"
    if not path.is_file():
        model = diffusion.read(file, zoo / "models" / "base", device=DEVICE)
        seeds = [7_000_000 + n for n in range(len(prompts))]
        made = [
            diffusion.sample(model, prompts[a : a + 60], seeds[a : a + 60], steps=15)
            for a in range(0, len(prompts), 60)
        ]
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path.with_suffix(".part.npy"), np.concatenate(made))
        path.with_suffix(".part.npy").replace(path)
    return np.load(path)


def run(of: Indexed, zoo: Path) -> dict[str, Any]:
    pictures, prompts = asked_pictures(of, zoo)
    h = [of.encoder.encode_images([Image.fromarray(p) for p in made]) for made in pictures]
    world = _World(of, h, prompts, pictures)
    return {
        "models": len(of.checkpoints),
        "queries": len(world.questions.owner),
        "methods": {name: figures(scores, world.targets) for name, scores in world.methods().items()},
        "images": world.several_images(),
        "half": world.half_sets(),
        "gamma": {str(g): figures(world.weighted(world.user_words, gamma=g), world.targets) for g in GAMMAS},
        "weights": world.other_weights(),
    }


def figures(scores: Scores, targets: Numbers) -> dict[str, float]:
    return {f"top{k}": top_k_accuracy(scores, targets, k) for k in (1, 2, 3, 4)} | {
        "rank": average_rank(scores, targets)
    }


class _World:
    """Specifications of the checkpoints and the questions, as arrays."""

    def __init__(self, of: Indexed, h: list[Features], prompts: list[str], pictures: list[np.ndarray]) -> None:
        self.of, self.models = of, of.checkpoints
        self.questions = Questions(
            np.concatenate(h), np.concatenate(h), prompts * len(h), np.repeat(self.models, len(prompts))
        )
        self.targets = np.repeat(np.arange(len(h)), len(prompts))
        self.pixels = np.concatenate(pictures)
        kept = [np.flatnonzero(self._numbers(m) < SPECIFY) for m in self.models]
        self.Z = np.concatenate([self._of(m).Z[rows] for m, rows in zip(self.models, kept, strict=True)]).astype(
            np.float32
        )
        self.offsets = offsets_of(np.array([len(rows) for rows in kept]))
        self.numbers = np.concatenate([self._numbers(m)[rows] for m, rows in zip(self.models, kept, strict=True)])
        asked = [
            of.collection.prompt(int(m), int(n))
            for m, rows in zip(self.models, kept, strict=True)
            for n in self._numbers(m)[rows]
        ]
        self.Q = of.encoder.encode_texts(asked)
        self.user_words = of.encoder.encode_texts(self.questions.prompts)

    def _of(self, m: int) -> Any:
        return self.of.collection.specification(int(m))

    def _numbers(self, m: int) -> np.ndarray:
        return np.asarray(self._of(m).numbers)

    def weights(self, words: Features) -> np.ndarray:
        return kernel_mean.prompt_weights(self.Q, words)

    def weighted(self, words: Features, *, gamma: float = kernel_mean.GAMMA, rows: np.ndarray | None = None) -> Scores:
        """Weighted kernel mean; `rows` of the specification only."""
        Z, offsets, w = self.Z, self.offsets, self.weights(words)
        if rows is not None:
            owners = np.repeat(np.arange(len(self.models)), np.diff(offsets))[rows]
            Z, w, offsets = Z[rows], w[:, rows], offsets_of(np.bincount(owners, minlength=len(self.models)))
        return self._kernel_mean(Z, offsets, w, gamma)

    def _kernel_mean(self, Z: Features, offsets: np.ndarray, w: np.ndarray, gamma: float) -> Scores:
        K = kernel_mean.kernels(Z, offsets, gamma)
        similarity = kernel_mean.self_similarity(K, offsets, w)
        return from_distance(kernel_mean.kernel_mean_distances(Z, offsets, w, self.questions.h, gamma, similarity))

    def interrogated(self) -> Features:
        """What CLIP alone says of the pictures, in phrases of this world: subject, colour, place, then looks."""
        return self.of.encoder.encode_texts(interrogate(self.of, self.questions.h))

    def methods(self) -> dict[str, Scores]:
        rng = np.random.default_rng(0)
        auto = Asker(self.of).pictures("auto", self.questions)[:, self.models]
        prompted = Asker(self.of).pictures("auto, with the prompt", self.questions, self.user_words)[:, self.models]
        reduced = kernel_mean.reduce_to_one(self.Z, self.offsets)
        beside = kernel_mean.reduce_to_one(kernel_mean.side_by_side(self.Z, self.Q), self.offsets)
        concat = kernel_mean.side_by_side(self.questions.h, self.user_words)
        return {
            "download count": np.tile(rng.permutation(len(self.models)).astype(float), (len(self.targets), 1)),
            "RKME-Basic (pixels)": self.basic(),
            "RKME-CLIP": from_distance(kernel_mean.rkme_distance(*reduced, self.questions.h)),
            "RKME-Concat": from_distance(kernel_mean.rkme_distance(*beside, concat)),
            "weighted kernel mean": self.weighted(self.interrogated()),
            "the same with the user's prompt": self.weighted(self.user_words),
            "size 1, user's prompt": self.size_one(),
            "1st Moment": Asker(self.of).pictures("first_moment", self.questions)[:, self.models],
            "Gaussian": gaussian.log_density(gaussian.fit(self.Z, self.offsets), self.questions.h),
            f"auto ({' + '.join(AUTO[Modality.IMAGE])})": auto,
            "auto, with the user's prompt": prompted,
        }

    def basic(self) -> Scores:
        """A reduced set of one in pixels."""
        samples: list[np.ndarray] = []
        for m in self.models:
            entry = self.of.collection.entries[int(m)]
            stored = self.of.collection.catalog.sample_images(*entry.key)  # pictures, for a baseline alone
            samples += [_small(stored[int(n)]) for n in self._numbers(m) if n < SPECIFY]
        X = unit(pixels(np.stack(samples)))
        asked = unit(pixels(np.stack([_small(Image.fromarray(p)) for p in self.pixels])))
        return from_distance(kernel_mean.rkme_distance(*kernel_mean.reduce_to_one(X, self.offsets), asked))

    def size_one(self) -> Scores:
        """The weighted form with a reduced set of one: a set of its own for each of the 18 prompts."""
        scores = np.empty((len(self.targets), len(self.models)))
        prompts = np.array(self.questions.prompts)
        for prompt in sorted(set(prompts)):
            rows = np.flatnonzero(prompts == prompt)
            w = self.weights(self.user_words[rows[:1]])[0]
            reduced = kernel_mean.reduce_to_one(self.Z, self.offsets, w=w)
            scores[rows] = from_distance(kernel_mean.rkme_distance(*reduced, self.questions.h[rows]))
        return scores

    def several_images(self) -> dict[str, dict[str, float]]:
        """1 to 5 pictures of one prompt and model, with the user's prompt."""
        w = self.weights(self.user_words)
        K = kernel_mean.kernels(self.Z, self.offsets)
        found: dict[str, dict[str, float]] = {}
        starts = np.arange(0, len(self.targets), SEEDS)
        for T in range(1, 6):
            sets = [start + np.arange(T) + T * turn for start in starts for turn in range(SEEDS // T)]
            first = [int(rows[0]) for rows in sets]
            similarity = kernel_mean.self_similarity(K, self.offsets, w[first])
            d = [
                kernel_mean.kernel_mean_distances(self.Z, self.offsets, w[f], self.questions.h[rows], similarity=s)
                for f, rows, s in zip(first, sets, similarity, strict=True)
            ]
            means = np.stack([each.mean(axis=0) for each in d])  # less what is the same for all models
            found[str(T)] = figures(from_distance(means), self.targets[first])
        return found

    def half_sets(self) -> dict[str, dict[str, float]]:
        """Specified by one half of the prompts or the other."""
        return {
            name: figures(self.weighted(self.user_words, rows=np.flatnonzero(self.numbers % 2 == odd)), self.targets)
            for name, odd in (("one half of the prompts", 0), ("the other half", 1))
        }

    def other_weights(self) -> dict[str, dict[str, float]]:
        """What samples may count for besides the cosine of prompts."""
        cosines = {
            "user's and probe's prompt": self.weights(self.user_words),
            "interrogator's and probe's prompt": self.weights(self.interrogated()),
            "picture and probe's prompt": self.weights(self.questions.h),
        }
        tried = {"all alike": np.ones_like(cosines["picture and probe's prompt"])}
        for name, of_one in cosines.items():
            for temperature in TEMPERATURES:
                softmax = kernel_mean.softmax_weights(of_one, self.offsets, temperature)
                tried[f"softmax {temperature:g} of {name}"] = softmax
        found: dict[str, dict[str, float]] = {}
        for gamma in (kernel_mean.GAMMA, 2 * kernel_mean.GAMMA):
            for name, w in tried.items():
                scores = self._kernel_mean(self.Z, self.offsets, w, gamma)
                found[f"{name}, γ = {gamma:g}"] = figures(scores, self.targets)
        return found


def interrogate(of: Indexed, h: Features) -> list[str]:
    """As `encoders.interrogator` does, with the words of the zoo's world for phrases."""
    from benchmarks.zoo.styles import FAMILIES, Range, Style, describe
    from benchmarks.zoo.world import BACKGROUNDS, COLOURS

    scenes = [
        f"a {colour} {subject} {place}" for colour in COLOURS for subject in ANIMALS for place in BACKGROUNDS.values()
    ]
    middles = [
        Style(name, {n: (r.low + r.high) / 2 if isinstance(r, Range) else r.options[0] for n, r in f.values.items()})
        for name, f in FAMILIES.items()
    ]
    subjects = Phrases.encoded(scenes, of.encoder, None)
    looks = Phrases.encoded([describe(style) for style in middles], of.encoder, None)
    return [joined(subjects.nearest(feature, 1)[0], looks.nearest(feature, 1)[0]) for feature in h]


def _small(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("RGB").resize((PIXELS, PIXELS)))
