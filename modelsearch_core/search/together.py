"""The first stage of queries that wait at the same time: what they get from all models is one product of each method.

Reading all models' means, directions and words takes longer than multiplying them, and is done once however many ask.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from .. import nearest
from ..specification import Modality, Requirement
from .answering import Answering
from .banks import Queries
from .query import Query

LEAST = 4  # queries: a product of three takes as long as three products of one
AT_ONCE = 2**20  # scores of one product

Asked = tuple[Query, str]  # with the method that it is asked by
Read = Callable[[Query, str], list[Requirement]]
Alike = tuple[str, Modality, tuple[str, ...]]  # a method, and what it may look at

log = logging.getLogger(__name__)


class Together:
    """Queries that were asked ahead, until it is their turn. `read` makes requirements of one."""

    def __init__(self, answering: Answering, read: Read, models: int) -> None:
        self._answering, self._read, self._M = answering, read, models
        self._ahead: dict[tuple[int, str], tuple[Query, list[Requirement]]] = {}

    def ask(self, waiting: Sequence[Asked]) -> None:
        """Of all that wait now. What cannot be read or compared is left to each one's own turn, which says why."""
        self._ahead = {key: self._ahead[key] for key in map(_key, waiting) if key in self._ahead}
        new = [asked for asked in waiting if _key(asked) not in self._ahead and not asked[0].shows_pictures]
        if len(new) < LEAST or not 0 < self._M <= nearest.MANY:  # of very many models, few are compared
            return
        for asked in new:
            try:
                self._ahead[_key(asked)] = asked[0], self._read(*asked)
            except Exception:
                log.debug("%s is left to its own turn", asked[0].text, exc_info=True)
        read = [(*self._ahead[_key(asked)], asked[1]) for asked in new if _key(asked) in self._ahead]
        self._compare([(requirement, method) for _, requirements, method in read for requirement in requirements])

    def requirements(self, query: Query, method: str) -> list[Requirement]:
        """Of a query whose turn it is."""
        known = self._ahead.pop(_key((query, method)), None)
        return self._read(query, method) if known is None else known[1]

    def _compare(self, asked: Sequence[tuple[Requirement, str]]) -> None:
        wanted: defaultdict[Alike, list[Requirement]] = defaultdict(list)
        for requirement, method in asked:
            for name in self._answering.first_stage(requirement, method):
                wanted[name, requirement.modality, Queries.of(requirement).sort].append(requirement)
        for (method, *_), requirements in wanted.items():
            try:
                for some in _parts(requirements, max(1, AT_ONCE // self._M)):
                    self._multiply(method, some)
            except Exception:
                log.debug("%s is left to each one's own turn", method, exc_info=True)

    def _multiply(self, method: str, requirements: Sequence[Requirement]) -> None:
        scores = self._answering.of_all(method, Queries.together([Queries.of(each) for each in requirements]))
        ends = np.cumsum([len(each.h) for each in requirements])
        for requirement, own in zip(requirements, np.split(scores, ends[:-1]), strict=True):
            self._answering.keep(requirement, method, own)


def _key(asked: Asked) -> tuple[int, str]:
    return id(asked[0]), asked[1]


def _parts(requirements: Sequence[Requirement], rows: int) -> Iterator[list[Requirement]]:
    """Of so many rows at most, but for one that has more by itself."""
    part: list[Requirement] = []
    for requirement in requirements:
        if part and sum(len(each.h) for each in (*part, requirement)) > rows:
            yield part
            part = []
        part.append(requirement)
    yield part
