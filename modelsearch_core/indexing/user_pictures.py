"""Pictures that users have made, as evidence of the models that their files name (docs/methods.md 15)."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from ..catalog import Catalog
from ..catalog.user_pictures import PictureRow
from ..embedding import Encoder
from ..model_files import Kind
from ..pictures import FOLDERS, SUMMARY, Names, PictureSummary, Use, account_from_json, uses_of
from ..pictures.naming import bare
from ..pictures.summary import MOST_ABSENT
from ..places import expanded
from ..prompt_tags import plain_words
from .picture_features import encode_pictures
from .picture_files import update_pictures
from .progress import Progress

NAMED = (Kind.LORA, Kind.CHECKPOINT, Kind.DIFFUSION_MODEL)


def store_pictures(
    catalog: Catalog, encoder: Encoder, folders: Sequence[Path] | None, progress: Progress
) -> PictureSummary | None:
    """Brings the evidence of users' pictures, and of sets of pictures, up to date. `folders` None: those of the last
    time; none at all: what was known of them is forgotten. What the pictures say in all, or None without any."""
    if folders is None:
        folders = [Path(folder) for folder in json.loads(catalog.setting(FOLDERS) or "[]")]
    else:
        folders = [expanded(folder).absolute() for folder in folders]
        catalog.put_setting(FOLDERS, json.dumps([str(folder) for folder in folders]))
    models, summary = catalog.models(), None
    uses: dict[str, list[Use]] = {}
    if folders or catalog.pictures.counts()[0]:
        unread = update_pictures(catalog, folders, progress)
        uses, summary = _uses(catalog, Names([model for model in models if model.kind in NAMED]), unread)
        catalog.put_setting(SUMMARY, summary.to_json() if folders else "")
    models = [model for model in models if model.kind is not Kind.PICTURES or model.path.is_dir()]
    uses |= {model.fingerprint: uses_of(model) for model in models if model.kind is Kind.PICTURES}
    encode_pictures(catalog, encoder, {model.fingerprint: model.name for model in models}, uses, progress)
    return summary


def _uses(catalog: Catalog, names: Names, unread: Sequence[str]) -> tuple[dict[str, list[Use]], PictureSummary]:
    """The pictures of each model, by fingerprint, and what all say together."""
    uses: dict[str, list[Use]] = defaultdict(list)
    absent: Counter[str] = Counter()
    matched = others = 0
    for row in catalog.pictures.telling():
        found, unknown = _of(row, names)
        absent.update(unknown)
        matched += bool(found)
        others += not found and bool(unknown)
        for fingerprint, use in found.items():
            uses[fingerprint].append(use)
    files, telling = catalog.pictures.counts()
    summary = PictureSummary(
        files=files,
        telling=telling,
        matched=matched,
        models=len(uses),
        absent=dict(absent.most_common(MOST_ABSENT)),
        absent_pictures=others,
        unread=unread,
    )
    return uses, summary


def _of(row: PictureRow, names: Names) -> tuple[dict[str, Use], set[str]]:
    """By fingerprint, what each model of the collection has in a picture; and the names that none has. A LoRA has its
    strength by that of all; a checkpoint has pictures without LoRA only."""
    account = account_from_json(row.account or "{}")
    strengths: dict[str, float] = defaultdict(float)
    unknown: set[str] = set()
    for lora in account.loras:
        fingerprint = names.find(lora)
        strengths[fingerprint or f"?{lora.name}"] += abs(lora.weight)
        unknown |= set() if fingerprint else {bare(lora.name)}
    if not account.loras:
        for base in account.bases:
            fingerprint = names.find(base)
            strengths[fingerprint or f"?{base.name}"] = 1.0
            unknown |= set() if fingerprint else {bare(base.name)}
    total = sum(strengths.values())
    return {
        fingerprint: Use(
            path=row.path,
            state=row.state,
            modified=row.modified,
            prompt=plain_words(account.prompt),
            seed=account.seed,
            share=strength / total,
        )
        for fingerprint, strength in strengths.items()
        if not fingerprint.startswith("?")
    }, unknown
