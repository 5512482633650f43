"""Artists and painters as "models" whose pictures are there already: `python -m benchmarks.emoji_zoo.picture_sets`.

One folder each below `sets/`, all of the same scenes, so that only the hand differs; below `queries/` other scenes, whose
subjects and backgrounds never stand together in `sets/`. `sets.json` says which set is whose, in whose words.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from . import painters
from .looks import ARTISTS, PAINTERS
from .packages import SETS, has
from .pictures import Shown, draw
from .scenes import Picture, Scene, caption, held_out, sample_scene
from .subjects import BASE_SUBJECTS, emoji

PICTURES, QUERIES = 48, 12  # of each set
SEED = 40_000


def makers() -> dict[str, tuple[str, int | None]]:
    """By the set's name: who draws, and who paints it over."""
    drawn: dict[str, tuple[str, int | None]] = {artist: (artist, None) for artist in SETS}
    return drawn | {f"painter {number:02d}": ("noto", number) for number in range(painters.COUNT)}


def scenes(count: int, packages: Path, *, query: bool) -> list[Scene]:
    """Of subjects that every artist has."""
    rng = np.random.default_rng([SEED, query])
    shared = tuple(s for s in BASE_SUBJECTS if all(has(artist, emoji(s), packages) for artist in SETS))
    chosen: list[Scene] = []
    while len(chosen) < count:
        scene = sample_scene(rng, shared, ("noto",))
        chosen += [scene] if held_out(scene) == query else []
    return chosen


def build(
    out: Path, work: Path, *, pictures: int = PICTURES, queries: int = QUERIES, names: Sequence[str] = ()
) -> None:
    """What is there is not drawn again."""
    packages = work / "npm"
    told: dict[str, dict[str, object]] = {}
    for name in names or makers():
        artist, painter = makers()[name]
        words = ARTISTS[artist] if painter is None else PAINTERS[painter]
        told[name] = {"artist": artist, "painter": painter, "words": list(words)}
        for folder, count, query in (("sets", pictures, False), ("queries", queries, True)):
            _fill(out / folder / name, scenes(count, packages, query=query), artist, painter, packages)
    parts = {"sets": scenes(pictures, packages, query=False), "queries": scenes(queries, packages, query=True)}
    shown = {part: [{"subject": s.subject, "caption": caption(s)} for s in of] for part, of in parts.items()}
    (out / "sets.json").write_text(json.dumps({"models": told, "scenes": shown}, indent=1) + "\n", encoding="utf-8")


def _fill(folder: Path, of: list[Scene], artist: str, painter: int | None, packages: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, scene in enumerate(of):
        path = folder / f"{number:02d}.webp"
        if not path.exists():
            _save(draw(Shown(replace(scene, artist=artist), painter, ""), packages), path)


def _save(picture: Picture, path: Path) -> None:
    partial = path.with_suffix(".part.webp")
    Image.fromarray(picture).save(partial, lossless=True)
    partial.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/emoji_zoo"), help="where the packages are kept")
    parser.add_argument("--out", type=Path, default=Path("build/emoji_zoo/picture_sets"))
    args = parser.parse_args()
    build(args.out, args.work)


if __name__ == "__main__":
    main()
