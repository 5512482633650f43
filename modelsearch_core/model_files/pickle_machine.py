"""A reader of the few opcodes that PyTorch's pickles use. It imports nothing, calls nothing and makes no object.

The opcodes are those of `torch.load(weights_only=True)` (torch/_weights_only_unpickler.py) and those that say the same
in protocol 4; see `pickletools` for what each does. Time and memory grow with the number of opcodes, of which there is
a most.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import ClassVar, cast

from ..errors import UnreadableModelError
from .pickle_values import Inert, Name, Storage, Table, Value, call, named, storage_of

LARGEST_PICKLE = 2**24  # bytes; a checkpoint of Stable Diffusion has a quarter of a megabyte
MOST_OPCODES = 2_000_000
LONGEST_NAME = 500
STOP = ord(".")


_NUMBERS = {ord("J"): "<i", ord("K"): "B", ord("M"): "<H", ord("G"): ">d"}
_CONSTANTS: dict[int, Callable[[], Value]] = {
    ord("N"): lambda: None,
    0x88: lambda: True,
    0x89: lambda: False,
    ord(")"): lambda: (),
    ord("]"): list[Value],
    ord("}"): Table,
    0x8F: list[Value],  # a set is a list here
}


class PickleMachine:
    """Reads the pickles in `content`, one after another; `position` is the byte after the last one."""

    def __init__(self, content: bytes) -> None:
        self.position = 0
        self.storages: dict[str, Storage] = {}  # by key, all that the pickles name
        self._content = content
        self._count = 0
        self._reset()

    def load(self) -> Value:
        """The next pickle. Raises UnreadableModelError for what is none, or has what no state dict needs."""
        self._reset()
        try:
            while (code := self._content[self.position]) != STOP:
                self._step(code)
            self.position += 1
            return self._stack.pop()
        except (LookupError, struct.error, ValueError, TypeError, AttributeError) as error:
            raise UnreadableModelError(f"a broken pickle at byte {self.position}") from error

    def _reset(self) -> None:
        self._stack: list[Value] = []
        self._marks: list[list[Value]] = []
        self._memo: dict[int, Value] = {}

    def _step(self, code: int) -> None:
        self._count += 1
        if self._count > MOST_OPCODES:
            raise UnreadableModelError(f"more than {MOST_OPCODES} steps to build a state dict")
        self.position += 1
        if code in _NUMBERS:
            form = _NUMBERS[code]
            self._stack.append(struct.unpack(form, self._take(struct.calcsize(form)))[0])
        elif code in _CONSTANTS:
            self._stack.append(_CONSTANTS[code]())
        elif code in self._STEPS:
            self._STEPS[code](self)
        else:
            raise UnreadableModelError(f"the opcode {bytes([code])!r}, which no state dict needs")

    def _take(self, count: int) -> bytes:
        taken = self._content[self.position : self.position + count]
        if len(taken) < count:
            raise UnreadableModelError("a pickle that breaks off")
        self.position += count
        return taken

    def _protocol(self) -> None:
        self._take(1)

    def _whole(self, form: str) -> int:
        return int(struct.unpack(form, self._take(struct.calcsize(form)))[0])

    def _line(self) -> str:
        end = self._content.index(b"\n", self.position, self.position + LONGEST_NAME)
        return self._take(end + 1 - self.position)[:-1].decode()

    def _marked(self) -> list[Value]:
        """What was put on the stack since the last mark, which is taken off."""
        items, self._stack = self._stack, self._marks.pop()
        return items

    def _mark(self) -> None:
        self._marks.append(self._stack)
        self._stack = []

    def _tuple(self) -> None:
        items = tuple(self._marked())
        self._stack.append(items)

    def _tuple_of(self, count: int) -> None:
        if len(self._stack) < count:
            raise IndexError
        items = tuple(self._stack[-count:])
        self._stack[-count:] = [items]

    def _long(self) -> None:
        self._stack.append(int.from_bytes(self._take(self._whole("B")), "little", signed=True))

    def _text(self, form: str) -> None:
        self._stack.append(self._take(self._whole(form)).decode("utf-8", "surrogatepass"))

    def _bytes(self, form: str) -> None:
        self._stack.append(self._take(self._whole(form)))

    def _get(self, form: str) -> None:
        self._stack.append(self._memo[self._whole(form)])

    def _put(self, form: str) -> None:
        self._memo[self._whole(form)] = self._stack[-1]

    def _global(self) -> None:
        module = self._line()
        self._stack.append(named(module, self._line()))

    def _persistent(self) -> None:
        storage = storage_of(self._stack.pop())
        if self.storages.setdefault(storage.key, storage) != storage:
            raise UnreadableModelError(f"storage {storage.key[:100]} in two sizes")
        self._stack.append(storage)

    def _call(self) -> None:
        arguments = self._stack.pop()
        self._stack[-1] = call(self._stack[-1], arguments)

    def _build(self) -> None:
        """The state of an object is left out: `_metadata` of an OrderedDict, mostly."""
        self._stack.pop()
        if isinstance(self._stack[-1], Name):
            raise UnreadableModelError("it changes a class or function")

    def _memoize(self) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _stack_global(self) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if not isinstance(name, str) or not isinstance(module, str) or len(module) + len(name) > LONGEST_NAME:
            raise UnreadableModelError("it names what has no name")
        self._stack.append(named(module, name))

    def _append(self, items: list[Value]) -> None:
        if isinstance(self._stack[-1], Inert):
            return
        if type(self._stack[-1]) is not list:
            raise UnreadableModelError("it appends to what is no list")
        cast("list[Value]", self._stack[-1]).extend(items)

    def _set(self, items: list[Value]) -> None:
        table = self._stack[-1]
        if isinstance(table, Inert):
            return
        if not isinstance(table, Table) or len(items) % 2:
            raise UnreadableModelError("it sets items of what is no dict")
        table.pairs.extend(zip(items[::2], items[1::2], strict=True))

    def _set_one(self) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._set([key, value])

    _STEPS: ClassVar[dict[int, Callable[[PickleMachine], object]]] = {
        0x80: _protocol,
        ord("("): _mark,
        ord("t"): _tuple,
        0x85: lambda m: m._tuple_of(1),
        0x86: lambda m: m._tuple_of(2),
        0x87: lambda m: m._tuple_of(3),
        0x8A: _long,
        ord("X"): lambda m: m._text("<I"),
        0x8C: lambda m: m._text("B"),
        0x8D: lambda m: m._text("<Q"),
        ord("U"): lambda m: m._bytes("B"),
        ord("C"): lambda m: m._bytes("B"),
        ord("B"): lambda m: m._bytes("<I"),
        ord("h"): lambda m: m._get("B"),
        ord("j"): lambda m: m._get("<I"),
        ord("q"): lambda m: m._put("B"),
        ord("r"): lambda m: m._put("<I"),
        ord("c"): _global,
        0x93: _stack_global,
        0x94: _memoize,
        0x95: lambda m: m._take(8),  # how long the next frame is
        ord("Q"): _persistent,
        ord("R"): _call,
        0x81: _call,  # NEWOBJ
        ord("b"): _build,
        ord("a"): lambda m: m._append([m._stack.pop()]),
        ord("e"): lambda m: m._append(m._marked()),
        0x90: lambda m: m._append(m._marked()),  # ADDITEMS
        ord("s"): _set_one,
        ord("u"): lambda m: m._set(m._marked()),
    }
