"""What a client may send by mistake or on purpose is answered by 4xx, soon, and within a few megabytes."""

from __future__ import annotations

import contextlib
import io
import os
import random
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image, features

from tests.indexing.folders import make_folder
from tests.server.running import running
from tests.server.test_server import BOUNDARY, Client

pytest.importorskip("aiohttp", reason="the server needs aiohttp")

OF_NOTHING = {"the picture is of one colour and shows nothing", "the picture is nothing but noise"}
LONG_NAME = "r" * 243  # with .safetensors as long as a name may be


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("hostile")
    make_folder(folder / "models", ["base checkpoint", "red", "green"])
    os.rename(folder / "models/green.safetensors", folder / f"models/{LONG_NAME}.safetensors")  # noqa: PTH104
    with running("tests.server.colour_server", folder) as address:
        client = Client(address)
        client.indexed()
        yield client


def id_of(client: Client, name: str) -> str:
    return client("GET", f"/modelsearch/models?name={name}")[1]["models"][0]["id"]


def refused(client: Client, method: str, path: str, body: bytes | dict[str, Any] | None = None) -> tuple[int, str]:
    kind = {"Content_Type": "application/json"} if isinstance(body, bytes) else {}
    status, said = client(method, f"/modelsearch/{path}", body, **kind)
    return status, said["error"]


@pytest.mark.parametrize("path", ["search", "index", "check", "models/x/preview"])
@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 100_000, b'{"text": "\\ud800"}', b'{"\\udfff": 1}', b"9" * 5000, b"\xff\xfe{", b"NaN"],
)
def test_a_body_that_is_no_json_object_of_text_is_400(client: Client, path: str, body: bytes):
    assert refused(client, "POST", path, body)[0] == 400


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"action": []}, "action must be one of"),
        ({"action": {}}, "action must be one of"),
        ({"action": "retry", "only": 3}, "only must be a list"),
        ({"action": "retry", "only": [{}]}, "only must be a list"),
        ({"action": "start", "samples": True}, "samples must be a number"),
        ({"action": "folders", "folders": ["\0"]}, "does not exist"),
        ({"action": "folders", "folders": ["x" * 5000]}, "cannot all be paths"),
        ({"action": "folders", "folders": ["~nobody-of-that-name/x"]}, "does not exist"),
    ],
)
def test_a_wrong_order_is_400(client: Client, body: dict[str, Any], message: str):
    status, said = refused(client, "POST", "index", body)
    assert (status, message in said) == (400, True), said


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("models?limit=" + "9" * 5000, 400),
        ("models?offset=-1", 400),
        ("models?limit=%C2%B2", 400),
        ("models?folder=%00", 400),
        ("models/x%00", 400),
        ("duplicates?of=x", 404),
    ],
)
def test_a_wrong_address_is_4xx(client: Client, path: str, status: int):
    assert refused(client, "GET", path)[0] == status


@pytest.mark.parametrize("number", ["100000000000000000000", "9" * 2000, "-1", "²", "0x1", "1e3"])
def test_a_sample_of_no_such_number_is_404(client: Client, number: str):
    red = id_of(client, "red")
    for kind in ("samples", "base", "painted/output"):
        assert refused(client, "GET", f"models/{red}/{kind}/{number_in_path(number)}.webp")[0] == 404


def number_in_path(number: str) -> str:
    return "".join(f"%{byte:02X}" for byte in number.encode())


@pytest.mark.parametrize("number", [10**20, -1, True, "0", None, 1.5])
def test_a_preview_of_no_such_sample_is_400(client: Client, number: object):
    assert refused(client, "POST", f"models/{id_of(client, 'red')}/preview", {"number": number})[0] == 400


def test_a_name_that_is_too_long_for_some_previews_has_one_all_the_same(client: Client):
    long = id_of(client, "rrr")
    assert client("GET", f"/modelsearch/models/{long}")[1]["previews"] == []
    status, said = client("POST", f"/modelsearch/models/{long}/preview", {"number": 0})
    assert (status, said) == (200, {"saved": f"{LONG_NAME}.preview.png"})


def parts(*contents: tuple[str, bytes]) -> bytes:
    head = 'Content-Disposition: form-data; name="{}"; filename="a"\r\n\r\n'
    lines = [f"--{BOUNDARY}\r\n{head.format(name)}".encode() + content + b"\r\n" for name, content in contents]
    return b"".join([*lines, f"--{BOUNDARY}--\r\n".encode()])


def send_form(client: Client, content: bytes, route: str = "search") -> tuple[int, Any]:
    kind = f'multipart/form-data; boundary="{BOUNDARY}"'
    return client("POST", f"/modelsearch/{route}", content, Content_Type=kind)


def test_a_form_of_many_empty_parts_is_413(client: Client):
    status, said = send_form(client, parts(*[("image", b"")] * 5000))
    assert (status, said["error"]) == (413, "a form of more than 64 parts")


def test_all_of_a_form_counts_not_only_its_contents(client: Client):
    """Chunked, so that no length tells beforehand; one part whose head has no end."""
    line = b"X-A: " + b"a" * 4000 + b"\r\n"
    host, _, port = client.netloc.partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(
            f"POST /modelsearch/search HTTP/1.1\r\nHost: {client.netloc}\r\nTransfer-Encoding: chunked\r\n"
            f'Content-Type: multipart/form-data; boundary="{BOUNDARY}"\r\n\r\n'.encode()
        )
        for block in (f"--{BOUNDARY}\r\n".encode(), *[line * 256] * 80):
            with contextlib.suppress(OSError):  # the server may have hung up
                connection.sendall(f"{len(block):x}\r\n".encode() + block + b"\r\n")
        answer = connection.recv(4096)
    assert answer[9:12] in (b"400", b"413")
    assert client("GET", "/modelsearch/status")[0] == 200


@pytest.mark.parametrize("route", ["search", "classifiers/search"])
def test_the_pixels_of_all_pictures_together_are_limited(client: Client, route: str):
    stream = io.BytesIO()
    Image.new("1", (8000, 8000)).save(stream, "PNG")
    status, said = send_form(client, parts(*[("image", stream.getvalue())] * 3), route)
    assert status == 413
    assert said["error"].startswith("the pictures have more than 128 million pixels together")


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow writes no AVIF")
def test_a_damaged_avif_is_415(client: Client):
    stream = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(stream, "AVIF")
    content = stream.getvalue()
    assert send_form(client, parts(("image", content[:-60])))[0] == 415


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow writes no AVIF")
@pytest.mark.parametrize("seed", range(8))
def test_an_avif_of_other_bytes_is_refused_or_a_picture(client: Client, seed: int):
    stream = io.BytesIO()
    Image.radial_gradient("L").resize((64, 64)).save(stream, "AVIF")
    content = stream.getvalue()
    other = random.Random(seed).randbytes(40)
    status, said = send_form(client, parts(("image", content[:-40] + other), ("query", b"{}")))
    # What a decoder makes of such bytes is its own: a picture, one of nothing, or none.
    assert status in (200, 415) or (status == 400 and said["error"].partition(";")[0] in OF_NOTHING), said


def test_a_picture_that_another_program_would_have_to_run_is_415(client: Client):
    assert send_form(client, parts(("image", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")))[0] == 415
