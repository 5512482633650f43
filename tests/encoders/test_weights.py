"""Where weights are looked for, in which order, and what is said when they are nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests
import torch

from modelsearch_core.encoders import weights
from modelsearch_core.encoders.weights import Weights, find, weights_file
from modelsearch_core.errors import MissingWeightsError
from modelsearch_core.places import home
from tests.encoders.test_downloading import CONTENT, Server, server  # noqa: F401  # a fixture

WANTED = Weights(
    own_name="edges",
    repository="somebody/edges",
    files=("edges_v1.safetensors", "edges_v1.pth"),
    size=29_000_000,
    host_folders=("extensions/sketches/downloads",),
    known_by_file=True,
)


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (weights.VARIABLE, weights.ENDPOINT_VARIABLE, weights.OFFLINE_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("MODELSEARCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "torch"))
    monkeypatch.chdir(tmp_path)


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_places_are_searched_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path / "mine"))
    in_cache = put(tmp_path / "hub" / "edges_v1.safetensors")
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda _, file: str(tmp_path / "hub" / file))
    places = [
        put(tmp_path / "given" / "edges.safetensors"),
        put(tmp_path / "mine" / "edges.safetensors"),
        put(home() / "weights" / "edges.safetensors"),
        put(tmp_path / "extensions/sketches/downloads/edges_v1.pth"),
    ]
    for place in places:
        assert find(WANTED, [tmp_path / "given"]) == place
        place.unlink()
    assert find(WANTED, [tmp_path / "given"]) == in_cache


def test_torchs_own_cache_comes_last(tmp_path: Path):
    assert find(WANTED) is None
    there = put(tmp_path / "torch" / "checkpoints" / "edges_v1.pth")
    assert find(WANTED) == there


def test_the_folder_of_the_host_that_holds_this_library_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    module = tmp_path / "host" / "custom_nodes" / "model-search" / "modelsearch_core" / "encoders" / "weights.py"
    monkeypatch.setattr(weights, "__file__", str(module))
    assert weights.host_roots() == [tmp_path / "host", tmp_path]


def test_a_name_that_many_weights_have_finds_nothing(tmp_path: Path):
    shared = Weights(own_name="clip-a", repository="a/a", files=("open_clip_model.safetensors",))
    put(home() / "weights" / "open_clip_model.safetensors")
    assert find(shared) is None
    assert find(shared, [tmp_path]) is None


def test_one_download_and_it_is_found(server: Server, monkeypatch: pytest.MonkeyPatch):  # noqa: F811
    server.hub = False
    monkeypatch.setenv(weights.ENDPOINT_VARIABLE, server.url)
    file = weights_file(WANTED)
    assert file == home() / "weights" / "edges.safetensors"
    assert file.read_bytes() == CONTENT
    assert server.asked[0] == "HEAD /somebody/edges/resolve/main/edges_v1.safetensors"
    server.asked.clear()
    assert weights_file(WANTED) == file
    assert server.asked == []


def test_the_next_file_is_tried_where_the_first_is_not_published(monkeypatch: pytest.MonkeyPatch):
    asked: list[tuple[str, Path]] = []

    def download(url: str, target: Path, **_: Any) -> Path:
        asked.append((url.rpartition("/")[2], target))
        if url.endswith(".safetensors"):
            raise weights.DownloadError("answers 404", not_there=True)
        return target

    monkeypatch.setattr(weights, "download", download)
    assert weights_file(WANTED) == home() / "weights" / "edges.pth"
    assert [name for name, _ in asked] == ["edges_v1.safetensors", "edges_v1.pth"]


def test_without_network_the_error_names_file_size_source_and_folder(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(weights.ENDPOINT_VARIABLE, "http://127.0.0.1:1")
    with pytest.raises(MissingWeightsError) as error:
        weights_file(WANTED)
    assert str(error.value) == (
        "the weights edges (about 29 MB) are not on disk: "
        "http://127.0.0.1:1/somebody/edges/resolve/main/edges_v1.safetensors cannot be reached (ConnectionError); "
        "to go on, download http://127.0.0.1:1/somebody/edges/resolve/main/edges_v1.safetensors and put the file at "
        f"{home() / 'weights' / 'edges.safetensors'}, or under the same name into the folder that "
        "MODELSEARCH_WEIGHTS names"
    )


@pytest.mark.parametrize("offline", [True, False])
def test_nothing_is_asked_of_the_network_where_that_is_not_wanted(offline: bool, monkeypatch: pytest.MonkeyPatch):
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(requests, "head", never)
    if offline:
        monkeypatch.setenv(weights.OFFLINE_VARIABLE, "1")
    with pytest.raises(MissingWeightsError, match="forbids" if offline else "not asked for"):
        weights_file(WANTED, may_download=offline)
