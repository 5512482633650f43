"""The layers that LoRA of a family adapt, with their widths in units of the model's own.

A table has a line for each sort of layer: the stack of blocks that it is in (`-`: none), the layer within a block, the
widths of its output and input (`-`: any). Names have dots as underscores; stack and layer are regular expressions.

    double_blocks  (img|txt)_attn_qkv  3 1
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

OUTSIDE = "-"  # in place of a stack: layers that are in no block


@dataclass(frozen=True)
class Line:
    """One sort of layer. A width is None where it may be any."""

    stack: re.Pattern[str] | None  # None: in no block
    layer: re.Pattern[str]
    out: float | None
    into: float | None

    def is_for(self, stack: str, layer: str) -> bool:
        in_stack = self.stack.fullmatch(stack) is not None if self.stack else not stack
        return in_stack and self.layer.fullmatch(layer) is not None


@dataclass(frozen=True)
class Layers:
    """A table of layers, parsed when it is first asked."""

    table: str

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        return tuple(_line(*text.split()) for text in self.table.splitlines() if text.strip())

    def find(self, stack: str, layer: str) -> Line | None:
        """The first line for a layer; `stack` is empty where it is in no block."""
        return next((line for line in self.lines if line.is_for(stack, layer)), None)


def _line(stack: str, layer: str, out: str, into: str) -> Line:
    return Line(None if stack == OUTSIDE else re.compile(stack), re.compile(layer), _width(out), _width(into))


def _width(text: str) -> float | None:
    return None if text == "-" else float(text)
