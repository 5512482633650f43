"""ProbeLog's protocol on the small classifiers: `python -m benchmarks.classifiers`, after benchmarks.classifiers.zoo.

Asks all of them three probe sets, then every concept as text and as pictures, by all methods. Writes
benchmarks/results/classifiers.json and docs/results_classifiers.md.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.zoo.built import FOLDER
from benchmarks.zoo.subjects import PLURALS, SUBJECTS
from benchmarks.zoo.world import BACKGROUNDS, COLOURS
from modelsearch_core.background import background_texts
from modelsearch_core.encoders import open_encoder

from . import asking
from .answering import asked, catalog_of
from .concepts import CONCEPTS, Pool
from .measuring import METHODS, NEIGHBOURS, Answers, R, by_pictures, found, hubs, probelog, quality, sweep
from .page import page
from .real import RESULT as REAL
from .speed import RESULT as SPEED
from .zoo import ROOT, ZOO, area

RESULT = ROOT / "benchmarks" / "results" / "classifiers.json"
PAGE = ROOT / "docs" / "results_classifiers.md"
TEMPLATES = ("{}", "a picture of {}", "a {} on a white background")
BACKGROUND = 400  # phrases of the world that there are; of names the tool takes 500


def phrases() -> list[str]:
    """Captions of the world that name a thing without its colour, or a colour without a thing: no concept as a whole."""
    many = {1: "a {}", 2: "two {}", 3: "three {}"}
    things = [
        f"{form.format(thing if count == 1 else PLURALS.get(thing, thing + 's'))} {place}"
        for thing in SUBJECTS
        for count, form in many.items()
        for place in BACKGROUNDS.values()
    ]
    return things + [f"a {colour} picture {place}" for colour in COLOURS for place in BACKGROUNDS.values()]


class Protocol:
    def __init__(self, args: argparse.Namespace) -> None:
        self.zoo: Path = args.zoo
        self.record: dict[str, Any] = json.loads((self.zoo / "zoo.json").read_text())
        self.names = list(asking.models(self.zoo))
        self.encoder = open_encoder(str(FOLDER / "clip"), device="cpu")
        self.sets = {"world": asking.world(), "noise": asking.noise()}
        if args.mini.is_file():
            self.sets["generated"] = asking.generated(args.mini, self.encoder)
        self.pool = Pool(self.zoo / "pictures")

    def texts(self, template: str) -> np.ndarray:
        return self.encoder.encode_texts([template.format(concept) for concept in CONCEPTS])

    def answers(self, name: str, background: str = "names") -> Answers:
        phi = asking.responses(self.zoo, self.record, name, self.sets[name])
        counts = [len(self.record[model]["concepts"]) for model in self.names]
        return Answers(
            phi=phi,
            owner=np.repeat(np.arange(len(self.names)), counts),
            concept=np.concatenate([self.record[model]["concepts"] for model in self.names]),
            area=np.concatenate([self.record[model]["areas"] for model in self.names]),
            probes=self.encoder.encode_images(self.sets[name]),
            background=self.background(background),
        )

    def background(self, of: str, count: int = BACKGROUND) -> np.ndarray:
        """Names that the tool takes, which mean nothing to a CLIP of this world, or captions of the world."""
        if of == "names":
            return self.encoder.encode_texts(background_texts(500 if count == BACKGROUND else count))
        texts = phrases()
        chosen = np.random.default_rng(count).permutation(len(texts))[:count]
        return self.encoder.encode_texts([texts[i] for i in chosen])

    def pictures(self) -> np.ndarray:
        """(C, P, D)."""
        flat = [Image.fromarray(picture) for rows in self.pool.held_out for picture in rows]
        return self.encoder.encode_images(flat).reshape(len(CONCEPTS), -1, self.encoder.dimension)


def run(args: argparse.Namespace) -> dict[str, Any]:
    protocol = Protocol(args)
    everything = np.arange(len(CONCEPTS))
    words = protocol.texts(TEMPLATES[1])
    world = {name: protocol.answers("world", name) for name in ("names", "captions")}
    results: dict[str, Any] = {"facts": facts(protocol, world["names"])}
    results["text"] = {
        background: {name: found(method(answers, words), answers, everything) for name, method in METHODS.items()}
        for background, answers in world.items()
    }
    best = world[results["facts"]["background"]]
    results["hubs"] = {name: hubs(method(best, words)) for name, method in METHODS.items()}
    print("text", flush=True)
    pictures = protocol.pictures()
    results["pictures"] = {}
    for count in (1, 5, 10):
        drawn, of = by_pictures(best, pictures, count, draws=1)
        results["pictures"][count] = {
            name: found(METHODS[name](best, drawn), best, of) for name in ("WPMI", "SoftWPMI", "ProbeLog")
        }
    results["templates"] = [
        {"template": t, **found(probelog(best, protocol.texts(t)), best, everything)} for t in TEMPLATES
    ]
    results["r"] = sweep(
        "r", (5, 10, 25, 50, 100, 200, 400), lambda r: found(probelog(best, words, r=r), best, everything)
    )
    results["k"] = sweep("k", (1, 3, 5, 10, 20, 50), lambda k: found(probelog(best, words, k=k), best, everything))
    results["n"] = sweep(
        "n", (125, 250, 500, 1000, 1500), lambda n: found(probelog(best.first(n), words), best, everything)
    )

    def with_background(count: int) -> dict[str, float]:
        part = replace(best, background=protocol.background(results["facts"]["background"], count))
        return found(probelog(part, words, k=min(NEIGHBOURS, count)), best, everything)

    results["background"] = sweep("size", (5, 25, 50, 100, 200, 400), with_background)
    results["probes"] = {}
    for name in protocol.sets:
        answers = protocol.answers(name, results["facts"]["background"])
        answers = answers.first(min(asking.OTHERS, answers.phi.shape[1]))
        results["probes"][name] = found(probelog(answers, words), answers, everything)
        print(name, results["probes"][name], flush=True)
    results["quality"] = quality(probelog(best, words), best, zero_shot(words, pictures))
    results["tool"] = tool(protocol, world["names"].phi)
    return results


def facts(protocol: Protocol, answers: Answers) -> dict[str, Any]:
    record = [protocol.record[name] for name in protocol.names]
    return {
        "models": len(record),
        "outputs": len(answers.owner),
        "concepts": len(CONCEPTS),
        "whole": sum(not model["frozen"] for model in record),
        "shapes": len({model["shape"] for model in record}),
        "onnx": sum(model["form"] == "onnx" for model in record),
        "accuracy": float(np.mean([model["accuracy"] for model in record])),
        "probes": answers.phi.shape[1],
        "r": R,
        "k": NEIGHBOURS,
        "background": "captions",
    }


def zero_shot(words: np.ndarray, pictures: np.ndarray) -> np.ndarray:
    """The area of CLIP itself for each concept among all held-out pictures."""
    flat = pictures.reshape(-1, pictures.shape[2])
    truth = np.repeat(np.arange(len(words)), pictures.shape[1])
    return np.array([area(flat @ word, truth == concept) for concept, word in enumerate(words)])


def tool(protocol: Protocol, phi: np.ndarray) -> dict[str, Any]:
    """The command's own answers: its background, its calibration, its labels."""
    work = protocol.zoo / "tool"
    measured = {}
    for name, shuffled in (("no labels", None), ("true labels", 0.0), ("half shuffled", 0.5), ("all shuffled", 1.0)):
        path = catalog_of(
            work / f"{name.replace(' ', '_')}.sqlite",
            protocol.zoo,
            protocol.encoder,
            protocol.sets["world"],
            phi,
            protocol.record,
            shuffled,
        )
        measured[name] = asked(path, protocol.encoder, protocol.zoo, protocol.record)
        print(name, measured[name], flush=True)
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=["all", "page"], default="all")
    parser.add_argument("--zoo", type=Path, default=ZOO)
    parser.add_argument(
        "--mini", type=Path, default=ROOT / "build" / "procedural_zoo.sqlite", help="a catalog of the procedural zoo"
    )
    args = parser.parse_args()
    if args.what == "all":
        RESULT.write_text(json.dumps(run(args), indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(*(json.loads(path.read_text("utf-8")) for path in (RESULT, SPEED, REAL))), encoding="utf-8")


if __name__ == "__main__":
    main()
