"""Work in batches that halve when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from ..errors import ModelSearchError
from .devices import free_memory, is_out_of_memory

Item = TypeVar("Item")
Result = TypeVar("Result")


class BatchSize:
    """How many at once. What has fitted is remembered for the next model."""

    def __init__(self, value: int) -> None:
        self.value = value

    def halve(self, tried: int, what: str) -> None:
        if tried == 1:
            raise ModelSearchError(
                f"out of memory with {what}, one at a time; close other programs, choose a smaller --size, "
                "or compute on the processor with --device cpu"
            )
        self.value = max(1, tried // 2)


def in_batches(
    items: Sequence[Item], work: Callable[[Sequence[Item]], Result], size: BatchSize, what: str
) -> Iterator[Result]:
    """Results of `work` on consecutive items. `what` says what an item is, for the error when not even one fits."""
    start = 0
    while start < len(items):
        part = items[start : start + size.value]
        try:
            result = work(part)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        else:
            yield result
            start += len(part)
            continue
        free_memory()  # only now, outside the handler: the traceback holds on to tensors
        size.halve(len(part), what)
