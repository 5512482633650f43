from __future__ import annotations

import json
import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save as save_arrays
from safetensors.torch import save as save_tensors

from modelsearch_core.errors import UnreadableModelError
from modelsearch_core.model_files import Tensor, read_header
from modelsearch_core.model_files.header import BITS, Header, parse_header
from tests.making.model_files import pack_header, write_safetensors

PAIR = {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}


def parse(table: object, data: bytes = b"12") -> Header:
    raw = table if isinstance(table, bytes) else json.dumps(table).encode()
    return parse_header(BytesIO(pack_header(raw) + data))


def test_a_header_tells_names_dtypes_shapes_offsets_and_metadata(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "a.safetensors", {"x": (2, 3), "y": ()}, {"format": "pt"})
    header = read_header(path)
    assert header.tensors == {"x": Tensor("F16", (2, 3), 0, 12), "y": Tensor("F16", (), 12, 14)}
    assert (header.metadata, header.layout.data_size) == ({"format": "pt"}, 14)
    assert header.data_start + header.layout.data_size == path.stat().st_size


def test_an_error_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"")
    with pytest.raises(UnreadableModelError, match=r"a\.safetensors: the file is empty"):
        read_header(tmp_path / "a.safetensors")
    with pytest.raises(UnreadableModelError, match=r"b\.safetensors.*No such file"):
        read_header(tmp_path / "b.safetensors")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"1234567", "has 7 bytes"),
        (struct.pack("<Q", 3) + b"{}", "truncated: the header has 3 bytes"),
        (struct.pack("<Q", 2**30) + b"{}", "1073741824 bytes is more than"),
        (struct.pack("<Q", 2**64 - 1), "is more than"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "is more than"),
        (b"<!DOCTYPE html>" + bytes(100), "is more than"),
    ],
)
def test_files_that_are_no_safetensors_are_refused(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableModelError, match=reason):
        parse_header(BytesIO(content))


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (b'\xff{"a": 1}', "not UTF-8 at byte 0"),
        (b"{", "not JSON"),
        (b'{"a": NaN}', "NaN is no JSON number"),
        (b"[" * 100_000 + b"]" * 100_000, "nested absurdly deep"),
        (b"[1, 2]", "a JSON list instead of an object"),
        (b"1" * 10_000, "not JSON"),
        ({"__metadata__": [1], "a": PAIR}, "__metadata__ is a list"),
        ({"a": 3}, "tensor 'a'"),
        ({"a": "U8"}, "tensor 'a'"),
        ({"a": ["U8", [2]]}, "tensor 'a'"),
        ({"a": {"dtype": "U8", "shape": [2]}}, "'data_offsets'"),
        ({"a": {**PAIR, "dtype": "F7"}}, "'F7' is no dtype"),
        ({"a": {**PAIR, "dtype": ["U8"]}}, "is no dtype"),
        ({"a": {**PAIR, "dtype": "F32"}}, "F32 of shape .2. does not fill bytes 0 to 2"),
        ({"a": {**PAIR, "shape": [3]}}, "U8 of shape .3. does not fill bytes 0 to 2"),
        ({"a": {**PAIR, "shape": {}}}, "not a list"),
        ({"a": {**PAIR, "shape": [2.0]}}, "no whole number"),
        ({"a": {**PAIR, "shape": [True, 2]}}, "no whole number"),
        ({"a": {**PAIR, "shape": [-1, -2]}}, "no whole number"),
        ({"a": {**PAIR, "shape": [2**65, 0]}}, "no whole number"),
        ({"a": {**PAIR, "data_offsets": [2, 0]}}, "does not fill"),
        ({"a": {**PAIR, "data_offsets": [-2, 0]}}, "no whole number"),
        ({"a": {**PAIR, "data_offsets": [0, 2, 4]}}, "too many values"),
        ({"a": {"dtype": "F4", "shape": [3], "data_offsets": [0, 2]}}, "F4 of shape"),
        ({"a": PAIR, "b": PAIR}, "'b' overlaps the one before it"),
        ({"a": {**PAIR, "data_offsets": [1, 3]}}, "'a' leaves a gap before it: it starts at byte 1, not 0"),
        ({"a": {"dtype": "U8", "shape": [9], "data_offsets": [0, 9]}}, "truncated: 2 of 9 bytes"),
        ({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}, "1 bytes after the last tensor"),
    ],
)
def test_a_wrong_header_is_refused_with_the_reason(table: object, reason: str) -> None:
    with pytest.raises(UnreadableModelError, match=reason):
        parse(table)


def test_shapes_of_astronomic_size_are_refused_at_once() -> None:
    with pytest.raises(UnreadableModelError, match="does not fill"):
        parse({"a": {**PAIR, "shape": [2**63] * 1000}})


def test_a_long_name_or_value_does_not_flood_the_message() -> None:
    with pytest.raises(UnreadableModelError) as refused:
        parse({"a" * 10_000: {**PAIR, "shape": list(range(9999))}})
    assert len(str(refused.value)) < 1000


@pytest.mark.parametrize(
    "table",
    [
        '{"__metadata__":{"a":"b"},"x":%s}',
        '{ "__metadata__" : {"a": "b"} , "x": %s }',
        '{"x":%s,"__metadata__":{"a":"b"}}',
    ],
)
def test_metadata_may_stand_first_or_last_and_with_spaces(table: str) -> None:
    header = parse((table % json.dumps(PAIR)).encode())
    assert (header.metadata, list(header.tensors)) == ({"a": "b"}, ["x"])


def test_metadata_alone_and_metadata_twice_are_no_trap() -> None:
    assert parse({"__metadata__": {"a": "b"}}, b"").metadata == {"a": "b"}
    with pytest.raises(UnreadableModelError):
        parse(b'{"__metadata__":{},"__metadata__":{"a":"b"}}', b"")
    with pytest.raises(UnreadableModelError):
        parse(b'{"__metadata__":{},}', b"")


def test_files_of_one_layout_share_its_table() -> None:
    first, second = (parse({"__metadata__": {"title": title}, "x": PAIR}) for title in "ab")
    assert first.layout is second.layout
    assert (first.metadata, second.metadata) == ({"title": "a"}, {"title": "b"})


def test_metadata_that_is_no_text_is_kept_as_json() -> None:
    assert parse({"__metadata__": {"n": 3, "o": {"p": [1]}}, "a": PAIR}).metadata == {"n": "3", "o": '{"p": [1]}'}
    assert parse({"__metadata__": None, "a": PAIR}).metadata == {}


@pytest.mark.parametrize(("dtype", "bits"), BITS.items())
def test_every_dtype_is_as_wide_as_the_library_says(dtype: str, bits: int) -> None:
    content = pack_header(
        json.dumps({"a": {"dtype": dtype, "shape": [8], "data_offsets": [0, bits]}}).encode()
    ) + bytes(bits)
    deserialize(content)
    assert parse_header(BytesIO(content)).tensors["a"].shape == (8,)


def test_what_torch_and_numpy_save_is_read() -> None:
    dtypes = [
        torch.float16,
        torch.bfloat16,
        torch.float8_e4m3fn,
        torch.float8_e5m2,
        torch.bool,
        torch.int64,
        torch.uint16,
    ]
    tensors = {str(dtype): torch.zeros(2, 3).to(dtype) for dtype in dtypes}
    header = parse_header(BytesIO(save_tensors(tensors, {"format": "pt"})))
    assert header.shapes == dict.fromkeys(map(str, dtypes), (2, 3))
    empty = parse_header(BytesIO(save_arrays({"none": np.zeros((0, 4)), "one": np.array(1.0)})))
    assert empty.shapes == {"none": (0, 4), "one": ()}


def outcome(read: Callable[[bytes], object], content: bytes) -> bool:
    try:
        read(content)
    except (UnreadableModelError, SafetensorError):
        return False
    return True


def is_read(content: bytes) -> bool:
    """Anything but a Header or an UnreadableModelError passes through and fails the test."""
    return outcome(lambda content: parse_header(BytesIO(content)), content)


@given(st.binary(max_size=300))
def test_random_bytes_are_read_or_refused(content: bytes) -> None:
    assert is_read(content) or not outcome(deserialize, content)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 12)
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(list(BITS)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["dtype", "shape", "data_offsets"]) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
entries = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(list(BITS)) | json_values,
        "shape": st.lists(st.integers(-1, 4), max_size=3) | json_values,
        "data_offsets": st.lists(st.integers(-1, 16), min_size=2, max_size=2) | json_values,
    }
)
tables = st.dictionaries(
    st.sampled_from(["a", "b", "__metadata__"]) | st.text(max_size=3), entries | json_values, max_size=3
)


@given(tables, st.binary(max_size=16))
def test_random_tables_are_read_whenever_the_library_reads_them(table: dict[str, object], data: bytes) -> None:
    content = pack_header(json.dumps(table).encode()) + data
    assert is_read(content) or not outcome(deserialize, content)


@st.composite
def valid_files(draw: st.DrawFn) -> bytes:
    dtypes = [np.uint8, np.float16, np.float32, np.int64, np.bool_]
    shapes = st.lists(st.integers(0, 3), max_size=3).map(tuple)
    arrays = st.builds(np.zeros, shapes, st.sampled_from(dtypes))
    names = st.text(max_size=8).filter(lambda name: name != "__metadata__")
    metadata = draw(st.none() | st.dictionaries(st.text(max_size=4), st.text(max_size=4), min_size=1, max_size=2))
    return save_arrays(draw(st.dictionaries(names, arrays, max_size=4)), metadata)


@given(valid_files())
def test_whatever_the_library_writes_is_read_with_its_shapes(content: bytes) -> None:
    header = parse_header(BytesIO(content))
    assert header.shapes == {name: tuple(tensor["shape"]) for name, tensor in deserialize(content)}


@given(valid_files(), st.data())
def test_a_damaged_file_is_read_whenever_the_library_reads_it(content: bytes, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content = content[:place] + data.draw(st.binary(max_size=3)) + content[place + data.draw(st.integers(0, 3)) :]
    assert is_read(content) or not outcome(deserialize, content)
