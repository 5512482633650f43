"""What goes on a screen: names of files, and what pictures say, are strangers' and may hold commands to a terminal."""

from __future__ import annotations

import re
from typing import Any, TextIO

# Control characters but tabs and line ends, and those that turn the order of letters round.
COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    r"""The text with commands to a terminal written out, as `\u001b`; JSON stays the same JSON."""
    return COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class Screen:
    """A stream that shows such commands in place of sending them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(visible(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
