"""150 small classifiers, each really trained on some of the world's concepts, as users have them: timm's folders and ONNX.

`python -m benchmarks.classifiers.zoo` goes on where it was interrupted. Networks that were trained on all concepts are the
beginning, as in the paper for nine of ten; one of ten starts from nothing. All are trained as a whole. Where a processor has
no time for all, `--whole N` trains the first N so; the others learn their last layer on the frozen network, from few
pictures or many. No file says what its outputs mean: `zoo.json` does, and how well each output tells its concept from all
others.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch.nn.functional import cross_entropy, interpolate

from .concepts import CONCEPTS, SEEN, Pool

ROOT = Path(__file__).resolve().parents[2]
ZOO = ROOT / "build" / "classifiers"
COUNT = 150
BATCH = 48
MEAN, STD = (0.5, 0.5, 0.5), (0.3, 0.3, 0.3)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """An architecture of timm in a size that a processor trains in seconds."""

    name: str
    side: int
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])
    rate: float = 2e-3

    def model(self, outputs: int) -> Any:
        return timm.create_model(self.name, num_classes=outputs, **self.arguments)


SHAPES = {
    "resnet48": Shape(name="resnet18", side=48, arguments={"layers": [1, 1, 1, 1], "channels": [24, 32, 48, 64]}),
    "resnet32": Shape(name="resnet18", side=32, arguments={"layers": [2, 1, 1, 1], "channels": [24, 40, 56, 80]}),
    "bottleneck32": Shape(name="resnet26", side=32, arguments={"layers": [1, 1, 1, 1], "channels": [8, 16, 24, 32]}),
    "convnext64": Shape(
        name="convnext_tiny", side=64, arguments={"depths": [1, 1, 2, 1], "dims": [24, 32, 48, 64], "patch_size": 4}
    ),
    "vit48": Shape(
        name="vit_tiny_patch16_224",
        side=48,
        arguments={"img_size": 48, "patch_size": 8, "embed_dim": 64, "depth": 3, "num_heads": 4},
        rate=1e-3,
    ),
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    number: int
    shape: str
    concepts: tuple[int, ...]
    steps: int
    from_nothing: bool
    frozen: bool  # all but the last layer
    pictures: int  # of each concept to learn from
    form: str  # timm, onnx

    @property
    def name(self) -> str:
        return f"v{self.number:03}"


def plans(count: int = COUNT, whole: int = COUNT, seed: int = 17) -> list[Plan]:
    """The same networks on the same concepts however many of them are trained as a whole."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        size, few = int(rng.integers(5, 61)), int(rng.integers(3, SEEN + 1))
        frozen = number >= whole
        from_nothing = bool(rng.random() < 0.1) and not frozen
        found.append(
            Plan(
                number=number,
                shape=str(rng.choice(list(SHAPES))),
                concepts=tuple(int(c) for c in rng.permutation(len(CONCEPTS))[:size]),
                steps=int(rng.integers(40, 241)) * (3 if from_nothing else 1),
                from_nothing=from_nothing,
                frozen=frozen,
                pictures=few if frozen else SEEN,
                form="onnx" if rng.random() < 1 / 3 else "timm",
            )
        )
    return found


class Builder:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pool = Pool(folder / "pictures")

    @cached_property
    def record(self) -> dict[str, Any]:
        file = self.folder / "zoo.json"
        return json.loads(file.read_text()) if file.is_file() else {}

    def build(self, wanted: list[Plan], steps: int) -> None:
        for plan in wanted:
            if plan.name not in self.record:
                self._one(plan, steps)

    def _one(self, plan: Plan, foundation_steps: int) -> None:
        shape = SHAPES[plan.shape]
        model = shape.model(len(plan.concepts))
        if not plan.from_nothing:
            known = {k: v for k, v in self._foundation(plan.shape, foundation_steps).items() if not is_head(k)}
            model.load_state_dict(known, strict=False)
        if plan.frozen:
            logits = self._train_head(model, plan, foundation_steps)
        else:
            train(model, shape, self.pool.seen[list(plan.concepts)], plan.steps, seed=plan.number)
            logits = answers(model, shape, flat(self.pool.held_out))
        save(self.folder / "models" / plan.name, model, shape, len(plan.concepts), plan.form)
        self.record[plan.name] = facts(plan, logits)
        part = self.folder / "zoo.json.part"
        part.write_text(json.dumps(self.record, indent=1))
        part.replace(self.folder / "zoo.json")
        print(
            plan.name,
            plan.shape,
            len(plan.concepts),
            plan.steps,
            round(self.record[plan.name]["accuracy"], 3),
            flush=True,
        )

    def _train_head(self, model: Any, plan: Plan, foundation_steps: int) -> NDArray[np.float32]:
        """The last layer alone; its logits of the held-out pictures."""
        seen, held_out = self._features(plan.shape, foundation_steps)
        head = model.get_classifier()
        fit_head(head, seen[list(plan.concepts), : plan.pictures], plan.steps, seed=plan.number)
        with torch.inference_mode():
            return head(torch.from_numpy(held_out)).numpy()

    def _features(self, name: str, steps: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What the last layer of a foundation gets: (concepts, SEEN, F), and (held-out pictures, F)."""
        file = self.folder / "foundations" / f"{name}.npz"
        if not file.is_file():
            model = SHAPES[name].model(len(CONCEPTS))
            model.load_state_dict(self._foundation(name, steps))
            seen, held_out = (features(model, SHAPES[name], flat(p)) for p in (self.pool.seen, self.pool.held_out))
            np.savez(file, seen=seen.reshape(len(CONCEPTS), SEEN, -1), held_out=held_out)
        kept = np.load(file)
        return kept["seen"], kept["held_out"]

    def _foundation(self, name: str, steps: int) -> dict[str, torch.Tensor]:
        file = self.folder / "foundations" / f"{name}.safetensors"
        if not file.is_file():
            shape = SHAPES[name]
            model = shape.model(len(CONCEPTS))
            loss = train(model, shape, self.pool.seen, steps, seed=1000 + list(SHAPES).index(name))
            file.parent.mkdir(parents=True, exist_ok=True)
            save_file(model.state_dict(), file)
            print("foundation", name, round(loss, 3), flush=True)
        return load_file(file)


def is_head(name: str) -> bool:
    return name.startswith(("fc.", "head.fc.", "head.weight", "head.bias"))


def prepared(pictures: NDArray[np.uint8], side: int) -> torch.Tensor:
    x = torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 255
    x = x if side == 64 else interpolate(x, (side, side), mode="bicubic", antialias=True).clamp(0, 1)
    return (x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def train(model: Any, shape: Shape, pictures: NDArray[np.uint8], steps: int, seed: int) -> float:
    """Cross entropy; the mean loss of the last steps."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW(model.parameters(), shape.rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, shape.rate, total_steps=steps, pct_start=0.2)
    losses = []
    model.train()
    for _ in range(steps):
        labels = rng.integers(len(pictures), size=BATCH)
        batch = pictures[labels, rng.integers(pictures.shape[1], size=BATCH)]
        loss = cross_entropy(model(prepared(batch, shape.side)), torch.from_numpy(labels))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
    return float(np.mean(losses[-20:]))


def fit_head(head: Any, seen: NDArray[np.float32], steps: int, seed: int) -> None:
    torch.manual_seed(seed)
    torch.nn.init.normal_(head.weight, std=0.02)
    rng = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW(head.parameters(), 2e-2, weight_decay=0.02)
    for _ in range(steps):
        labels = rng.integers(len(seen), size=4 * BATCH)
        rows = seen[labels, rng.integers(seen.shape[1], size=len(labels))]
        loss = cross_entropy(head(torch.from_numpy(rows)), torch.from_numpy(labels))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def flat(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return pictures.reshape(-1, *pictures.shape[2:])


def answers(model: Any, shape: Shape, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    return looked_at(model.eval(), shape, pictures)


def features(model: Any, shape: Shape, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    model.eval()
    return looked_at(lambda x: model.forward_head(model.forward_features(x), pre_logits=True), shape, pictures)


@torch.inference_mode()
def looked_at(
    network: Callable[[torch.Tensor], torch.Tensor], shape: Shape, pictures: NDArray[np.uint8]
) -> NDArray[np.float32]:
    parts = [network(prepared(pictures[i : i + 128], shape.side)) for i in range(0, len(pictures), 128)]
    return torch.cat(parts).numpy()


def facts(plan: Plan, logits: NDArray[np.float32]) -> dict[str, Any]:
    """Accuracy among its own concepts, and of each output the area below precision and recall among all concepts."""
    truth = np.repeat(np.arange(len(CONCEPTS)), len(logits) // len(CONCEPTS))
    own = np.isin(truth, plan.concepts)
    right = np.array(plan.concepts)[logits[own].argmax(axis=1)] == truth[own]
    areas = [area(logits[:, j], truth == c) for j, c in enumerate(plan.concepts)]
    return {
        "shape": plan.shape,
        "form": plan.form,
        "steps": plan.steps,
        "from_nothing": plan.from_nothing,
        "frozen": plan.frozen,
        "pictures": plan.pictures,
        "concepts": list(plan.concepts),
        "accuracy": float(right.mean()),
        "areas": [round(area, 4) for area in areas],
    }


def area(scores: NDArray[np.floating], relevant: NDArray[np.bool_]) -> float:
    """Below precision and recall: the mean precision at the relevant ones' places."""
    hits = relevant[np.argsort(-scores, kind="stable")]
    return float((np.cumsum(hits)[hits] / (np.flatnonzero(hits) + 1)).mean())


def save(folder: Path, model: Any, shape: Shape, outputs: int, form: str) -> None:
    """As timm saves to a folder, or as torch exports; beside an ONNX file lies what its pictures look like."""
    folder.mkdir(parents=True, exist_ok=True)
    seen = {
        "input_size": [3, shape.side, shape.side],
        "mean": MEAN,
        "std": STD,
        "interpolation": "bicubic",
        "crop_pct": 1.0,
    }
    config = {
        "architecture": shape.name,
        "num_classes": outputs,
        "model_args": shape.arguments,
        "pretrained_cfg": {**seen, "num_classes": outputs},
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    if form == "timm":
        save_file(model.state_dict(), folder / "model.safetensors")
        return
    example = torch.zeros(2, 3, shape.side, shape.side)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model.eval(),
            (example,),
            str(folder / "model.onnx"),
            input_names=["image"],
            output_names=["logits"],
            dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}},
            dynamo=False,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zoo", type=Path, default=ZOO)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--whole", type=int, default=COUNT, help="the others only learn their last layer")
    parser.add_argument("--foundation-steps", type=int, default=900)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    Builder(args.zoo).build(plans(args.count, args.whole), args.foundation_steps)


if __name__ == "__main__":
    main()
