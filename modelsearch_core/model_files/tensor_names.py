"""Asking of thousands of tensors' names whether one has a part."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

_WITHOUT_DIGITS = str.maketrans("", "", "0123456789")


class TensorNames:
    """All names of a file's tensors, each between line breaks, so that `"\\nunet." in names` asks how one begins.

    Most differ in their numbers alone. What no name has when numbers are left out, none has with them: the few
    kinds of names that are left then answer most questions, instead of a hundred thousand characters.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.lines = "\n" + "\n".join(names) + "\n"
        kinds = dict.fromkeys(self.lines[1:-1].translate(_WITHOUT_DIGITS).split("\n"))
        self._kinds = "\n" + "\n".join(kinds) + "\n"

    def __contains__(self, part: str) -> bool:
        return _without_digits(part) in self._kinds and part in self.lines


@cache
def _without_digits(part: str) -> str:
    return part.translate(_WITHOUT_DIGITS)
