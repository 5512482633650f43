"""What `modelsearch index --style` adds: drawings to ask with, and the advice to train."""

from __future__ import annotations

import argparse

from ..catalog import Catalog
from ..encoders import open_subject_drawer
from ..reference_set import ReferenceSet, read_subjects, reference_set
from ..search.styles import STYLE_SETTING, space_of
from ..specification import Evidence

WORTH_TRAINING = 12  # LoRA that have painted drawings


def reference_set_of(args: argparse.Namespace) -> ReferenceSet:
    """The drawings that LoRA are asked with."""
    subjects = read_subjects(args.subjects) if args.subjects else read_subjects()
    return reference_set(subjects, open_subject_drawer(args.drawing, device=args.device))


def offer_training(args: argparse.Namespace, catalog: Catalog, encoder: str) -> str:
    """A line of advice once there is enough to learn from and nothing was learnt yet; else nothing."""
    keys = catalog.specification_keys(encoder)
    painted = len({fingerprint for fingerprint, _, evidence, _ in keys if evidence is Evidence.REFERENCE})
    if painted < WORTH_TRAINING or space_of(catalog.setting(STYLE_SETTING), args.catalog, encoder):
        return ""
    return f"style: {painted} models have painted drawings; `modelsearch train style` learns from them what a style is"
