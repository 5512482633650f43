"""The panel's answers on the colour world."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelsearch_core import pairs
from modelsearch_core.catalog import Catalog
from modelsearch_core.catalog.weight_sketches import VERSION, Sketch
from modelsearch_core.errors import ModelSearchError
from modelsearch_core.indexing import IndexSettings, index
from modelsearch_core.panel import ROUTES, Panel, Request, answer, previews
from modelsearch_core.panel.explanations import Explanations, without
from modelsearch_core.panel.figures import rounded
from modelsearch_core.panel.queries import Search
from tests.indexing.folders import make_folder
from tests.making.fakes import ColourEncoder
from tests.panel.conftest import NAMES, ColourHost, colour_engine


def ask(panel: Panel, method: str, route_path: str, **request: Any) -> tuple[int, Any]:
    """A route by the address that it is mounted at."""
    (route,) = [route for route in ROUTES if (route.method, route.path) == (method, route_path)]
    reply = answer(panel, route, Request(**request))
    return reply.status, json.loads(reply.content) if reply.content_type == "application/json" else reply.content


def names(answer: dict[str, Any]) -> list[str]:
    return [match["name"] for match in answer["matches"]]


def id_of(panel: Panel, name: str) -> str:
    return next(model["id"] for model in panel.models({"limit": "500"})["models"] if model["name"] == name)


@pytest.mark.parametrize("colour", ["red", "green", "blue"])
def test_a_text_and_a_picture_find_the_model_that_paints_it(panel: Panel, png: Callable[[str], bytes], colour: str):
    assert names(panel.search({"text": [colour]}, {}))[0] == colour
    assert names(panel.search({}, {"image": [png(colour)]}))[0] == colour


def test_chips_work_together(panel: Panel, png: Callable[[str], bytes]):
    assert names(panel.search({"text": ["red", "blue"]}, {}))[0] == "red blue"
    without = names(panel.search({"text": ["red"]}, {"without": [png("blue")]}))
    assert without.index("red") < without.index("red blue")
    assert "red" not in names(panel.search({"like": [id_of(panel, "red")]}, {}))


def test_a_match_carries_what_the_host_calls_it(panel: Panel):
    match = panel.search({"text": ["yellow"], "k": 1}, {})["matches"][0]
    assert match["listed"] == {"name": "yellow.safetensors", "kind": "lora"}
    assert match["evidence"] == "generated"
    assert panel.sample(match["id"], match["thumbnails"][0])[:4] == b"RIFF"


def test_a_search_goes_on_where_a_model_has_fewer_pictures_than_when_the_catalog_was_read(
    folder: Path, png: Callable[[str], bytes]
):
    panel = Panel(folder / "catalog.sqlite", ColourHost(folder))
    panel.warm()
    with Catalog(folder / "catalog.sqlite") as catalog, panel.library.reading() as snapshot:
        whole = snapshot.index.collection.specification(snapshot.index.collection.row_of[id_of(panel, "red")])
        catalog.put_specification(replace(whole, Z=whole.Z[:2], numbers=whole.numbers[:2], drawings=None))
    before = panel.library.newest().serial
    found = panel.search({}, {"image": [png("red")]})
    assert names(found)[0] == "red" and found["serial"] == before + 1
    panel.close()


def test_an_answer_says_five_digits_of_each_number(panel: Panel):
    status, found = ask(panel, "POST", "search", body={"text": ["yellow", "red"]})
    assert status == 200
    with panel.library.reading() as snapshot:
        exactly = [match.to_json() for match in Search.read({"text": ["yellow", "red"]}, {}).run(snapshot.index)]
    assert [match["score"] for match in found["matches"]] == [float(f"{match['score']:.5g}") for match in exactly]
    assert found["matches"][0]["score"] != exactly[0]["score"]
    for match, exact in zip(found["matches"], exactly, strict=True):
        said = match["explanation"]
        assert sum(part["contribution"] for part in said) == pytest.approx(match["score"], abs=1e-3)
        assert [part["nearest"] for part in said] == [rounded(part["nearest"]) for part in exact["explanation"]]
        assert match["thumbnails"] == exact["thumbnails"] and match["rank"] == exact["rank"]


def test_a_text_that_asks_for_nothing_is_refused_before_the_encoder_is_opened(indexed: Path):
    host = ColourHost(indexed)
    panel = Panel(indexed / "catalog.sqlite", host)
    assert ask(panel, "POST", "search", body={"text": ["red", "..."]})[0] == 400
    assert host.opened == []
    assert ask(panel, "POST", "search", body={"text": ["red"]})[0] == 200
    assert host.opened == ["colours"]
    panel.close()


def test_what_a_list_does_not_show_comes_with_the_model(panel: Panel):
    whole = panel.search({"text": ["yellow"]}, {})
    short = panel.search({"text": ["yellow"], "explained": False}, {})
    assert "answer" not in whole and names(short) == names(whole)
    assert [match["explanation"] for match in short["matches"]] == [[]] * len(short["matches"])
    assert len(json.dumps(short)) < 0.6 * len(json.dumps(whole))
    for match in whole["matches"]:
        _, model = ask(panel, "GET", "models/{id}", path={"id": match["id"]}, query={"answer": short["answer"]})
        assert model["explanation"] == match["explanation"] != []
        _, model = ask(panel, "GET", "models/{id}", path={"id": match["id"]})
        assert "explanation" not in model


def test_explanations_are_kept_of_the_last_answers(panel: Panel):
    kept, told = Explanations(most=2), Search.read({"text": ["red"], "k": 2}, {})
    with panel.library.reading() as snapshot:
        a, b = told.run(snapshot.index)
    first, second, third = kept.keep([a, b]), kept.keep([a, b]), kept.keep([b])
    assert without([a])[0].explanation == () and without([a])[0].score == a.score
    assert kept.of(first, a.id) == kept.of("", a.id) == kept.of(third, a.id) == {}
    assert kept.of(second, a.id) == {"explanation": rounded(a.to_json()["explanation"])}
    assert kept.of(third, b.id)["explanation"][0]["label"] == "red"


def test_figures_are_rounded_and_nothing_else_is():
    value = {"a": [1.23456789, 123456789, True, None], "b": {"c": -0.000123456789, "d": "1.23456789"}}
    assert rounded(value) == {"a": [1.2346, 123456789, True, None], "b": {"c": -0.00012346, "d": "1.23456789"}}
    assert rounded({"score": float("inf")}) == {"score": float("inf")}


def test_a_model_of_two_files_carries_both_names_whichever_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, png: Callable[[str], bytes]
):
    monkeypatch.setattr(pairs, "PAIRED", ("sd15",))
    make_folder(tmp_path / "models", ["red high_noise", "red low_noise", "blue", "base checkpoint"])
    with Catalog(tmp_path / "catalog.sqlite") as catalog:
        index(catalog, [tmp_path / "models"], colour_engine(), IndexSettings(samples=8))
    panel = Panel(tmp_path / "catalog.sqlite", ColourHost(tmp_path))
    both = {"high": "red high_noise.safetensors", "low": "red low_noise.safetensors"}
    answers = [
        panel.search({}, {"image": [png("red")]}),
        panel.search({"k": 1}, {"image": [png("red")]}),
        panel.models({}),
    ]
    found = [answer["matches"][0] for answer in answers[:2]]
    found += [model for model in answers[2]["models"] if model["name"].startswith("red")]
    assert [model["listed"]["halves"] for model in found] == [both] * 3
    assert not any("halves" in match["listed"] for match in answers[0]["matches"][1:])
    panel.close()


def test_filters_leave_only_what_they_name(panel: Panel, indexed: Path):
    assert set(names(panel.search({"text": ["red"], "kind": "checkpoint"}, {}))) == {NAMES[0], NAMES[1]}
    assert panel.search({"text": ["red"], "architecture": "flux"}, {})["matches"] == []
    assert panel.search({"text": ["red"], "folder": str(indexed / "elsewhere")}, {})["matches"] == []
    assert len(panel.search({"text": ["red"], "folder": str(indexed)}, {})["matches"]) == len(NAMES)


def test_a_text_that_names_models_lists_them_besides(panel: Panel):
    named = [model["name"] for model in panel.search({"text": ["RED"]}, {})["named"]]
    assert named == ["red", "red blue"]
    assert panel.search({"text": ["nobody's"]}, {})["named"] == []


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({}, 400, "needs a text"),
        ({"text": 3}, 400, "text must be a text"),
        ({"text": ["..."]}, 400, "the text '...' has no words; write some"),
        ({"without": ["red"]}, 400, "add a text, an image, a sketch or a model that is wanted"),
        ({"text": ["a"], "k": 100_000}, 400, "k must be a number from 1 to 500"),
        ({"text": ["a"], "kind": "vae"}, 400, "kind must be one of checkpoint, lora"),
        ({"text": ["a"], "method": "magic"}, 400, "method must be one of auto"),
        ({"text": ["a"], "weights": [1, 2]}, 400, "2 weights for 1 inputs"),
        ({"text": ["a"], "weights": ["much"]}, 400, "weights must be a list of numbers"),
        ({"like": ["no such"]}, 404, "no model of the index"),
    ],
)
def test_a_search_that_is_none_is_refused_with_the_reason(
    panel: Panel, body: dict[str, Any], status: int, message: str
):
    got, said = ask(panel, "POST", "search", body=body)
    assert got == status
    assert message in said["error"]


def test_browsing_goes_page_by_page(panel: Panel):
    first = panel.models({"limit": "3"})
    rest = panel.models({"limit": "500", "offset": "3"})
    assert first["total"] == rest["total"] == len(NAMES)
    shown = [model["name"] for model in first["models"] + rest["models"]]
    assert shown == sorted(NAMES)
    assert [m["name"] for m in panel.models({"name": "Blue RED"})["models"]] == ["red blue"]
    assert [m["kind"] for m in panel.models({"kind": "checkpoint"})["models"]] == ["checkpoint"] * 2


@pytest.mark.parametrize("query", [{"limit": "many"}, {"offset": "-1"}, {"sort": "luck"}])
def test_a_page_that_is_none_is_refused(panel: Panel, query: dict[str, str]):
    assert ask(panel, "GET", "models", query=query)[0] == 400


def test_of_two_words_both_must_stand_in_a_name(panel: Panel):
    named = [model["name"] for model in panel.search({"text": ["blue red"]}, {})["named"]]
    assert named == ["red blue"]
    assert {model["name"] for model in panel.search({"text": ["blue"]}, {})["named"]} == {"blue", "red blue"}


def test_a_text_is_encoded_while_others_have_their_turn(panel: Panel, monkeypatch: pytest.MonkeyPatch):
    is_encoded, answers = threading.Event(), list[dict[str, Any]]()
    encode = ColourEncoder.encode_texts

    def watched(encoder: ColourEncoder, texts: Sequence[str]) -> Any:
        found = encode(encoder, texts)
        is_encoded.set()
        return found

    monkeypatch.setattr(ColourEncoder, "encode_texts", watched)
    with panel.library.reading():
        asking = threading.Thread(target=lambda: answers.append(panel.search({"text": ["yellow and more"]}, {})))
        asking.start()
        assert is_encoded.wait(30)
        assert not answers
    asking.join()
    assert names(answers[0])[0] == "yellow"


def test_a_model_is_shown_beside_its_base(panel: Panel):
    shown = panel.model(id_of(panel, "red"))
    numbers = [sample["number"] for sample in shown["samples_shown"]]
    assert numbers == shown["base_numbers"] == list(range(8))
    assert all(sample["prompt"] for sample in shown["samples_shown"])
    assert shown["base_name"] == "base checkpoint"
    assert panel.base_sample(shown["id"], 0) != panel.sample(shown["id"], 0)
    assert panel.model(id_of(panel, "green"))["copies"]


def test_what_a_model_is_can_be_said_by_hand(folder: Path):
    panel = Panel(folder / "catalog.sqlite", ColourHost(folder))
    red, route = id_of(panel, "red"), "models/{id}/by_hand"
    status, told = ask(panel, "GET", route, path={"id": red})
    assert (status, told["set"]) == (200, {}) and "sdxl" in told["architectures"]
    assert [base["name"] for base in told["bases"]] == ["base checkpoint.safetensors", "second checkpoint.safetensors"]
    values = {"base": told["bases"][1]["path"], "trigger_words": "ohwx, hat"}
    status, told = ask(panel, "POST", route, path={"id": red}, body=values)
    assert (status, told["set"]) == (200, {"base": values["base"], "trigger_words": ["ohwx", "hat"]})
    model = panel.model(red)
    assert (model["trigger_words"], model["by_hand"]) == (["ohwx", "hat"], told["set"])
    assert ask(panel, "POST", route, path={"id": red}, body={"architecture": "sd9"})[0] == 400
    assert ask(panel, "POST", route, path={"id": "gone"}, body={})[0] == 404
    assert ask(panel, "POST", route, path={"id": red}, body=dict.fromkeys(values))[1]["set"] == {}
    checkpoint = id_of(panel, "base checkpoint")
    assert ask(panel, "GET", route, path={"id": checkpoint})[1]["bases"] == []
    panel.close()


def test_a_lora_that_changes_pictures_is_not_said_to_have_no_effect(panel: Panel):
    assert panel.model(id_of(panel, "red"))["no_effect"] is False


def test_what_is_not_in_the_catalog_is_not_served(panel: Panel):
    red = id_of(panel, "red")
    for path, names in (
        ("models/{id}", {"id": "../../etc/passwd"}),
        ("models/{id}/samples/{number}.webp", {"id": red, "number": "999"}),
        ("models/{id}/samples/{number}.webp", {"id": red, "number": "x"}),
        ("models/{id}/base/{number}.webp", {"id": id_of(panel, "base checkpoint"), "number": "0"}),
        ("panel/{name:path}", {"name": "../pyproject.toml"}),
        ("panel/{name:path}", {"name": "/etc/passwd"}),
        ("panel/{name:path}", {"name": "docs"}),
    ):
        assert ask(panel, "GET", path, path=names)[0] == 404, names


def test_the_panels_own_files_are_served(panel: Panel):
    status, content = ask(panel, "GET", "panel/{name:path}", path={"name": "panel.mjs"})
    assert status == 200
    assert b"mountPanel" in content


def test_the_status_counts_what_there_is(panel: Panel, indexed: Path):
    status = panel.status()
    assert status["models"] == len(NAMES)
    assert status["kinds"] == {"lora": 6, "checkpoint": 2}
    assert status["evidence"] == {"generated": 7, "metadata": 1}
    assert status["failed"] == 1
    assert status["folders"] == [{"path": str(indexed / "models"), "label": "models", "models": len(NAMES)}]
    json.dumps(status)


def test_failures_and_skipped_files_come_with_their_reasons(panel: Panel):
    troubles = panel.indexing()
    assert [(f["name"], f["reason"]) for f in troubles["failures"]] == [("broken pink", "broken pink paints black")]
    assert troubles["skipped_total"] == 1
    assert "a text, not a model" in troubles["skipped"][0]["reason"]


def test_copies_are_duplicates(panel: Panel):
    found = panel.duplicates()
    assert [len(group["paths"]) for group in found["exact"]] == [2]
    green = id_of(panel, "green")
    assert panel.duplicates(green)["exact"][0]["model"]["id"] == green
    assert panel.duplicates(id_of(panel, "red"))["exact"] == []


def test_lora_that_are_kin_by_their_weights_are_told_of_each_of_them(folder: Path):
    panel = Panel(folder / "catalog.sqlite", ColourHost(folder))
    red, blue, both, pink = (id_of(panel, name) for name in ("red", "blue", "red blue", "broken pink"))
    a, b = np.eye(2, 64, dtype=np.float32) * 2
    with Catalog(folder / "catalog.sqlite") as catalog:
        for id, s in ((red, a), (blue, b), (both, 0.7 * a + 0.5 * b), (pink, 0.5 * b)):
            catalog.sketches.put(id, VERSION, Sketch(("layer",), s[None]))
    found = panel.duplicates(both)
    (merge,) = found["merges"]
    parts = {merge["a"]["id"]: merge["alpha"], merge["b"]["id"]: merge["beta"]}
    assert merge["merged"]["id"] == both
    assert parts[red] == pytest.approx(0.7, abs=0.01)
    assert found["by_weights"] == []
    (weaker,) = panel.duplicates(blue)["by_weights"]
    assert (weaker["kinship"], weaker["ratio"], weaker["a"]["id"]) == ("scaled", 2, pink)
    panel.close()


def test_a_dora_that_is_compared_without_its_magnitudes_says_so(folder: Path):
    panel = Panel(folder / "catalog.sqlite", ColourHost(folder))
    red, blue = id_of(panel, "red"), id_of(panel, "blue")
    with Catalog(folder / "catalog.sqlite") as catalog:
        for id, layers in ((red, 3), (blue, 0)):
            catalog.sketches.put(id, VERSION, Sketch(("layer",), np.ones((1, 64), np.float32), "", layers))
    assert [each["model"]["id"] for each in panel.duplicates(red)["without_magnitude"]] == [red]
    assert panel.duplicates(blue)["without_magnitude"] == []
    panel.close()


def test_the_map_has_every_model_once_and_is_kept(panel: Panel):
    status, found = ask(panel, "GET", "map")
    assert status == 200
    assert sorted(place["name"] for place in found["places"]) == sorted(NAMES)
    assert 0 < found["share"] <= 1
    shown = {place["name"]: place for place in found["places"]}
    assert shown["broken pink"]["picture"] is None
    assert panel.sample(shown["red"]["id"], shown["red"]["picture"])[:4] == b"RIFF"
    assert panel.map() is panel.map()


def checked(panel: Panel) -> dict[str, Any]:
    until = time.monotonic() + 60
    while (state := ask(panel, "GET", "check")[1])["state"] == "running":
        assert time.monotonic() < until
        time.sleep(0.05)
    return state


def test_the_index_is_checked_in_the_background(panel: Panel):
    assert ask(panel, "GET", "check") == (200, {"state": "idle"})
    assert ask(panel, "POST", "check")[1]["state"] in ("running", "done")
    result = checked(panel)["result"]
    assert {model["name"] for model in result["models"]} == set(NAMES)
    assert result["models"][0]["name"] == "broken pink"
    assert "broken pink paints black" in result["models"][0]["advice"]
    assert result["methods"][0]["method"] == "auto"


def test_a_check_that_cannot_be_made_says_why(tmp_path: Path):
    panel = Panel(tmp_path / "none.sqlite", ColourHost(tmp_path))
    ask(panel, "POST", "check")
    state = checked(panel)
    assert state["state"] == "failed"
    assert "there is no catalog at" in state["message"]


def test_without_a_catalog_it_says_how_to_get_one(tmp_path: Path):
    panel = Panel(tmp_path / "none.sqlite", ColourHost(tmp_path))
    status, said = ask(panel, "POST", "search", body={"text": ["red"]})
    assert (status, said["empty"]) == (409, True)
    assert "there is no catalog at" in said["error"]
    assert said["error"].endswith("press Index now in the Index view")
    assert ask(panel, "GET", "map") == (200, {"method": "pca", "share": None, "places": [], "serial": 0})
    assert panel.status()["models"] == 0


def test_a_bug_becomes_a_message(panel: Panel, monkeypatch: pytest.MonkeyPatch):
    def broken() -> None:
        raise ZeroDivisionError("nought")

    monkeypatch.setattr(panel, "status", broken)
    assert ask(panel, "GET", "status") == (500, {"error": "ZeroDivisionError: nought"})


def test_the_encoder_is_opened_once(indexed: Path):
    host = ColourHost(indexed)
    panel = Panel(indexed / "catalog.sqlite", host)
    panel.warm()
    for _ in range(3):
        panel.search({"text": ["red"]}, {})
    assert host.opened == ["colours"]


def test_a_changed_catalog_is_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("modelsearch_core.panel.library.SHORTEST", 0.0)
    monkeypatch.setattr("modelsearch_core.panel.library.PATIENCE", 0.0)
    panel = Panel(folder / "catalog.sqlite", ColourHost(folder))
    red = id_of(panel, "red")
    with Catalog(folder / "catalog.sqlite") as catalog:
        catalog.forget(red)
    assert "red" not in names(panel.search({"text": ["red"]}, {}))
    assert ask(panel, "GET", "models/{id}", path={"id": red})[0] == 404


def test_many_threads_get_the_same_answers(panel: Panel):
    found: list[str] = []

    def work(colour: str) -> None:
        for _ in range(5):
            match = panel.search({"text": [colour]}, {})["matches"][0]
            panel.sample(match["id"], match["thumbnails"][0])
            panel.status()
            found.append(f"{colour}={match['name']}")

    threads = [threading.Thread(target=work, args=(colour,)) for colour in ("red", "green", "blue", "yellow") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40
    assert set(found) == {f"{colour}={colour}" for colour in ("red", "green", "blue", "yellow")}


def test_a_preview_is_saved_once_and_replaced_only_on_request(folder: Path):
    panel = Panel(folder / "catalog.sqlite", ColourHost(folder))
    red = id_of(panel, "red")
    assert panel.save_preview(red, {"number": 0}) == {"saved": "red.preview.png"}
    target = folder / "models" / "red.preview.png"
    before = target.read_bytes()
    status, said = ask(panel, "POST", "models/{id}/preview", path={"id": red}, body={"number": 1})
    assert (status, said["exists"]) == (409, "red.preview.png")
    assert target.read_bytes() == before
    panel.save_preview(red, {"number": 1, "replace": True})
    assert target.read_bytes() != before
    assert panel.model(red)["previews"] == ["red.preview.png"]


def test_models_without_a_preview_get_one_and_others_keep_theirs(folder: Path):
    panel = Panel(folder / "catalog.sqlite", ColourHost(folder))
    own = folder / "models" / "red.jpg"
    own.write_bytes(b"a picture of the user's")
    made = len(NAMES) - 2  # the broken one has no picture to give
    assert ask(panel, "POST", "previews", body={"dry": True}) == (200, {"missing": made})
    assert panel.save_previews({}) == {"saved": made, "failed": []}
    assert (folder / "models" / "blue.preview.png").read_bytes()[:4] == b"\x89PNG"
    assert not (folder / "models" / "red.preview.png").exists()
    assert panel.save_previews({"dry": True}) == {"missing": 0}


def test_a_preview_of_another_form_stays(folder: Path):
    own = folder / "models" / "red.png"
    own.write_bytes(b"mine")
    panel = Panel(folder / "catalog.sqlite", ColourHost(folder))
    content = panel.sample(id_of(panel, "red"), 0)
    with pytest.raises(ModelSearchError, match=r"red\.png"):
        previews.save(folder / "models" / "red.safetensors", content, replace=False)
    previews.save(folder / "models" / "red.safetensors", content, replace=True)
    assert own.read_bytes() == b"mine"
