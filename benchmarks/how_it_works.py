"""The pictures of docs/how-it-works.md, from the procedural zoo: `python benchmarks/how_it_works.py`.

After benchmarks/procedural_zoo_results.py, which indexes it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.procedural_zoo_results import CATALOG
from benchmarks.zoo.built import zoo_models
from modelsearch_core.contact_sheet import FAINT, INK, PAPER, Cell, Row, contact_sheet, fitted, font
from modelsearch_core.search import ModelIndex, Query
from modelsearch_core.similarity_map.projection import principal_axes

IMAGES = ROOT / "docs" / "images"
SHOWN = {
    "base": ("base", "#3c3c46"),
    "night club": ("night club", "#0c8f9c"),
    "mj_v2-final(1)": ("mj_v2-final(1)", "#d0378c"),
    "lora_0413": ("lora_0413", "#3565d6"),
    "Omas Album": ("Omas Album", "#9a6416"),
}
ASKED = "mj_v2-final(1)"  # whose held-out picture asks
WIDE, HIGH, MARGIN, TILE = 1200, 820, 60, 40


def samples(index: ModelIndex, name: str, numbers: list[int]) -> list[Image.Image]:
    entry = index.collection.entries[index.row(name)]
    found = [index.sample(entry.model.fingerprint, number) for number in numbers]
    return [image for image in found if image is not None]


def probes(index: ModelIndex) -> Image.Image:
    """What the models made of the same prompts and noise."""
    numbers = [0, 3, 5, 8, 11, 14, 17, 20]
    prompts = [index.collection.prompt(index.row("base"), number) for number in numbers]
    rows = [
        Row(
            name,
            [
                Cell(image=image, title=prompt if name == "base" else "")
                for image, prompt in zip(samples(index, name, numbers), prompts, strict=True)
            ],
        )
        for name in SHOWN
    ]
    return contact_sheet(rows, cell=128)


def cloud(index: ModelIndex) -> Image.Image:
    """The models' samples where the encoder puts them, each model's mean and spread, and a picture that asks."""
    sheet = Image.new("RGB", (WIDE, HIGH), PAPER)
    pen = ImageDraw.Draw(sheet, "RGBA")
    Z = {name: np.asarray(index.collection.specification(index.row(name)).Z, np.float64) for name in SHOWN}
    picture = zoo_models()["styles__mj_v2-final(1)"].picture(4)
    h = index.encoder.encode_images([picture]).astype(np.float64)
    every = np.concatenate([*Z.values(), h])
    points = principal_axes(every - every.mean(axis=0)).points
    low, high = points.min(axis=0), points.max(axis=0)
    places = MARGIN + (points - low) / (high - low) * (np.array([WIDE, HIGH - 60]) - 2 * MARGIN)
    start = 0
    for name, of in Z.items():
        own = places[start : start + len(of)]
        start += len(of)
        _samples(sheet, pen, own, samples(index, name, list(range(len(of)))), SHOWN[name][1])
    start = 0
    for name, of in Z.items():
        _moments(pen, places[start : start + len(of)], name, SHOWN[name][1])
        start += len(of)
    _tile(sheet, pen, places[-1], picture, "#ffd400", side=84, frame=6)
    pen.text(
        (MARGIN, HIGH - 44),
        "dots: means; ellipses: where two of three samples lie; yellow: a picture that asks",
        FAINT,
        font(17),
    )
    return sheet


def _samples(
    sheet: Image.Image, pen: ImageDraw.ImageDraw, places: np.ndarray, pictures: list[Image.Image], colour: str
) -> None:
    for place, picture in list(zip(places, pictures, strict=True))[::3]:
        _tile(sheet, pen, place, picture, colour)


def _tile(
    sheet: Image.Image, pen: ImageDraw.ImageDraw, place: np.ndarray, picture: Image.Image, colour: str,
    side: int = TILE, frame: int = 3,
) -> None:  # fmt: skip
    x, y = (round(float(v) - side / 2) for v in place)
    pen.rectangle((x - frame, y - frame, x + side + frame - 1, y + side + frame - 1), fill=colour)
    sheet.paste(fitted(picture, side), (x, y))


def _moments(pen: ImageDraw.ImageDraw, places: np.ndarray, name: str, colour: str) -> None:
    mean, covariance = places.mean(axis=0), np.cov(places.T)
    variances, axes = np.linalg.eigh(covariance)
    t = np.linspace(0, 2 * np.pi, 90)
    ring = mean + 1.5 * (np.stack([np.cos(t), np.sin(t)], axis=1) * np.sqrt(variances)) @ axes.T
    pen.line([tuple(p) for p in ring], fill=colour, width=4)
    x, y = (float(v) for v in mean)
    pen.ellipse((x - 11, y - 11, x + 11, y + 11), fill=colour, outline=PAPER, width=3)
    box = pen.textbbox((x + 16, y - 13), name, font(19))
    pen.rectangle((box[0] - 4, box[1] - 3, box[2] + 4, box[3] + 3), fill="#ffffffd8")
    pen.text((x + 16, y - 13), name, fill=colour, font=font(19))


def background(index: ModelIndex) -> Image.Image:
    """What raw scores of one query look like beside those of unrelated queries."""
    sheet = Image.new("RGB", (WIDE, 400), PAPER)
    pen = ImageDraw.Draw(sheet)
    match = index.search(Query(text=["glowing pink neon outlines"]), k=len(index.collection))
    requirement = index._requirements(Query(text=["glowing pink neon outlines"]), "auto")[0]
    answer = index._answering.answer(requirement)
    unrelated = answer.unrelated.z[np.isfinite(answer.unrelated.z)]
    low, high = float(unrelated.min()), max(float(unrelated.max()), match[0].score) + 0.3
    counts, edges = np.histogram(unrelated, 60, (low, high))

    def place(z: float) -> float:
        return MARGIN + (z - low) / (high - low) * (WIDE - 2 * MARGIN)

    for count, a, b in zip(counts, edges[:-1], edges[1:], strict=True):
        pen.rectangle((place(a), 280 - 190 * count / counts.max(), place(b) - 2, 280), fill="#d9d9e2")
    pen.line((MARGIN, 280, WIDE - MARGIN, 280), fill=INK, width=2)
    pen.text(
        (MARGIN, 20),
        "grey: what unrelated texts score with all models; below: the models' scores for one text",
        INK,
        font(17),
    )
    for turn, found in enumerate(match):
        x, first = place(found.score), found.rank <= 2
        pen.line((x, 282, x, 300), fill="#d0378c" if first else FAINT, width=4 if first else 1)
        if first:
            pen.text((min(x, WIDE - 190) - 20, 306 + 26 * turn), f"{found.rank}. {found.name}", "#d0378c", font(17))
    for z in range(int(np.ceil(low)), int(high) + 1):
        pen.text((place(z) - 6, 366), f"{z:+d}", FAINT, font(15))
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--catalog", type=Path, default=CATALOG)
    args = parser.parse_args()
    with ModelIndex.open(args.catalog, device="cpu") as index:
        for name, picture in (("probes", probes), ("cloud", cloud), ("background", background)):
            picture(index).save(IMAGES / f"how-{name}.webp", quality=88, method=6)


if __name__ == "__main__":
    main()
