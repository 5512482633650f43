"""What `modelsearch index --style` adds: drawings to ask with, style vectors, and the advice to train."""

from __future__ import annotations

import argparse

from ..catalog import Catalog
from ..drawing import Drawer
from ..encoders import open_drawer
from ..encoders.style_head import StyleFile
from ..indexing.style_vectors import store_style_vectors
from ..reference_set import ReferenceSet, read_subjects, reference_set
from ..search.gallery import STYLE_SETTING
from ..search.styles import space_of
from ..specification import Evidence

WORTH_TRAINING = 12  # LoRA that have painted drawings


def reference_set_of(args: argparse.Namespace) -> ReferenceSet | None:
    """The drawings that LoRA are asked with, where --style wants that."""
    if not getattr(args, "style", False):
        return None
    subjects = read_subjects(args.subjects) if args.subjects else read_subjects()
    return reference_set(subjects, _drawer(args))


def _drawer(args: argparse.Namespace) -> Drawer:
    """Subjects are large and detailed: without a trained edge detector, lines had better be fine."""
    drawer = open_drawer(args.drawing, device=args.device)
    coarse = args.drawing == "auto" and drawer.name == "outlines"
    return open_drawer("fine_outlines") if coarse else drawer


def look_at_style(args: argparse.Namespace, catalog: Catalog, encoder: str) -> None:
    """Has a trained style network look at what was painted; a linear head needs no more than is there."""
    space = space_of(catalog.setting(STYLE_SETTING), args.catalog, encoder)
    if isinstance(space, StyleFile):
        from ..encoders.style import open_network  # brings torch along

        store_style_vectors(catalog, encoder, open_network(space, args.device), str(space.path))


def offer_training(args: argparse.Namespace, catalog: Catalog, encoder: str) -> str:
    """A line of advice once there is enough to learn from and nothing was learnt yet; else nothing."""
    keys = catalog.specification_keys(encoder)
    painted = len({fingerprint for fingerprint, _, evidence, _ in keys if evidence is Evidence.REFERENCE})
    if painted < WORTH_TRAINING or space_of(catalog.setting(STYLE_SETTING), args.catalog, encoder):
        return ""
    return f"style: {painted} models have painted drawings; `modelsearch train style` learns from them what a style is"
