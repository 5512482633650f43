"""The zoo's CLIP: open_clip's own architecture, small; its text tower is taught what words mean by a sentence encoder.

Pictures and their captions are brought together as in CLIP (arXiv 2103.00020). Besides, a linear map of a text's features
must give the meaning that MiniLM finds in it (distillation as in 2004.09813), for captions and for phrases without pictures.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from open_clip import CLIP, ClipLoss
from open_clip.tokenizer import SimpleTokenizer
from PIL import Image
from safetensors.torch import save_file
from torch.nn import functional

from ..zoo import vocabulary
from ..zoo.clip import CONTEXT, MEAN, STD, normalised
from ..zoo.loop import Figures, Schedule, train
from . import phrases, words
from .looks import UNSEEN_ARTISTS, UNSEEN_PAINTERS, UNSEEN_SUBJECTS
from .packages import SETS
from .painters import COUNT
from .pictures import PictureSet, load
from .subjects import SUBJECTS

SIDE = 96  # pixels that it looks at
SIZE: dict[str, Any] = {
    "embed_dim": 128,
    "vision_cfg": {"image_size": SIDE, "layers": 4, "width": 128, "head_width": 32, "patch_size": 12},
    "text_cfg": {"width": 80, "heads": 4, "layers": 2},
}
PICTURES = PictureSet(
    count=12_000,
    seed=103,
    subjects=tuple(s for s in SUBJECTS if s not in UNSEEN_SUBJECTS),
    artists=tuple(a for a in SETS if a not in UNSEEN_ARTISTS),
    painted=0.45,
    painters=tuple(p for p in range(COUNT) if p not in UNSEEN_PAINTERS),
    spared=True,
)
SCHEDULE = Schedule(steps=2000, batch=128, rate=1.2e-3, seed=103, average=0.99, weight_decay=0.05)
PHRASES = 64  # without pictures, a step
MEANING = 2.0  # weight of the distillation


def settings(known: list[str]) -> dict[str, Any]:
    """Contents of open_clip_config.json."""
    size = 514 + len(vocabulary.merges(known))
    text = {"context_length": CONTEXT, "vocab_size": size, **SIZE["text_cfg"], "hf_tokenizer_name": "."}
    return {
        "model_cfg": SIZE | {"text_cfg": text},
        "preprocess_cfg": {"mean": MEAN, "std": STD, "interpolation": "bicubic", "resize_mode": "squash"},
    }


def new(known: list[str], tokenizer: SimpleTokenizer) -> CLIP:
    """Untrained; words begin where MiniLM has them."""
    size = settings(known)["model_cfg"]
    text = {key: value for key, value in size["text_cfg"].items() if key != "hf_tokenizer_name"}
    model = CLIP(size["embed_dim"], size["vision_cfg"], text)
    table = model.token_embedding.weight
    with torch.no_grad():
        ids = [tokenizer.encode(word)[0] for word in known]
        table[ids] = torch.from_numpy(words.axes(words.meanings(known), table.shape[1])) * table.std()
    return model


def fit(pictures: PictureSet, schedule: Schedule, work: Path) -> tuple[CLIP, Figures]:
    images, what = load(pictures, work)
    rng = np.random.default_rng(schedule.seed)
    captions = [phrases.caption_of(one, rng, work / "npm") for one in what for _ in range(phrases.VARIANTS)]
    read = [*captions, *phrases.general(work / "npm")]
    tokenize, known = tokenizer(work), phrases.known(work / "npm")
    tokens, meant = tokenize(read, context_length=CONTEXT), torch.from_numpy(kept_meanings(read, work))
    small = kept_small(images, pictures.name, work)
    torch.manual_seed(schedule.seed)
    model = new(known, tokenize).train()
    head = torch.nn.Linear(SIZE["embed_dim"], meant.shape[1])
    contrast = ClipLoss()

    def loss(rng: np.random.Generator, _: torch.Generator) -> torch.Tensor:
        chosen = rng.integers(len(small), size=schedule.batch)
        x = normalised(small[chosen])
        x = torch.where(torch.from_numpy(rng.random((len(x), 1, 1, 1)) < 0.5), x.flip(-1), x)
        told = chosen * phrases.VARIANTS + rng.integers(phrases.VARIANTS, size=schedule.batch)
        alone = rng.integers(len(captions), len(read), size=PHRASES)
        of_words = model.encode_text(tokens[np.concatenate([told, alone])], normalize=True)
        of_pictures = model.encode_image(x, normalize=True)
        understood = functional.cosine_similarity(head(of_words), meant[np.concatenate([told, alone])]).mean()
        together = contrast(of_pictures, of_words[: schedule.batch], model.logit_scale.exp().clamp(max=60))
        return together + MEANING * (1 - understood)

    figures = train([*model.parameters(), *head.parameters()], loss, schedule, work / "train" / "clip.pt")
    return model.eval(), figures


def kept_small(images: np.ndarray, name: str, work: Path) -> np.ndarray:
    """(N, 96, 96, 3) uint8, made once."""
    path = work / "pictures" / f"{name}-{SIDE}.npy"
    if not path.exists():
        small = [np.asarray(Image.fromarray(i).resize((SIDE, SIDE), Image.Resampling.BICUBIC)) for i in images]
        partial = path.with_suffix(".part.npy")
        np.save(partial, np.stack(small))
        partial.replace(path)
    return np.load(path, mmap_mode="r")


def kept_meanings(read: list[str], work: Path) -> np.ndarray:
    """(N, 384), found once for each text."""
    path = work / "meanings.npz"
    if path.exists():
        with np.load(path) as kept:
            known = dict(zip(kept["texts"].tolist(), kept["rows"], strict=True))
    else:
        known = {}
    if missing := sorted(set(read) - known.keys()):
        known |= dict(zip(missing, words.meanings(missing).astype(np.float16), strict=True))
        partial = path.with_suffix(".part.npz")
        np.savez(partial, texts=np.array(list(known)), rows=np.stack(list(known.values())))
        partial.replace(path)
    return np.stack([known[text] for text in read]).astype(np.float32)


def tokenizer(work: Path) -> SimpleTokenizer:
    path = work / "bpe.txt.gz"
    vocabulary.save_bpe(path, phrases.known(work / "npm"))
    return SimpleTokenizer(bpe_path=str(path))


def save(model: CLIP, folder: Path, known: list[str]) -> None:
    """A folder for `open_clip.create_model_and_transforms('local-dir:…')`, half precision."""
    vocabulary.save(folder, pad="!", known=known)
    (folder / "open_clip_config.json").write_text(json.dumps(settings(known), indent=2))
    half = {key: value.half().contiguous().cpu() for key, value in model.state_dict().items()}
    save_file(half, folder / "open_clip_model.safetensors")
