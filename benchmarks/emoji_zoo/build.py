"""Builds the emoji zoo, stage by stage, from seeds: `python -m benchmarks.emoji_zoo.build`.

Every stage goes on where it was interrupted; what is there is not made again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from diffusers import AutoencoderKL

from ..zoo import diffusion
from ..zoo.build import keep_figures
from . import autoencoder, base, words

STAGES = ("autoencoder", "base")


def build_autoencoder(work: Path) -> None:
    vae, figures = autoencoder.fit(autoencoder.PICTURES, autoencoder.SCHEDULE, work)
    keep_figures(work, "autoencoder", figures.summary())
    vae.save_pretrained(work / "autoencoder")


def build_base(work: Path) -> None:
    vae = AutoencoderKL.from_pretrained(work / "autoencoder").eval()
    model, figures = base.fit(base.PICTURES, base.SCHEDULE, vae, work)
    keep_figures(work, "base", figures.summary())
    diffusion.save(model, work / "base", known=words.known(work / "npm"))


BUILD = {"autoencoder": build_autoencoder, "base": build_base}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/emoji_zoo"), help="unfinished work, kept between runs")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    for stage in args.stages:
        if not (args.work / stage).exists():
            BUILD[stage](args.work)


if __name__ == "__main__":
    main()
