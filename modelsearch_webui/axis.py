"""An axis of the X/Y/Z plot: the LoRA that fit the prompt best, one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from modelsearch_core.errors import ModelSearchError

LABEL = "[Model Search] LoRA that fits the prompt, by rank (0: none)"
MOST_RANKS = 50


class Ranked(NamedTuple):
    """A LoRA as a prompt gets it; `files` are the copies of what is applied."""

    name: str
    strength: float
    words: tuple[str, ...]
    files: tuple[Path, ...]


def add() -> None:
    """For `on_before_ui`: adds the axis where the script is there, once."""
    from modules import scripts

    for data in scripts.scripts_data:
        module: Any = getattr(data, "module", None)
        options = getattr(module, "axis_options", None)
        if options is None or not hasattr(module, "AxisOption"):
            continue
        options[:] = [option for option in options if option.label != LABEL]
        options.append(module.AxisOption(LABEL, int, _apply, _label, _confirm))


def _confirm(_: Any, ranks: list[int]) -> None:
    if wrong := [rank for rank in ranks if not 0 <= rank <= MOST_RANKS]:
        raise RuntimeError(f"a LoRA's rank is from 1 to {MOST_RANKS}, or 0 for none; not {wrong[0]}")


def _apply(p: Any, rank: int, _: list[int]) -> None:
    from modelsearch_core.prompt_tags import lora_tag, with_lora

    from . import places

    found = ranked(p.prompt, rank) if rank else None
    if found and not places.loras_written(p.prompt, *found.files):
        p.prompt = with_lora(p.prompt, lora_tag(found.name, found.strength), found.words)


def _label(p: Any, _: Any, rank: int) -> str:
    if not rank:
        return "without LoRA"
    try:
        found = ranked(p.prompt, rank)
    except ModelSearchError as error:
        return f"{rank}: {error}"
    return f"{rank}: {found.name} {found.strength:g}" if found else f"{rank}: there is none"


def ranked(prompt: str, rank: int) -> Ranked | None:
    """The LoRA of that rank for the prompt, among those for the chosen checkpoint; None where there are fewer."""
    from modelsearch_core.choosing import USUAL_STRENGTH
    from modelsearch_core.collection import Filters
    from modelsearch_core.pairs import half_for, one_each, other_halves

    from . import picking, places

    names = picking.nameable()
    query = picking.query_of(picking.BY_PROMPT, [prompt], None)
    with picking.searched() as (index, architecture):
        halves = other_halves(index.collection.entries)
        found = index.search(query, filters=Filters(kind="lora", architecture=architecture, among=names), k=2 * rank)
    matches, _ = one_each(found, halves)
    if len(matches) < rank:
        return None
    match = matches[rank - 1]
    path = half_for(places.chosen_checkpoint(), match.path, halves)
    strength = USUAL_STRENGTH if match.strength is None else match.strength
    return Ranked(picking.named(match, names, path), strength, match.trigger_words, picking.files(match, path))
