"""Writes docs/families.md from the families' records.

python benchmarks/families_page.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from modelsearch_core.families import FAMILIES, Family, No, Recipe, known
from modelsearch_core.families.costs import of_sd15
from modelsearch_core.families.parts import Parts

PAGE = ROOT / "docs" / "families.md"
INTRODUCTION = """\
# Families of models

What Model Search knows of each family of diffusion models. This page is written from `modelsearch_core/families` by
`python benchmarks/families_page.py`; a test fails where it is out of date.

A file is known by the names, widths and numbers of its layers; where these fit several families (a LoRA for FLUX.1 and one
for Chroma look alike), by what its trainer or a hub says. A file whose layers are named like a family's but are of
other widths is `unknown`, and `modelsearch show MODEL` says why. `--arch`, the panel's *Base* and the nodes'
`architecture` take a family's name or that of a line within it (`pony`, `illustrious`, `noobai`, ...).
"""


def page() -> str:
    return "\n".join(
        [
            INTRODUCTION,
            "## What is told apart\n",
            *table(("family", "", "widths within it", "lines within it"), map(told_apart, FAMILIES.values())),
            "\n## How they are asked\n",
            "Where it says why not, models of the family are found by their words and previews only.\n",
            "What a picture takes is how many teraflops its evaluations are, against one of Stable Diffusion 1.5: twice the\n"
            "weights that a token meets, by the released widths and numbers of blocks, for each token. Attention among tokens\n"
            "is left out.\n",
            *table(("family", "one picture", "takes", "told by its name"), asked()),
            "\n## What a bare diffusion model needs in ComfyUI\n",
            "The released files; quantised copies are found by what they are called.\n",
            *table(("family", "type", "text encoders", "VAE"), needs()),
            "",
        ]
    )


def told_apart(family: Family) -> Sequence[str]:
    variants = ", ".join(f"{each.name} ({each.width})" for each in known(family.variants))
    lineages = ", ".join(f"`{each.name}`" for each in known(family.lineages))
    return f"`{family.name}`", family.title, variants, lineages


def asked() -> Iterable[Sequence[str]]:
    for family in FAMILIES.values():
        yield asked_row(family, None)
        for variant in known(family.variants):
            if variant.work or variant.recipe:
                yield asked_row(family, variant.name)


def asked_row(family: Family, variant: str | None) -> Sequence[str]:
    name, recipe = f"`{family.name}` {variant or ''}".strip(), family.recipe_of(variant)
    if isinstance(recipe, No):
        return name, f"not: {recipe.why}", "", ""
    few = [(each, each.on(recipe)) for each in known(family.few_steps) if variant in (each.variants or (variant,))]
    shown = [f"{each.name}: {how(on)} ({takes(family, variant, on)})" for each, on in few]
    return name, f"{recipe.size} pixels, {how(recipe)}", takes(family, variant, recipe), "; ".join(shown)


def how(recipe: Recipe) -> str:
    shift = "" if recipe.shift is None else f", shift {recipe.shift:g}"
    return f"{recipe.steps} steps, guidance {recipe.guidance:g}{shift}"


def takes(family: Family, variant: str | None, recipe: Recipe) -> str:
    teraflops, work = family.teraflops(variant, recipe), family.work_of(variant)
    if teraflops is None:
        assert isinstance(work, No)
        return work.why
    found = of_sd15(teraflops)
    return f"{found:.0f} ×" if found >= 10 else f"{found:.2g} ×"


def needs() -> Iterable[Sequence[str]]:
    for family in FAMILIES.values():
        yield parts_row(f"`{family.name}`", family.parts)
        for variant in known(family.variants):
            if variant.parts:
                yield parts_row(f"`{family.name}` {variant.name}", variant.parts)


def parts_row(name: str, parts: Parts | No) -> Sequence[str]:
    if isinstance(parts, No):
        return name, "", f"none: {parts.why}", ""
    return name, parts.clip_type.lower(), ", ".join(each.file for each in parts.encoders), parts.vae.file


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(headings)} |", f"|{'---|' * len(headings)}", *(f"| {' | '.join(row)} |" for row in rows)]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
