"""Keeps a catalog's style encoder fit for what was added since: kept as it is, unless LoRA it never saw are found worse
through it than without it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..catalog import Catalog
from ..embedding import Features
from ..encoders.style_head import StyleFile, StyleHead, read_record
from ..encoders.style_space import STYLE_SETTING, space_of
from ..errors import ModelSearchError
from ..model_files import Kind
from ..specification import Evidence
from .figures import ranking
from .labels import Split, held_out
from .style import FEWEST, SHARE, Outcome, Renderings, default_file, features_of, stored_renderings, train_style

WORTH_TRAINING = 12  # LoRA that have painted drawings


class Standing(NamedTuple):
    """MRR of LoRA that an encoder has never seen, through it and without it."""

    added: int
    without: float
    through: float

    @property
    def has_fallen(self) -> bool:
        return self.through < self.without


def keep_up(catalog: Catalog, encoder: str) -> str:
    """A line for people: that training would pay, that it was done again, or that it should be; else nothing."""
    space = space_of(catalog.setting(STYLE_SETTING), catalog.beside, encoder)
    if space is None:
        return _offer(catalog, encoder)
    standing = standing_of(catalog, encoder, space)
    if standing is None or not standing.has_fallen:
        return ""
    fell = (
        f"style: {standing.added} LoRA added since the training are found worse through it "
        f"(MRR {standing.through:.2f} against {standing.without:.2f} without)"
    )
    head = space if isinstance(space, StyleHead) else space.head
    if head is None:
        return f"{fell}; `modelsearch train style --network vgg19` learns again"
    return f"{fell}; {_again(catalog, encoder, head)}"


def _offer(catalog: Catalog, encoder: str) -> str:
    loras = {model.fingerprint for model in catalog.models() if model.kind is Kind.LORA}
    keys = catalog.specification_keys(encoder)
    asked = {fingerprint for fingerprint, _, evidence, _ in keys if evidence is Evidence.REFERENCE}
    if len(asked & loras) < WORTH_TRAINING:
        return ""
    painters = len(asked & loras)
    return f"style: {painters} LoRA have painted drawings; `modelsearch train style` learns from them what a style is"


def standing_of(catalog: Catalog, encoder: str, space: StyleHead | StyleFile) -> Standing | None:
    """None where too few LoRA are new to an encoder to say anything."""
    try:
        of = stored_renderings(catalog, encoder)
    except ModelSearchError:  # too few have painted at all
        return None
    seen = _seen(space)
    new = np.array([m for m, fingerprint in enumerate(of.fingerprints) if fingerprint not in seen], np.intp)
    if len(new) < FEWEST:
        return None
    split = Split(new, held_out(of.labels, SHARE, np.random.default_rng(0)).subjects)
    without, through = (ranking(V, of.labels, split).mrr for V in (of.features, _through(catalog, of, space)))
    return Standing(len(new), without, through)


def _seen(space: StyleHead | StyleFile) -> set[str]:
    record = space.record if isinstance(space, StyleHead) else read_record(space.path)
    return set(record.get("loras", ()))


def _through(catalog: Catalog, of: Renderings, space: StyleHead | StyleFile) -> Features:
    if isinstance(space, StyleHead):
        return space(of.features)
    return space.of(features_of(catalog, of, space.name))


def _again(catalog: Catalog, encoder: str, head: StyleHead) -> str:
    """Trains a linear head on everything that is there now; it takes the old one's place if it is of use."""
    of = stored_renderings(catalog, encoder)
    seen = replace(of, features=features_of(catalog, of, head.encoder)) if head.csd else of
    outcome: Outcome = train_style(seen, head.encoder, without=of.features if head.csd else None)
    if not outcome.is_better:
        catalog.put_setting(STYLE_SETTING, "")
        return "training again did not help, so styles are compared without it"
    target = _file_of(catalog)
    assert isinstance(outcome.trained, StyleHead)
    replace(outcome.trained, csd=head.csd).save(target)
    catalog.put_setting(STYLE_SETTING, catalog.setting(STYLE_SETTING) or target.name)
    place = outcome.after[1]
    return f"trained again on {len(outcome.record['loras'])} LoRA (held-out MRR {place.mrr:.2f})"


def _file_of(catalog: Catalog) -> Path:
    setting = catalog.setting(STYLE_SETTING)
    return catalog.beside.parent / setting if setting else default_file(catalog.beside)
