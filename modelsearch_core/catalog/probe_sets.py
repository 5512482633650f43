"""Probe sets as a catalog keeps them: the probes once a recipe, and what is a model's own beside its name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ..probes import ProbeSet
from . import records
from .connection import Connection


@dataclass(frozen=True)
class Recipe:
    """What models of equal recipe digest were asked; `base_digest` is of the set that their base was asked."""

    digest: str
    base: str | None
    base_digest: str
    record: str

    @property
    def probe_set(self) -> ProbeSet:
        return records.probe_set_from_json(self.record)


class ProbeSets(Mapping[str, ProbeSet]):
    """Probe sets by digest, each made when it is asked for; those of one recipe share its probes."""

    def __init__(self, own: Mapping[str, tuple[str, str, str]], recipes: Mapping[str, Recipe]) -> None:
        """`own`: (recipe, trigger words as JSON, notes as JSON) by digest."""
        self._own, self.recipes = own, recipes
        self._made: dict[str, ProbeSet] = {}
        self._last: tuple[str, ProbeSet] | None = None  # a model's samples ask for theirs one after another

    def recipe(self, digest: str) -> Recipe | None:
        """How models of that digest were asked, their trigger words aside; None for what nobody asked for."""
        own = self._own.get(digest)
        return None if own is None else self.recipes[own[0]]

    def recipe_digests(self, digests: Iterable[str]) -> list[str | None]:
        """Of each, how models of that digest were asked: of tens of thousands at once."""
        own = self._own
        return [own[digest][0] if digest in own else None for digest in digests]

    def of_recipe(self, recipe: str) -> ProbeSet:
        """The set without any model's trigger words."""
        if recipe not in self._made:
            self._made[recipe] = self.recipes[recipe].probe_set
        return self._made[recipe]

    def __getitem__(self, digest: str) -> ProbeSet:
        if (last := self._last) is None or last[0] != digest:
            recipe, trigger_words, notes = self._own[digest]
            words, told = tuple(json.loads(trigger_words)), tuple(json.loads(notes))
            self._last = last = digest, replace(self.of_recipe(recipe), trigger_words=words, notes=told)
        return last[1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)

    def __contains__(self, digest: object) -> bool:
        return digest in self._own


def put(connection: Connection, probe_set: ProbeSet) -> None:
    """Inside a transaction of the caller's."""
    digest = probe_set.digest
    if connection.execute("SELECT 1 FROM probe_set WHERE digest = ?", (digest,)).fetchone():
        return
    recipe = probe_set.recipe_digest
    if not connection.execute("SELECT 1 FROM recipe WHERE digest = ?", (recipe,)).fetchone():
        plain = replace(probe_set, trigger_words=(), notes=())
        row = recipe, probe_set.base, probe_set.for_base().digest, records.probe_set_to_json(plain)
        connection.execute("INSERT INTO recipe (digest, base, base_digest, record) VALUES (?, ?, ?, ?)", row)
    own = digest, recipe, json.dumps(probe_set.trigger_words, ensure_ascii=False), json.dumps(probe_set.notes)
    connection.execute("INSERT INTO probe_set (digest, recipe, trigger_words, notes) VALUES (?, ?, ?, ?)", own)


def read(connection: Connection) -> ProbeSets:
    recipes = {
        digest: Recipe(digest, base, base_digest or _base_digest(record), record)
        for digest, base, base_digest, record in connection.execute(
            "SELECT digest, base, base_digest, record FROM recipe"
        )
    }
    rows = connection.execute("SELECT digest, recipe, trigger_words, notes FROM probe_set").fetchall()
    return ProbeSets({row[0]: row[1:] for row in rows}, recipes)


def _base_digest(record: str) -> str:
    """Of a recipe that an older version has written."""
    return records.probe_set_from_json(record).for_base().digest
