"""What is made of matches in the real ComfyUI: picking, showing, stacking, telling where a picture comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from tests.comfyui.collection import painted
from tests.comfyui.host import ComfyUI, message_of, shown
from tests.comfyui.test_finding import find, picture


def ran(comfyui: ComfyUI, **nodes: dict[str, Any]) -> dict[str, Any]:
    """Find LoRA (1) for a red picture (0), and these; AnySink `out` last."""
    prompt = {"0": picture("red"), "1": find(images=["0", 0]), **nodes}
    return comfyui.run(prompt)


def node(name: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": f"ModelSearch{name}", "inputs": inputs}


def sink(source: str, output: int) -> dict[str, Any]:
    return {"class_type": "AnySink", "inputs": {"value": [source, output]}}


def test_similar_models_are_not_the_model_itself(comfyui: ComfyUI):
    similar = node("Similar", model="red.safetensors", kind="lora", rank=1)
    (name,) = shown(comfyui.run({"1": similar, "2": sink("1", 0)}), "2")
    assert name.endswith(".safetensors'")
    assert name != "'red.safetensors'"


def test_the_kth_match_and_the_first_names_as_a_list(comfyui: ComfyUI):
    entry = ran(comfyui, p=node("PickMatch", matches=["1", 6], rank=2, count=3), a=sink("p", 0), b=sink("p", 6))
    names = shown(entry, "b")
    assert len(names) == 3
    assert names[0] == "'red.safetensors'"
    assert shown(entry, "a") == [names[1]]


def test_a_rank_beyond_the_matches_is_told(comfyui: ComfyUI):
    entry = ran(comfyui, p=node("PickMatch", matches=["1", 6], rank=99, count=3), a=sink("p", 0))
    assert message_of(entry) == "Only 5 models were found; rank 99 is beyond them."


def test_matches_are_shown_as_a_sheet(comfyui: ComfyUI):
    entry = ran(comfyui, s=node("ShowMatches", matches=["1", 6], count=4))
    (image,) = entry["outputs"]["s"]["images"]
    assert Image.open(comfyui.base / "temp" / image["filename"]).width > 1000
    assert entry["outputs"]["s"]["text"][0].startswith("1. red.safetensors  ")


def test_pictures_of_ones_own_are_shown_under_the_names(comfyui: ComfyUI):
    batch = {"class_type": "LoadImage", "inputs": {"image": "red.png"}}
    entry = ran(comfyui, i=batch, s=node("ShowMatches", matches=["1", 6], count=2, pictures=["i", 0]))
    assert message_of(entry) == "1 pictures for 2 models; set count to the number of pictures."


def test_a_stack_divides_the_strengths(comfyui: ComfyUI):
    inputs = {"matches": ["1", 6], "strength": 1.0, "minimum_relevance": 0.0}
    one, two = (
        eval_stack(shown(ran(comfyui, l=node("LoadLora", count=n, **inputs), a=sink("l", 2)), "a")) for n in (1, 2)
    )
    assert one[0][0] == two[0][0] == "red.safetensors"
    assert two[0][1] == pytest.approx(one[0][1] / 2**0.5, abs=0.02)
    assert len(two) == 2


def eval_stack(texts: list[str]) -> list[list[Any]]:
    return json.loads(texts[0].replace("(", "[").replace(")", "]").replace("'", '"'))


def test_nothing_relevant_enough_leaves_the_model_as_it_is(comfyui: ComfyUI):
    load = node("LoadLora", matches=["1", 6], count=3, strength=1.0, minimum_relevance=1.0)
    assert shown(ran(comfyui, l=load, a=sink("l", 2)), "a") == ["[]"]


def test_matches_of_another_kind_are_refused(comfyui: ComfyUI):
    entry = ran(comfyui, l=node("LoadCheckpoint", matches=["1", 6], rank=1), a=sink("l", 3))
    assert "is a lora, not a checkpoint" in message_of(entry)


def test_a_picture_is_traced_by_its_looks(comfyui: ComfyUI):
    identify = node("Identify", picture="blue.png", kind="lora", count=3)
    entry = comfyui.run({"1": identify, "2": sink("1", 0), "3": sink("1", 2)})
    assert shown(entry, "2") == ["'blue.safetensors'"]
    assert "by its looks" in shown(entry, "3")[0]


def test_what_the_file_says_comes_before_its_looks(comfyui: ComfyUI):
    lora = {"class_type": "LoraLoader", "inputs": {"lora_name": "green.safetensors"}}
    other = {"class_type": "LoraLoader", "inputs": {"lora_name": "somewhere else.safetensors"}}
    written = PngImagePlugin.PngInfo()
    written.add_text("prompt", json.dumps({"1": lora, "2": other}))
    painted("blue").save(comfyui.base / "input" / "told.png", pnginfo=written)
    identify = node("Identify", picture="told.png", kind="lora", count=3)
    entry = comfyui.run({"1": identify, "2": sink("1", 0), "3": sink("1", 2), "4": sink("1", 1)})
    assert shown(entry, "2") == ["'green.safetensors'"]
    assert shown(entry, "4") == ["1.0"]
    report = shown(entry, "3")[0]
    assert "green.safetensors  named in the file" in report
    assert "not in your folders: somewhere else.safetensors" in report


def test_queries_are_combined_and_a_negative_weight_pushes_away(comfyui: ComfyUI):
    def asked(weight: float) -> str:
        ask = {"text": "", "without": ""}
        combine = {"query_1": ["2", 0], "weight_1": 1.0, "query_2": ["3", 0], "weight_2": weight}
        prompt = {
            "0": picture("red"),
            "1": picture("blue"),
            "2": node("Query", images=["0", 0], **ask),
            "3": node("Query", images=["1", 0], **ask),
            "4": node("CombineQueries", **combine),
            "5": find(query=["4", 0]),
            "6": sink("5", 0),
        }
        return shown(comfyui.run(prompt), "6")[0]

    assert asked(-1.0) == "'red.safetensors'"
    assert asked(5.0) == "'blue.safetensors'"


def test_an_empty_question_says_what_is_missing(comfyui: ComfyUI):
    entry = comfyui.run({"1": find(), "2": sink("1", 0)})
    assert message_of(entry).startswith("Ask for something")


def test_nothing_relevant_enough_names_the_best(comfyui: ComfyUI):
    entry = comfyui.run({"1": find(text="quite another thing", minimum_relevance=1.0), "2": sink("1", 0)})
    assert message_of(entry).startswith("Nothing is relevant enough: the best match, ")


def test_a_folder_that_is_not_there_is_named(comfyui: ComfyUI):
    status, answer = comfyui.post("/prompt", {"prompt": {"1": find(text="red", folder="nowhere"), "2": sink("1", 0)}})
    (error,) = answer["node_errors"]["1"]["errors"]
    assert (status, error["details"]) == (400, "folder - ComfyUI lists no model in loras/nowhere.")


@pytest.mark.parametrize("folder", ["böse Tinte", "böse Tinte/tief", "böse Tinte\\tief\\"])
def test_a_folder_holds_what_is_below_it(comfyui: ComfyUI, folder: str):
    prompt = {"0": picture("red"), "1": find(images=["0", 0], folder=folder), "2": sink("1", 0)}
    assert "pïnk mit Lücke" in shown(comfyui.run(prompt), "2")[0]


def test_where_nothing_is_of_that_kind_it_is_said_before_anything_runs(comfyui: ComfyUI):
    status, answer = comfyui.post("/prompt", {"prompt": {"1": find("DiffusionModel", text="a"), "2": sink("1", 0)}})
    assert status == 400
    assert "ComfyUI lists no model in diffusion_models." in json.dumps(answer)


def test_a_renamed_file_is_found_at_once(comfyui: ComfyUI):
    loras = comfyui.base / "models" / "loras"
    prompt = {"0": picture("yellow"), "1": find(images=["0", 0]), "2": sink("1", 0)}
    assert shown(comfyui.run(prompt), "2") == ["'yellow.safetensors'"]
    (loras / "yellow.safetensors").rename(loras / "sunny.safetensors")
    assert shown(comfyui.run(prompt), "2") == ["'sunny.safetensors'"]
    (loras / "sunny.safetensors").rename(loras / "yellow.safetensors")
    assert shown(comfyui.run(prompt), "2") == ["'yellow.safetensors'"]


def test_it_runs_again_only_when_the_index_changes(comfyui: ComfyUI):
    prompt = {"0": picture("red"), "1": find(images=["0", 0]), "2": sink("1", 0)}
    comfyui.run(prompt)
    assert "1" in cached(comfyui.run(prompt))
    (comfyui.base / "models" / "loras" / "new.safetensors").write_bytes(Path(__file__).read_bytes())
    assert "1" not in cached(comfyui.run(prompt))


def cached(entry: dict[str, Any]) -> list[str]:
    return next(data["nodes"] for name, data in entry["status"]["messages"] if name == "execution_cached")
