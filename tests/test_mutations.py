"""The script that mutates formulas: what it changes, and that what it forgives is still there."""

from __future__ import annotations

import ast

import pytest

from benchmarks.mutations import FURTHER, SCORES, TESTS, modules, mutants_of
from benchmarks.mutations_equivalent import EQUIVALENT

SOURCE = '''
def mean_of_first(values, k):
    """Of the k first."""
    return unit(values[:k]).mean() / -k
'''


def test_signs_means_normalisations_and_counts_are_changed_one_at_a_time():
    changed = {ast.unparse(mutant.tree.body[0]).splitlines()[-1].strip() for mutant in mutants_of("any", SOURCE)}
    assert changed >= {
        "return unit(values[:k + 1]).mean() / -k",
        "return values[:k].mean() / -k",
        "return np.median(unit(values[:k])) / -k",
        "return unit(values[:k]).mean() * -k",
        "return unit(values[:k]).mean() / k",
        "return -(unit(values[:k]).mean() / -k)",
        "return unit(values[:k]).mean()",
    }


def test_tests_from_elsewhere_are_there():
    assert set(FURTHER) <= set(modules())
    assert [name for names in FURTHER.values() for name in names if not (TESTS / name).is_file()] == []


@pytest.mark.parametrize("module", modules())
def test_what_is_forgiven_can_still_happen(module: str):
    made = {mutant.key for mutant in mutants_of(module, (SCORES / f"{module}.py").read_text(encoding="utf-8"))}
    assert [key for key in EQUIVALENT if key[0] == module and key not in made] == []
