"""ADetailer's drop-downs: what they call a detector, and a detector chosen in them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modelsearch_core.errors import ModelSearchError

FACES, HATS = "face_yolov8n.pt", "v3_best.pt"


@pytest.fixture
def adetailer(webui: Any) -> Any:
    """With both tabs' drop-downs, as either major version of gradio has their choices, and one of a second detector."""
    module, gradio = webui.ours("adetailer"), webui.find("gradio")
    for name, choices in (
        ("script_txt2img_adetailer_ad_model", [(FACES, FACES), (HATS, HATS)]),
        ("script_img2img_adetailer_ad_model", [FACES, HATS]),
        ("script_txt2img_adetailer_ad_model_2nd", [FACES, HATS]),
    ):
        component = gradio.Component(elem_id=name)
        component.choices = choices
        webui.ours("tab").catch_prompts(component)
    return module


def test_detectors_are_called_as_its_drop_down_does(webui: Any):
    places, folder = webui.ours("places"), webui.base / "models" / "adetailer"
    (folder / "own").mkdir(parents=True, exist_ok=True)
    for name in ("v3_best.pt", "v3_best.onnx", "own/hats.pth", "lonely.onnx"):
        (folder / name).touch()
    assert places.listed(folder / "v3_best.pt", "detector") == {"name": "v3_best.pt"}
    assert places.listed(folder / "v3_best.onnx", "detector") == {"name": "v3_best.pt"}  # whose export it is
    assert places.listed(folder / "own" / "hats.pth", "detector") == {"name": "hats.pth"}
    assert places.listed(folder / "lonely.onnx", "detector") == {}
    assert places.listed(webui.base / "models" / "wd14_tagger" / "model.onnx", "classifier") == {}
    assert places.classifier_folders() == [folder]


def test_its_further_folders_are_looked_through(webui: Any, tmp_path: Any):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "hats.pt").touch()
    webui.find("modules.shared").opts.data["ad_extra_models_dir"] = f"{tmp_path / 'more'}|{tmp_path / 'gone'}"
    places = webui.ours("places")
    assert tmp_path / "more" in places.classifier_folders() and tmp_path / "gone" not in places.classifier_folders()
    assert places.listed(tmp_path / "more" / "hats.pt", "detector") == {"name": "hats.pt"}


@pytest.mark.parametrize("tab", ["txt2img", "img2img"])
def test_a_detector_is_chosen_in_the_first_list_of_a_tab_and_nowhere_else(webui: Any, adetailer: Any, tab: str):
    ((ui, _, _),) = webui.ours("tab").build()
    assert ui is not None
    go = next(part for part in reversed(webui.find("gradio").built) if part.elem_id == "modelsearch_go")
    event = go.events[0]
    assert event["outputs"][-2:] == adetailer.drop_downs()
    asked = json.dumps({"id": 7, "action": "detector", "tab": tab, "name": HATS})
    told, *others = event["fn"](asked, *([""] * (len(event["inputs"]) - 1)))
    assert json.loads(told)["chosen"] == HATS and json.loads(told)["id"] == 7
    chosen = {"txt2img": others[-2], "img2img": others[-1]}
    assert chosen.pop(tab)["value"] == HATS
    assert all("value" not in change for change in [*chosen.values(), *others[:-2]])


def test_a_name_that_is_not_listed_is_refused_and_nothing_changes(webui: Any, adetailer: Any):
    with pytest.raises(ModelSearchError, match=r"does not list 'new\.pt' yet"):
        adetailer.choose({"tab": "txt2img", "name": "new.pt"})
    answered = webui.ours("tab").answered
    told, *_ = answered(
        json.dumps({"id": 3, "action": "detector", "tab": "control", "name": HATS}),
        {},
        webui.ours("tab").change_prompts,
    )
    assert "no ADetailer in control" in json.loads(told)["error"]
    assert json.loads(told)["id"] == 3  # or the button waits for its answer for ever
    assert all("value" not in change for change in adetailer.updates(json.loads(told)))
