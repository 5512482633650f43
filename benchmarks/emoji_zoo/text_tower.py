"""The zoo's CLIP with a text tower that knows more words; its image tower stays as it is, and every index with it.

Captions go on leading to their pictures (CLIP's loss, and the features that they had); plain words lead to where
`teaching.Teacher` says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from open_clip import CLIP, ClipLoss
from open_clip.tokenizer import SimpleTokenizer
from safetensors.torch import save_file
from torch.nn import functional

from modelsearch_core.embedding import unit

from ..zoo.clip import CONTEXT, image_features
from ..zoo.loop import Figures, Schedule, train
from . import clip, phrases, teaching, vocabulary
from .pictures import load
from .teaching import Teacher

SCHEDULE = Schedule(steps=1200, batch=64, rate=1e-3, seed=104, average=0.99, weight_decay=0.02)
SENTENCES = 16_000
PLAIN = 128  # plain texts a step
KEPT, TAUGHT = 2.0, 4.0  # weights of what captions meant before, and of the teacher's word
WORDS = "token_embedding.weight"
Rows = NDArray[np.floating]


@dataclass(frozen=True)
class Lessons:
    """Captions (N) of pictures and what these were to the old tower; plain texts (T) and what they shall be."""

    captions: list[str]
    pictures: Rows  # (N / VARIANTS, D)
    before: Rows  # (N, D)
    plain: list[str]
    targets: Rows  # (T, D)
    middle: Rows  # (D,), of the pillars: texts differ from it


def old(work: Path) -> tuple[CLIP, SimpleTokenizer]:
    model = open_clip.create_model(f"local-dir:{work / 'clip'}").eval()
    assert isinstance(model, CLIP)
    return model, clip.tokenizer(work)


@torch.no_grad()
def features(model: CLIP, tokenize: SimpleTokenizer, texts: list[str]) -> Rows:
    parts = [tokenize(texts[start : start + 512], context_length=CONTEXT) for start in range(0, len(texts), 512)]
    return torch.cat([model.encode_text(part, normalize=True) for part in parts]).numpy()


def chosen_words(teacher: Teacher, work: Path) -> list[str]:
    """The vocabulary."""
    frequent = vocabulary.frequent()
    rows = teacher.cosines(clip.kept_meanings(frequent, work))
    return vocabulary.nearest(frequent, rows, phrases.known(work / "npm"), vocabulary.COUNT)


def lessons(model: CLIP, tokenize: SimpleTokenizer, work: Path) -> tuple[Lessons, list[str]]:
    """What is read, and the vocabulary that it is read with."""
    pillars = teaching.pillars()
    teacher = Teacher(clip.kept_meanings(pillars, work), features(model, tokenize, pillars))
    known = chosen_words(teacher, work)
    spared = teaching.spared(work / "npm")
    cosines = teacher.cosines(clip.kept_meanings(known, work))
    near = [[known[row] for row in column] for column in np.argsort(-cosines, axis=0)[: teaching.NEAR].T]
    told = teaching.sentences(near, known, SENTENCES, SCHEDULE.seed)
    plain = teaching.allowed([*known, *phrases.general(work / "npm"), *told], spared)
    says = teacher.says(clip.kept_meanings(plain, work))
    captions, pictures = captioned(model, work)
    before = features(model, tokenize, captions)
    rng = np.random.default_rng(SCHEDULE.seed)
    behind, after = rng.integers(len(captions), size=len(plain) // 2), rng.permutation(len(plain))[: len(plain) // 2]
    both = [f"{captions[c]}, {plain[p]}" for c, p in zip(behind, after, strict=True)]
    plain += both  # as `prompt_templates` asks
    targets = np.concatenate([says, unit(before[behind] + says[after])])
    return Lessons(captions, pictures, before, plain, targets, teacher.features.mean(axis=0)), known


def captioned(model: CLIP, work: Path) -> tuple[list[str], Rows]:
    images, what = load(clip.PICTURES, work)
    rng = np.random.default_rng(clip.SCHEDULE.seed)
    captions = [phrases.caption_of(one, rng, work / "npm") for one in what for _ in range(phrases.VARIANTS)]
    return captions, image_features(model, clip.kept_small(images, clip.PICTURES.name, work))


def widened(model: CLIP, tokenize: SimpleTokenizer, known: list[str], work: Path) -> CLIP:
    """The same with a row for every word: those that it had, others where words of their meaning are."""
    config = settings(known)["model_cfg"]
    text = {key: value for key, value in config["text_cfg"].items() if key != "hf_tokenizer_name"}
    wide = CLIP(config["embed_dim"], config["vision_cfg"], text)
    table = model.token_embedding.weight.detach()
    had = phrases.known(work / "npm")
    rows = table[[tokenize.encode(word)[0] for word in had]]
    guess = _guess(clip.kept_meanings(had, work), rows.numpy())
    names = vocabulary.tokens(known)
    new = torch.randn(len(names), table.shape[1]) * table.std()
    at = {name: number for number, name in enumerate(names)}
    new[[at[word] for word in known]] = torch.from_numpy(guess(clip.kept_meanings(known, work))).float()
    new[[at[word] for word in had]] = rows
    new[[at[vocabulary.START], at[vocabulary.END]]] = table[-2:]
    state = dict(model.state_dict()) | {WORDS: new}
    wide.load_state_dict(state)
    return wide


def _guess(x: Rows, y: Rows, ridge: float = 1e-3) -> Callable[[Rows], Rows]:
    """The linear map of x (N, E) to y (N, D)."""
    x1 = np.c_[x, np.ones(len(x))].astype(np.float64)
    weights = np.linalg.solve(x1.T @ x1 + ridge * len(x) * np.eye(x1.shape[1]), x1.T @ y)
    return lambda rows: np.c_[rows, np.ones(len(rows))] @ weights


def settings(known: Sequence[str]) -> dict[str, Any]:
    """Contents of open_clip_config.json."""
    told = clip.settings([])
    text = told["model_cfg"]["text_cfg"] | {"vocab_size": len(vocabulary.tokens(known))}
    return told | {"model_cfg": told["model_cfg"] | {"text_cfg": text}}


def fit(work: Path, schedule: Schedule = SCHEDULE) -> tuple[CLIP, list[str], Figures]:
    """The CLIP of `work` with a text tower that was taught, and the words that it knows."""
    model, tokenize = old(work)
    learned, known = lessons(model, tokenize, work)
    wide = widened(model, tokenize, known, work)
    figures = teach(
        wide, learned, ids_of(learned.captions, known, work), ids_of(learned.plain, known, work), schedule, work
    )
    return wide.eval(), known, figures


def ids_of(texts: Sequence[str], known: Sequence[str], work: Path) -> torch.Tensor:
    """(N, L) as far as the longest goes."""
    vocabulary.save(work / "words", known)
    told = vocabulary.tokenizer(work / "words")(list(texts), padding="longest", truncation=True, max_length=CONTEXT)
    return torch.tensor(told["input_ids"])


def teach(
    model: CLIP, of: Lessons, captions: torch.Tensor, plain: torch.Tensor, schedule: Schedule, work: Path
) -> Figures:
    """Trains what reads; what looks stays."""
    model.requires_grad_(False)
    parts = (model.token_embedding, model.transformer, model.ln_final)
    weights = [weight for part in parts for weight in part.parameters()]
    weights += [model.positional_embedding, model.text_projection]
    for weight in weights:
        weight.requires_grad_(True)
    scale, contrast = float(model.logit_scale.exp().clamp(max=60)), ClipLoss()
    pictures, before, targets, middle = (
        torch.from_numpy(np.asarray(rows, np.float32)) for rows in (of.pictures, of.before, of.targets, of.middle)
    )

    def loss(rng: np.random.Generator, _: torch.Generator) -> torch.Tensor:
        chosen = rng.integers(len(pictures), size=schedule.batch)
        told = chosen * phrases.VARIANTS + rng.integers(phrases.VARIANTS, size=schedule.batch)
        said = rng.integers(len(targets), size=PLAIN)
        of_captions, of_plain = read(model, captions[told]), read(model, plain[said])
        together = contrast(pictures[chosen], of_captions, scale)
        kept = 1 - functional.cosine_similarity(of_captions - middle, before[told] - middle).mean()
        taught = 1 - functional.cosine_similarity(of_plain - middle, targets[said] - middle).mean()
        return together + KEPT * kept + TAUGHT * taught

    return train(weights, loss, schedule, work / "train" / "text_tower.pt")


def read(model: CLIP, ids: torch.Tensor) -> torch.Tensor:
    """(n, D), unit rows: `CLIP.encode_text` of texts (n, L) without the padding that all of them have."""
    ids = ids[:, : int((ids != 0).sum(dim=1).max())]
    length = ids.shape[1]
    x = model.token_embedding(ids) + model.positional_embedding[:length]
    x = model.ln_final(model.transformer(x, attn_mask=model.attn_mask[:length, :length]))
    return functional.normalize(x[torch.arange(len(x)), ids.argmax(dim=1)] @ model.text_projection, dim=1)


def save(model: CLIP, folder: Path, known: Sequence[str]) -> None:
    """A folder for `open_clip.create_model_and_transforms('local-dir:…')`: half precision."""
    vocabulary.save(folder, known)
    (folder / "open_clip_config.json").write_text(json.dumps(settings(known), indent=2), encoding="utf-8")
    half = {key: value.half().contiguous() for key, value in model.state_dict().items()}
    save_file(half, folder / "open_clip_model.safetensors")
