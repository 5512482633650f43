"""Find Detector and Find Classifier/Tagger in the real ComfyUI, wired as into the packs that load such files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from modelsearch_core.catalog import Catalog
from modelsearch_core.classifiers import ProbeSettings, index_classifiers
from modelsearch_core.encoders import open_encoder
from modelsearch_core.mini_zoo import FOLDER
from tests.comfyui.host import ComfyUI, install, message_of, other_packs, shown
from tests.making import classifiers as making
from tests.making.fakes import NAMES

TAGGER = "wd-v1-4-moat-tagger-v2"
ASKED = {"probe_new": True, "minimum_relevance": 0.0, "rank": 1}


@pytest.fixture(scope="module")
def comfyui(needs_comfyui: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyUI]:
    """With a detector, a segmenter and a tagger of colours where packs keep such files; only the tagger is known."""
    base = tmp_path_factory.mktemp("detecting")
    install(base)
    other_packs(base)
    models = base / "models"
    making.detector(models / "ultralytics" / "bbox" / "v3_best.onnx", NAMES)
    making.detector(models / "ultralytics" / "segm" / "tief" / "m.onnx", NAMES[:2], form="masks")
    tags(making.classifier(models / "wd14_tagger" / f"{TAGGER}.onnx", NAMES, last="sigmoid", raw=True))
    making.square("blue").save(made(base / "input") / "blue.png")
    catalog, clip = base / "user" / "__modelsearch" / "catalog.sqlite", str(FOLDER / "clip")
    made(catalog.parent)
    settings = ProbeSettings(probes=making.probe_pictures(base / "probes", 160))
    with Catalog(catalog) as opened:
        index_classifiers(opened, [models / "wd14_tagger"], open_encoder(clip, device="cpu"), clip, settings)
    server = ComfyUI(base)
    try:
        yield server.wait_until_up()
    finally:
        server.stop()


def made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def tags(model: Path) -> None:
    """As the pack writes them beside a tagger."""
    with model.with_suffix(".csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["tag_id", "name", "category", "count"])
        rows.writerows([number, name, 0, 1] for number, name in enumerate(NAMES))


def node(name: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": name, "inputs": inputs}


def found(comfyui: ComfyUI, kind: str, sink: dict[str, Any], **asked: Any) -> dict[str, Any]:
    find = node(f"ModelSearchFind{kind}", **{"text": "", **ASKED, **asked})
    return comfyui.run({"0": node("LoadImage", image="blue.png"), "1": find, "2": sink})


def test_the_name_is_taken_by_a_detector_provider_and_names_the_file(comfyui: ComfyUI):
    entry = found(comfyui, "Detector", node("DetectorProviderSink", model_name=["1", 0]), text="pink")
    assert Path(shown(entry, "2")[0]) == comfyui.base / "models" / "ultralytics" / "bbox" / "v3_best.onnx"


def test_label_number_and_threshold_are_those_of_the_output(comfyui: ComfyUI):
    find = node("ModelSearchFindDetector", text="pink", **ASKED)
    entry = comfyui.run({"1": find, **{f"s{n}": node("AnySink", value=["1", n]) for n in (1, 2, 3)}})
    label, number, threshold = (shown(entry, f"s{n}")[0] for n in (1, 2, 3))
    assert (label, number) == ("'pink'", str(NAMES.index("pink")))
    assert 0.25 < float(threshold) <= 1


def test_a_segmenter_of_a_sub_folder_is_named_with_it(comfyui: ComfyUI):
    names = set()
    for rank in (1, 2, 3, 4, 5, 6, 7):
        entry = found(comfyui, "Detector", node("AnySink", value=["1", 0]), text="red", probe_new=False, rank=rank)
        names.add(shown(entry, "2")[0])
    assert names == {"'bbox/v3_best.onnx'", "'segm/tief/m.onnx'"}


def test_pictures_ask_and_the_evidence_is_shown(comfyui: ComfyUI):
    sink = node("PreviewImage", images=["1", 5])
    entry = found(comfyui, "Detector", sink, images=["0", 0])
    assert len(shown(entry, "2")) == 4
    with Image.open(comfyui.base / "temp" / shown(entry, "2")[0]["filename"]) as picture:
        assert picture.width >= 32


def test_a_tagger_is_found_by_what_it_answers_and_its_pack_takes_the_name(comfyui: ComfyUI):
    entry = found(comfyui, "Classifier", node("TaggerSink", model=["1", 0]), text="blue")
    assert Path(shown(entry, "2")[0]).is_file()
    label = found(comfyui, "Classifier", node("AnySink", value=["1", 1]), text="blue")
    assert shown(label, "2") == ["'blue'"]


def test_what_is_not_relevant_enough_is_said(comfyui: ComfyUI):
    sink = node("AnySink", value=["1", 0])
    entry = found(comfyui, "Detector", sink, text="pink", minimum_relevance=1.0)
    assert message_of(entry).startswith("Nothing is relevant enough: 1. v3_best: 4 pink")


def test_the_panel_lists_them_by_the_names_of_the_packs(comfyui: ComfyUI):
    listed = {m["name"]: m["listed"]["name"] for m in comfyui.get("/modelsearch/classifiers")["models"]}
    assert listed["v3_best"] == "bbox/v3_best.onnx"
    assert listed[TAGGER] == f"{TAGGER}.onnx"
