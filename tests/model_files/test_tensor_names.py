"""Whether a file's tensors have a part of a name, asked of a few kinds of names first."""

from __future__ import annotations

import random

import pytest

from modelsearch_core.model_files.bystanders import AFTER_DENOISERS, BEFORE_DENOISERS
from modelsearch_core.model_files.networks import NETWORKS
from modelsearch_core.model_files.tensor_names import TensorNames

NAMES = ["blocks.7.to_q.weight", "blocks.12.to_q.weight", "blocks.12.to_q.bias", "12", "größe.3"]


@pytest.mark.parametrize(
    ("part", "has"),
    [
        ("blocks.7.", True),
        ("blocks.1.", False),  # though a name has it but for the number
        ("blocks.12.to_q.b", True),
        ("blocks.7.to_q.b", False),
        ("\nblocks.", True),
        ("\nto_q", False),
        (".bias\n", True),
        ("to_q\n", False),
        ("\n12\n", True),
        ("\n1\n", False),
        ("größe.3", True),
        ("", True),
    ],
)
def test_a_part_with_its_numbers(part: str, has: bool):
    assert (part in TensorNames(NAMES)) is has


def test_the_tables_parts_are_found_as_in_the_whole_text():
    tables = [parts for _, parts in (*BEFORE_DENOISERS, *AFTER_DENOISERS, *NETWORKS)]
    parts = sorted({part for row in tables for part in row})
    chosen = random.Random(0)
    found = 0
    for _ in range(300):
        names = [
            f"{chosen.choice(['', 'a.', '1.'])}{chosen.choice(parts).strip()}{chosen.choice(['', 'x', '.weight'])}"
            for _ in range(3)
        ]
        names = [name.replace(chosen.choice("0123456789"), chosen.choice("0123456789")) for name in names]
        told = TensorNames(names)
        assert [part for part in parts if part in told] == [part for part in parts if part in told.lines]
        found += sum(part in told for part in parts)
    assert found > 300
