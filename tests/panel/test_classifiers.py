"""What a browser asks about classifiers, without a server."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from modelsearch_core.catalog import Catalog
from modelsearch_core.classifiers import ProbeSettings, index_classifiers
from modelsearch_core.panel.classifiers import ClassifierSearch
from modelsearch_core.panel.probing_job import ProbingJob
from modelsearch_core.panel.refusals import RefusedError
from tests.making import classifiers as making
from tests.making.fakes import NAMES, ColourEncoder


def indexed(tmp_path: Path, models: Path) -> None:
    with Catalog(tmp_path / "catalog.sqlite") as catalog:
        probes = None if catalog.setting("classifier_probes") else making.probe_pictures(tmp_path / "probes")
        index_classifiers(catalog, [models], ColourEncoder(), "colours", ProbeSettings(probes=probes))


def opened_on(tmp_path: Path) -> ClassifierSearch:
    """Of a host that lists what lies in `models` by its file's name."""
    listed = {tmp_path / "models" / "v3_best.onnx": {"name": "v3_best.onnx"}}
    return ClassifierSearch(
        tmp_path / "catalog.sqlite", lambda _: ColourEncoder(), lambda path, _: listed.get(path, {})
    )


@pytest.fixture
def panel(tmp_path: Path) -> ClassifierSearch:
    making.detector(tmp_path / "models" / "v3_best.onnx", NAMES)
    indexed(tmp_path, tmp_path / "models")
    return opened_on(tmp_path)


def test_a_word_is_answered_with_an_output_and_its_pictures(panel: ClassifierSearch):
    best = panel.search({"text": "pink"}, {})["matches"][0]
    assert (best["name"], best["output"], best["label"]) == ("v3_best", NAMES.index("pink"), "pink")
    with Image.open(io.BytesIO(panel.probe(best["probes"][0]))) as picture:
        assert (picture.format, picture.size) == ("WEBP", (256, 256))
    assert best["listed"] == {"name": "v3_best.onnx"}
    model = panel.model(best["id"])
    assert [one["label"] for one in model["each"]] == NAMES
    assert model["agreement"] == pytest.approx(1, abs=0.1)
    assert model["set"] == panel.models()["set"]


def test_all_are_listed_with_what_the_host_calls_them(panel: ClassifierSearch, tmp_path: Path):
    making.classifier(tmp_path / "models" / "second.onnx", NAMES)
    indexed(tmp_path, tmp_path / "models")
    told = panel.models()
    assert [(m["name"], m["kind"], m["outputs"], m["listed"].get("name")) for m in told["models"]] == [
        ("second", "classifier", len(NAMES), None),
        ("v3_best", "detector", len(NAMES), "v3_best.onnx"),
    ]
    assert (told["outputs"], told["probes"]) == (2 * len(NAMES), 120)


def test_it_says_how_often_a_label_finds_its_output(panel: ClassifierSearch):
    n = len(NAMES)
    assert panel.trust() == {"asked": n, "outputs": n, "top1": 1.0, "top5": 1.0}


def test_a_picture_asks_too(panel: ClassifierSearch):
    buffer = io.BytesIO()
    making.square("blue").save(buffer, "PNG")
    assert panel.search({"k": 1}, {"image": [buffer.getvalue()]})["matches"][0]["output"] == NAMES.index("blue")


def test_what_was_indexed_meanwhile_is_found(panel: ClassifierSearch, tmp_path: Path):
    assert {m["name"] for m in panel.search({"text": "red"}, {})["matches"]} == {"v3_best"}
    making.classifier(tmp_path / "models" / "second.onnx", NAMES)
    indexed(tmp_path, tmp_path / "models")
    assert {m["name"] for m in panel.search({"text": "red"}, {})["matches"]} == {"v3_best", "second"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "needs a text or an image"),
        ({"text": "red", "kind": "lora"}, "kind must be classifier or detector, not 'lora'"),
        ({"text": "red", "k": 0}, "k must be a number from 1 to 100, not 0"),
        ({"text": {"a": 1}}, "text must be a text or a list of texts"),
    ],
)
def test_what_is_no_search_is_refused(panel: ClassifierSearch, body: dict[str, Any], said: str):
    with pytest.raises(RefusedError, match=said):
        panel.search(body, {})


def test_pictures_and_models_that_are_not_there_are_refused(panel: ClassifierSearch):
    with pytest.raises(RefusedError, match="no probe picture 100000"):
        panel.probe(100_000)
    with pytest.raises(RefusedError, match="no longer in the index"):
        panel.model("zzz")


def test_without_classifiers_it_says_how_to_get_some(tmp_path: Path):
    with Catalog(tmp_path / "catalog.sqlite"):
        pass
    assert opened_on(tmp_path).models()["models"] == []
    with pytest.raises(RefusedError, match="--kind classifier"):
        opened_on(tmp_path).search({"text": "red"}, {})


def test_what_is_new_is_asked_at_the_press_of_a_button(tmp_path: Path):
    making.detector(tmp_path / "models" / "v3_best.onnx", NAMES)
    indexed(tmp_path, tmp_path / "models")
    making.classifier(tmp_path / "models" / "second.onnx", NAMES)
    job = ProbingJob(tmp_path / "catalog.sqlite", lambda _: ColourEncoder(), lambda: [tmp_path / "models"])
    job.start()
    with pytest.raises(RefusedError, match="being asked already"):
        job.start()
    for _ in range(600):
        if (state := job.state())["state"] != "running":
            break
        time.sleep(0.05)
    assert (state["state"], state["report"]["probed"], state["report"]["models"]) == ("done", 1, 2)


def test_without_a_folder_of_classifiers_nothing_is_asked(tmp_path: Path):
    with pytest.raises(RefusedError, match="no folder of detectors"):
        ProbingJob(tmp_path / "catalog.sqlite", lambda _: ColourEncoder(), lambda: []).start()
