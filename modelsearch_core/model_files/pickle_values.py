"""What a pickle of a state dict names, and what stands for it here: data only, nothing that could be called.

The names that mean something are those that `torch.load(weights_only=True)` allows. Trainers leave others (callbacks,
options): they stand for nothing. Those that only malware calls are no risk here either, but the file is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from ..errors import UnreadableModelError

Value = object  # None, bool, int, float, str, bytes, tuple, list, or one of the classes below
MOST_DIMENSIONS = 64  # as in torch
LARGEST = 2**63

DTYPES = {  # bytes of an element
    **dict.fromkeys(("float64", "int64", "complex64", "uint64"), 8),
    **dict.fromkeys(("float32", "int32", "uint32"), 4),
    **dict.fromkeys(("float16", "bfloat16", "int16", "uint16"), 2),
    **dict.fromkeys(("int8", "uint8", "bool"), 1),
    **dict.fromkeys(("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"), 1),
}
STORAGES = {
    **{"DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16"},
    **{"LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8"},
    **{"ByteStorage": "uint8", "BoolStorage": "bool", "ComplexFloatStorage": "complex64"},
    **{"UntypedStorage": "uint8", "storage.UntypedStorage": "uint8"},
}
TABLES = ("collections.OrderedDict", "collections.Counter", "builtins.dict")
PARAMETERS = ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state")
TENSORS = ("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3")
SUBCLASS = "torch._tensor._rebuild_from_type_v2"
SIZE = "torch.Size"
MALWARE = (  # modules, and names in them, that reach beyond a file's data
    *("os", "posix", "nt", "sys", "subprocess", "_posixsubprocess", "socket", "ssl", "shutil", "pty"),
    *("ctypes", "platform", "importlib", "imp", "pkgutil", "runpy", "code", "codeop", "inspect", "pickle"),
    *("_pickle", "dill", "cloudpickle", "marshal", "webbrowser", "urllib", "http", "requests", "httpx"),
    *("aiohttp", "asyncio", "pdb", "bdb", "pip", "venv", "ensurepip", "signal", "multiprocessing", "commands"),
    *("operator", "_operator", "timeit", "profile", "cProfile", "trace", "doctest", "pydoc", "types.CodeType"),
    *("types.FunctionType", "torch.hub", "torch.load", "torch.jit", "torch.package"),
    *("torch.utils.collect_env", "torch.utils.cpp_extension", "torch.utils.bottleneck", "numpy.f2py"),
    *("numpy.testing", "numpy.distutils", "numpy.load", "builtins.eval", "builtins.exec", "builtins.compile"),
    *("builtins.open", "builtins.getattr", "builtins.setattr", "builtins.delattr", "builtins.globals"),
    *("builtins.locals", "builtins.vars", "builtins.apply", "builtins.execfile", "builtins.file"),
    *("builtins.reload", "builtins.input", "builtins.breakpoint", "builtins.__import__"),
)


@dataclass(frozen=True)
class Name:
    """A class or function that a pickle names; it is never looked up."""

    text: str


@dataclass(frozen=True)
class Inert:
    """What a call of a name would have made; it is not made."""

    of: str


@dataclass(eq=False)
class Table:
    """A dict, as pairs: what a pickle has for keys is never hashed."""

    pairs: list[tuple[Value, Value]] = field(default_factory=list[tuple[Value, Value]])


class Storage(NamedTuple):
    """A block of elements in the file."""

    dtype: str
    key: str
    elements: int

    @property
    def size(self) -> int:
        return self.elements * DTYPES[self.dtype]


class PickledTensor(NamedTuple):
    """A view of a storage, which holds all of it. Offset and strides count elements of `dtype`."""

    storage: Storage
    dtype: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def named(module: str, name: str) -> Name:
    """Raises UnreadableModelError for what malware calls."""
    text = f"{module}.{name}".replace("torch.cuda.", "torch.", 1).replace("__builtin__.", "builtins.", 1)
    if f"{text}.".startswith(tuple(f"{each}." for each in MALWARE)):
        raise UnreadableModelError(f"it names {text[:100]}, as malware does and no model needs")
    return Name(text)


def call(function: Value, arguments: Value) -> Value:
    """What stands for the result of a call. Raises UnreadableModelError for what is none that a state dict has."""
    if isinstance(function, Inert):
        return function
    if not isinstance(function, Name) or not isinstance(arguments, tuple):
        raise UnreadableModelError("it calls what is no function of a state dict")
    name, given = function.text, cast("tuple[Value, ...]", arguments)
    if name in TENSORS:
        return _tensor(given, dtype=given[6] if name.endswith("_v3") else None)
    if name in PARAMETERS:
        return given[0]
    if name == SUBCLASS and isinstance(given[0], Name) and given[0].text in (*TENSORS, *PARAMETERS):
        return call(given[0], given[2])
    if name == SIZE:
        return given[0]
    if name == "collections.defaultdict":
        return Table()
    if name in TABLES:
        return Table(_pairs(given[0]) if given else [])
    return Inert(name)


def storage_of(identity: Value) -> Storage:
    """The storage that a persistent id names. Raises UnreadableModelError."""
    match identity:
        case (("storage" | b"storage"), Name(kind), (str() | bytes() | int()) as key, _, int(elements), *view) if (
            kind.removeprefix("torch.") in STORAGES and 0 <= elements < LARGEST and view in ([], [None])
        ):
            text = key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)
            return Storage(STORAGES[kind.removeprefix("torch.")], text, elements)
        case _:
            raise UnreadableModelError("a storage that cannot be understood")


def _tensor(given: Sequence[Value], dtype: Value) -> PickledTensor:
    storage, offset, shape, strides = given[:4]
    own = _dtype(dtype.text) if isinstance(dtype, Name) else None
    if not isinstance(storage, Storage) or not _are_sizes((offset,)) or (dtype is not None and own is None):
        raise UnreadableModelError("a tensor without a storage that is known")
    if not (_are_sizes(shape) and _are_sizes(strides)):
        raise UnreadableModelError("a tensor whose shape is not made of numbers")
    sizes = [tuple(cast("Sequence[int]", numbers)) for numbers in (shape, strides)]
    found = PickledTensor(storage, own or storage.dtype, cast("int", offset), *sizes)
    if len(found.shape) != len(found.strides) or _end(found) > storage.size:
        raise UnreadableModelError(f"a tensor of shape {list(found.shape)!r:.200} that reaches beyond its storage")
    return found


def _end(tensor: PickledTensor) -> int:
    """Where its last element ends, in bytes of its storage."""
    if 0 in tensor.shape:
        return 0
    last = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True))
    return (tensor.offset + last + 1) * DTYPES[tensor.dtype]


def _are_sizes(values: Value) -> bool:
    if not isinstance(values, (tuple, list)) or len(cast("Sequence[Value]", values)) > MOST_DIMENSIONS:
        return False
    return all(type(value) is int and 0 <= value < LARGEST for value in cast("Sequence[Value]", values))


def _pairs(value: Value) -> list[tuple[Value, Value]]:
    if isinstance(value, Table):
        return list(value.pairs)
    entries = cast("list[Value]", value) if isinstance(value, list) else [None]
    pairs = [cast("tuple[Value, Value]", tuple(cast("Sequence[Value]", entry))) for entry in entries if _is_pair(entry)]
    if len(pairs) != len(entries):
        raise UnreadableModelError("a dict that is not made of pairs")
    return pairs


def _is_pair(entry: Value) -> bool:
    return isinstance(entry, (tuple, list)) and len(cast("Sequence[Value]", entry)) == 2


def _dtype(text: str) -> str | None:
    name = text.removeprefix("torch.")
    return name if text.startswith("torch.") and name in DTYPES else None
