"""A host that asks another machine's server in place of its own index: a real server, a real answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.errors import ModelSearchError
from modelsearch_core.indexing import IndexSettings, Report, silent, update_files
from modelsearch_core.panel import ROUTES, Panel, Reply, Request, answer
from modelsearch_core.panel.refusals import RefusedError
from modelsearch_core.panel.search_server import FORWARDED, KEPT_THERE, SearchServer, match_from_json
from modelsearch_core.search import Filters, Match, Query
from modelsearch_core.specification import Evidence
from tests.indexing.folders import make_folder
from tests.making.fakes import ColourGenerator, model_file
from tests.panel.conftest import ColourHost
from tests.server.running import running
from tests.server.test_server import Client, png

ROUTE = {(route.method, route.path): route for route in ROUTES}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("studio")
    make_folder(folder / "models", ["base checkpoint", "red", "green", "blue"])
    with running("tests.server.colour_server", folder) as address:
        Client(address).indexed()
        yield address.rstrip("/")


@pytest.fixture
def artist(served: str, tmp_path: Path) -> Iterator[Panel]:
    """Another folder with two of these models, one of them in a folder below; nothing is indexed there."""
    make_folder(tmp_path / "models", ["base checkpoint"])
    make_folder(tmp_path / "models" / "own", ["red"])
    with Catalog(tmp_path / "catalog.sqlite") as catalog:
        update_files(catalog, [tmp_path / "models"], IndexSettings(), Report(), silent)
    panel = Panel(tmp_path / "catalog.sqlite", ColourHost(tmp_path), lambda: served)
    yield panel
    panel.close()


def asked(panel: Panel, method: str, route: str, **request: Any) -> Reply:
    return answer(panel, ROUTE[method, route], Request(**request))


def told(reply: Reply) -> dict[str, Any]:
    assert reply.status == 200, reply.content
    return json.loads(reply.content)


def test_a_search_is_answered_by_the_other_machine_in_this_ones_names(artist: Panel, tmp_path: Path):
    matches = told(asked(artist, "POST", "search", body={"text": "red"}))["matches"]
    assert len(matches) == 4
    assert matches[0]["name"] == "red"
    assert matches[0]["path"] == str(tmp_path / "models" / "own" / "red.safetensors")
    green = next(match for match in matches if match["name"] == "green")
    assert green["listed"] == {}
    assert not green["path"].startswith(str(tmp_path))


def test_pictures_that_ask_are_handed_on(artist: Panel):
    pictures = {"image": [png("green")]}
    matches = told(asked(artist, "POST", "search", body={"k": 2}, pictures=pictures))["matches"]
    assert [match["rank"] for match in matches] == [1, 2]
    assert matches[0]["name"] == "green"


def test_models_their_samples_and_the_status_are_the_other_machines(artist: Panel, served: str):
    status = told(asked(artist, "GET", "status"))
    assert (status["models"], status["search_server"]) == (4, served)
    id = told(asked(artist, "GET", "models"))["models"][0]["id"]
    shown = told(asked(artist, "GET", "models/{id}", path={"id": id}))["samples_shown"]
    picture = asked(
        artist, "GET", "models/{id}/samples/{number}.webp", path={"id": id, "number": str(shown[0]["number"])}
    )
    assert (picture.status, picture.content_type, picture.content[:4]) == (200, "image/webp", b"RIFF")


def test_what_changes_that_index_is_refused_and_ones_own_run_is_not(artist: Panel, served: str):
    refused = asked(artist, "POST", "models/{id}/by_hand", path={"id": "x"}, body={"architecture": "sdxl"})
    assert refused.status == 403
    assert served in json.loads(refused.content)["error"]
    own = told(asked(artist, "GET", "index"))
    assert own["search_server"] == served
    assert own["progress"]["state"] == "idle"


def test_every_route_is_known_to_be_here_or_there():
    assert ROUTE.keys() >= FORWARDED | KEPT_THERE


def test_a_refusal_of_the_other_machine_comes_through(artist: Panel):
    refused = asked(artist, "POST", "search", body={"text": "red", "method": "magic"})
    assert refused.status == 400
    assert "method must be one of" in json.loads(refused.content)["error"]


def test_a_server_that_is_not_there_is_named_without_its_token(tmp_path: Path):
    panel = Panel(tmp_path / "c.sqlite", ColourHost(tmp_path), lambda: "http://127.0.0.1:9/?token=secret")
    refused = asked(panel, "POST", "search", body={"text": "red"})
    assert refused.status == 502
    error = json.loads(refused.content)["error"]
    assert error.startswith("the search server http://127.0.0.1:9 does not answer")
    assert "secret" not in error


@pytest.mark.parametrize("address", ["nas:8189", "ftp://nas", "http://", "http://nas:port", "file:///etc/passwd"])
def test_what_is_no_address_is_refused_with_an_example(tmp_path: Path, address: str):
    with pytest.raises(
        ModelSearchError,
        match="is no address of a search server, which begins with http:// or https://, as in http://nas",
    ):
        SearchServer(address)
    panel = Panel(tmp_path / "c.sqlite", ColourHost(tmp_path), lambda: address)
    assert asked(panel, "POST", "search", body={"text": "red"}).status == 400
    assert told(asked(panel, "GET", "index"))["search_server"] == ""


@pytest.mark.parametrize(
    ("address", "secret"),
    [
        ("http://nas:8189/?token=a%2Bb", "a+b"),
        ("https://:pass@studio.example", "pass"),
        ("http://[::1]:8189/below/?token=x", "x"),
    ],
)
def test_tokens_and_passwords_are_read_from_the_address_and_not_shown(address: str, secret: str):
    server = SearchServer(address)
    assert server._secret == secret
    assert secret not in server.address.removeprefix("http")


def test_nodes_ask_for_matches_and_pictures(served: str):
    server = SearchServer(served)
    matches = server.search(Query(text=["blue"]), filters=Filters(kind="lora"), k=2)
    assert matches[0].name == "blue"
    picture = server.sample(matches[0].id, matches[0].thumbnails[0])
    assert picture is not None
    assert picture.mode == "RGB"
    assert server.sample("nobody", 0) is None
    with_picture = Query(images=[ColourGenerator(size=32).paint(model_file("green"), 3)])
    assert server.search(with_picture, filters=Filters(kind="lora"), k=1)[0].name == "green"


def test_a_match_is_the_same_on_both_sides():
    numbers = {"rank": 3, "score": 1.5, "relevance": 0.25, "confidence": 0.75, "deviation": 0.5, "strength": 0.6}
    words = {"id": "f", "name": "n", "title": "t", "kind": "lora", "architecture": "sdxl"}
    match = Match(
        **numbers,
        **words,
        variant="v",
        lineage="l",
        path=Path("models/n.safetensors"),
        copies=(Path("models/n.safetensors"), Path("more/n.safetensors")),
        weak=True,
        evidence=Evidence.PREVIEW,
        guessed=True,
        trigger_words=("a", "b"),
        samples=8,
        users_pictures=5,
        thumbnails=(4, 2),
    )
    assert match_from_json(json.loads(json.dumps(match.to_json()))) == match


def test_who_is_no_search_server_is_told(served: str):
    with pytest.raises(RefusedError, match="is no search server: it answered 404"):
        SearchServer(f"{served}/elsewhere").json("GET", "status")
