"""The script as a WebUI loads it, and the always-on script."""

from __future__ import annotations

import base64
import importlib.util
import inspect
import io
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.webui.collection import painted
from tests.webui.host import ROOT

FLOOR = 0.25  # what the CLIP here says of colours: its weights are random


def load_script() -> Any:
    """Under the file's name and outside `sys.modules`."""
    path = ROOT / "scripts" / "model_search.py"
    spec = importlib.util.spec_from_file_location(path.name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def processing(prompt: str = "a harbour", **more: Any) -> Any:
    said: list[str] = []
    given = {"all_prompts": [prompt, prompt], "all_hr_prompts": None, "extra_generation_params": {}, **more}
    return SimpleNamespace(**given, said=said, comment=said.append)


def as_base64(colour: str) -> str:
    buffer = io.BytesIO()
    painted(colour).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def test_each_callback_is_registered_once_and_by_position(webui: Any):
    load_script()
    registered = webui.find("modules.script_callbacks").registered
    names = {"on_ui_settings", "on_ui_tabs", "on_app_started", "on_after_component", "on_script_unloaded"}
    names.add("on_before_ui")
    assert {name: len(callbacks) for name, callbacks in registered.items()} == dict.fromkeys(names, 1)


def test_callbacks_are_registered_from_modules_that_the_webui_finds(webui: Any, monkeypatch: pytest.MonkeyPatch):
    stacks: list[list[inspect.FrameInfo]] = []
    register = lambda _: stacks.append(inspect.stack(0)[1:])  # noqa: E731
    monkeypatch.setattr(webui.find("modules.script_callbacks"), "on_ui_tabs", register)
    load_script()
    assert [Path(stack[0].filename).name for stack in stacks] == ["callbacks.py"]  # so it knows whose they are
    assert not [frame.filename for frame in stacks[0] if inspect.getmodule(frame.frame) is None]


def test_one_script_is_in_the_files_namespace_and_always_shown(webui: Any):
    module, scripts = load_script(), webui.find("modules.scripts")
    (found,) = [value for value in vars(module).values() if isinstance(value, type)]
    assert issubclass(found, scripts.Script)
    assert found().show(False) is scripts.AlwaysVisible
    assert found().title() == "Model Search"


@pytest.mark.parametrize("version", ["3.41.2", "4.40.0"])
def test_its_controls_are_off_at_first(webui: Any, version: str):
    webui.find("gradio").__version__ = version
    script = load_script().ModelSearchScript()
    enabled, source, picture, *_ = controls = script.ui(False)
    assert len(controls) == 6
    assert enabled.positional == (False,) and source.given["value"] == "prompt"
    assert ("sources" in picture.given) is (version == "4.40.0")
    ((field, pasted),) = script.infotext_fields
    assert field is enabled and pasted({"Model Search": "red 0.8"}) is False and pasted({}) is None


def test_switched_off_it_changes_nothing(webui: Any):
    p = processing()
    load_script().ModelSearchScript().process(p, False, "prompt", None, 1, 0.5, True)
    assert p.all_prompts == ["a harbour", "a harbour"] and not p.extra_generation_params and not p.said


@pytest.mark.parametrize("given", ["picture", "base64", "data url"])
def test_a_picture_brings_its_lora_with_words_and_strength(webui: Any, given: str):
    picture = painted("red") if given == "picture" else as_base64("red")
    picture = f"data:image/png;base64,{picture}" if given == "data url" else picture
    p = processing(all_hr_prompts=["larger"])
    webui.ours("picking").apply(p, True, "picture", picture, 1, FLOOR, True)
    (tag,) = [part for part in p.all_prompts[0].split(" ") if part.startswith("<lora:")]
    assert tag.startswith("<lora:red:0.")
    assert p.all_prompts == [f"a harbour, crimson, rough {tag}"] * 2
    assert p.all_hr_prompts == [f"larger, crimson, rough {tag}"]
    assert p.extra_generation_params["Model Search"].startswith("red 0.")
    assert "relevance" in p.said[0]


def test_what_the_user_wrote_is_not_added_again(webui: Any):
    p = processing("a harbour <lora:red:0.3>")
    webui.ours("picking").apply(p, True, "picture", painted("red"), 1, 0.5, False)
    assert p.all_prompts[0] == "a harbour <lora:red:0.3>"


def test_several_are_applied_more_weakly(webui: Any):
    alone, three = processing(), processing()
    webui.ours("picking").apply(alone, True, "picture", painted("red"), 1, 0.0, False)
    webui.ours("picking").apply(three, True, "picture", painted("red"), 3, 0.0, False)
    assert three.all_prompts[0].count("<lora:") == 3
    weights = [float(p.all_prompts[0].split("<lora:red:")[1].split(">")[0]) for p in (alone, three)]
    assert weights[1] == pytest.approx(weights[0] / 3**0.5, abs=0.01)


def test_with_nothing_relevant_it_says_so(webui: Any):
    p = processing()
    webui.ours("picking").apply(p, True, "picture", painted("red"), 3, 1.0, True)
    assert p.all_prompts[0] == "a harbour"
    assert p.extra_generation_params["Model Search"].startswith("no LoRA is relevant (best: red")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("picture", None), "give a picture"),
        (("picture", "no base64!"), "no base64"),
        (("picture", base64.b64encode(b"no picture").decode()), "cannot be read as a picture"),
        (("colour", None), "not 'colour'"),
        (("prompt", None, "many"), "“LoRA at most” must be a number from 1 to 3, not 'many'"),
        (("prompt", None, 1, 7), "“Relevance above” must be a number from 0 to 1, not 7"),
        (("prompt", 17), "base64"),
    ],
)
def test_what_is_wrong_is_said_and_the_picture_is_made_all_the_same(webui: Any, given: Any, said: str):
    p = processing()
    webui.ours("picking").apply(p, True, *given)
    assert p.all_prompts[0] == "a harbour" and said in p.said[0]
    assert p.extra_generation_params["Model Search"].startswith("failed: ")
    assert said in p.extra_generation_params["Model Search"]


def test_an_empty_prompt_is_told(webui: Any):
    p = processing("<lora:red:1>")
    webui.ours("picking").apply(p, True)
    assert "the prompt is empty" in p.said[0]


def test_where_nothing_is_indexed_it_says_where_to_start(webui: Any, tmp_path: Any):
    webui.find("modules.shared").opts.data["modelsearch_catalog"] = str(tmp_path)
    p = processing()
    webui.ours("picking").apply(p, True)
    assert "open the Model Search tab" in p.said[0] and not p.extra_generation_params


def test_each_batch_gets_what_fits_its_own_prompts(webui: Any):
    picking = webui.ours("picking")

    def alone(prompt: str) -> str:
        one = processing(all_prompts=[prompt])
        picking.apply(one, True, "prompt", None, 1, 0.0, False)
        return one.all_prompts[0]

    words = ("red", "green", "a harbour", "tiger", "snow", "ink", "a b c d", "night train", "zzz", "1 2 3")
    found = {alone(word).partition("<lora:")[2]: word for word in words}
    first, second, *_ = found.values()  # prompts with different answers
    p = processing(all_prompts=[first, first, second, second], batch_size=2)
    picking.apply(p, True, "prompt", None, 1, 0.0, False)
    assert p.all_prompts == [alone(first)] * 2 + [alone(second)] * 2
    told = p.extra_generation_params["Model Search"]
    assert len(told) == 4 and told[0] != told[2]  # the WebUI writes the one of each picture's number


def test_the_infotext_says_the_name_that_stands_in_the_prompt(webui: Any):
    webui.find("networks").aliases["red"] = "Crimson"
    webui.find("networks").list_available_networks()
    webui.find("modules.shared").opts.data["lora_preferred_name"] = "Alias from file"
    p = processing()
    webui.ours("picking").apply(p, True, "picture", painted("red"), 1, FLOOR, True)
    assert "<lora:Crimson:" in p.all_prompts[0]
    assert p.extra_generation_params["Model Search"].startswith("Crimson ")


def test_loading_the_script_brings_nothing_large(webui: Any, monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in sys.modules if name.startswith("modelsearch_")]:
        monkeypatch.delitem(sys.modules, name)  # back afterwards: of two copies of a class neither is the other
    load_script()
    assert not {name for name in sys.modules if name.startswith(("modelsearch_core.search", "modelsearch_core.panel"))}
    assert not {name for name in sys.modules if name.startswith("modelsearch_core.catalog")}


class Axis:
    """An X/Y/Z script as the WebUIs have it."""

    def __init__(self, label: str, type: Any, apply: Any, format_value: Any, confirm: Any = None) -> None:
        self.label, self.type, self.apply, self.format_value, self.confirm = label, type, apply, format_value, confirm


def test_the_plots_axis_applies_and_names_the_lora_of_a_rank(webui: Any):
    scripts, axis = webui.find("modules.scripts"), webui.ours("axis")
    plot = SimpleNamespace(axis_options=[], AxisOption=Axis)
    scripts.scripts_data[:] = [SimpleNamespace(module=plot), SimpleNamespace(module=SimpleNamespace())]
    axis.add()
    axis.add()
    (option,) = plot.axis_options
    labels, prompts = [], []
    for rank in (0, 1, 2, 99):
        p = SimpleNamespace(prompt="red")
        labels.append(option.format_value(p, option, rank))
        option.apply(p, rank, [])
        prompts.append(p.prompt)
    assert labels[0] == "without LoRA" and labels[3] == "99: there is none"
    assert prompts[0] == prompts[3] == "red"
    assert len({prompts[1], prompts[2]}) == 2
    for rank in (1, 2):
        name, weight = prompts[rank].partition("<lora:")[2].rstrip(">").split(":")
        assert labels[rank] == f"{rank}: {name} {weight}"
    with pytest.raises(RuntimeError, match="not 51"):
        option.confirm(None, [1, 51])
