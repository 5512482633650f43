"""What `modelsearch index --style` asks with."""

from __future__ import annotations

import argparse

from ..encoders import open_subject_drawer
from ..reference_set import ReferenceSet, read_subjects, reference_set


def reference_set_of(args: argparse.Namespace) -> ReferenceSet:
    """The drawings that LoRA are asked with."""
    subjects = read_subjects(args.subjects) if args.subjects else read_subjects()
    return reference_set(subjects, open_subject_drawer(args.drawing, device=args.device))
