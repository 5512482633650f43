"""The nodes as ComfyUI reads them, without one: types, help pages, translations, names, messages."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks import node_words
from modelsearch_core.collection import FILTERS
from tests.comfyui import pack
from tests.comfyui.pack import ROOT

INTERNAL = {"ModelSearchIndexOne"}
FINDING = ("ModelSearchFindLora", "ModelSearchFindCheckpoint", "ModelSearchFindDiffusionModel")
WIDGETS = {"STRING", "INT", "FLOAT", "BOOLEAN"}
LANGUAGES = ("en", "de", "zh")


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, type[Any]]:
    return pack.load(monkeypatch, tmp_path).NODE_CLASS_MAPPINGS


def module(name: str) -> Any:
    return importlib.import_module(f"{pack.NAME}.nodes.{name}")


def inputs(node: Any) -> Iterator[tuple[str, Any]]:
    types = node.INPUT_TYPES()
    yield from (*types.get("required", {}).items(), *types.get("optional", {}).items())


def test_every_output_has_a_name_and_every_function_is_there(nodes: dict[str, Any]):
    for name, node in nodes.items():
        assert callable(getattr(node, node.FUNCTION)), name
        assert node.CATEGORY.startswith("model search"), name
        assert len(node.DESCRIPTION) > 20, name
        if node.RETURN_TYPES:
            assert len(node.RETURN_TYPES) == len(node.RETURN_NAMES) == len(node.OUTPUT_TOOLTIPS), name


def test_all_widgets_are_standard_ones(nodes: dict[str, Any]):
    sockets = {"IMAGE", "MODEL", "CLIP", "VAE", "LATENT", "MODEL_QUERY", "MODEL_MATCHES"}
    for node in nodes.values():
        for name, (kind, *_) in inputs(node):
            assert isinstance(kind, list) or kind in {"STRING", "INT", "FLOAT", "BOOLEAN", *sockets}, name


def test_a_schema_can_be_sent_as_json(nodes: dict[str, Any]):
    for node in nodes.values():
        json.dumps([node.INPUT_TYPES(), node.RETURN_TYPES, getattr(node, "SEARCH_ALIASES", ())])


def test_a_name_fits_lists_and_combos_and_nothing_else(nodes: dict[str, Any]):
    name = module("sockets").MODEL_NAME
    fits = (["a.safetensors", "b.safetensors"], [], "COMBO", "*")
    assert [name != wanted for wanted in fits] == [False] * len(fits)
    assert [name != wanted for wanted in ("STRING", "IMAGE", "MODEL")] == [True] * 3
    assert hash(name) == hash("COMBO")
    assert json.dumps(name) == '"COMBO"'


def test_every_node_has_a_help_page_that_names_all_of_it(nodes: dict[str, Any]):
    for name in nodes.keys() - INTERNAL:
        text = (ROOT / "web" / "docs" / f"{name}.md").read_text("utf-8")
        for word in (*(name for name, _ in inputs(nodes[name])), *nodes[name].RETURN_NAMES):
            assert f"`{word}`" in text, f"{name}: {word}"
    assert {page.stem for page in (ROOT / "web" / "docs").iterdir()} == nodes.keys() - INTERNAL


def test_the_readme_names_every_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    titles = pack.load(monkeypatch, tmp_path).NODE_DISPLAY_NAME_MAPPINGS
    text = " ".join((ROOT / "README.md").read_text("utf-8").split())
    assert [title for name, title in titles.items() if name not in INTERNAL and title not in text] == []


def test_english_is_complete_and_the_other_languages_have_every_title(nodes: dict[str, Any]):
    known = {language: translated(language, "nodeDefs") for language in LANGUAGES}
    assert known["en"].keys() == nodes.keys()
    for name, node in nodes.items():
        assert known["en"][name]["inputs"].keys() == {name for name, _ in inputs(node)}
        assert len(known["en"][name]["outputs"]) == len(node.RETURN_TYPES)
        for language in {"de", "zh"} if name not in INTERNAL else ():
            assert {"display_name", "description"} <= known[language][name].keys()
            assert known[language][name]["inputs"].keys() <= known["en"][name]["inputs"].keys()


def test_english_and_the_help_pages_say_what_the_nodes_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Else: python -m benchmarks.node_words"""
    registry = pack.load(monkeypatch, tmp_path)
    assert translated("en", "nodeDefs") == node_words.words(registry)
    for path in node_words.PAGES.iterdir():
        written = path.read_text("utf-8")
        assert node_words.page(registry.NODE_CLASS_MAPPINGS[path.stem], written) == written, path


def test_every_filter_is_said_to_the_nodes_that_find(nodes: dict[str, Any]):
    for name in FINDING:
        assert {name for name, _ in inputs(nodes[name])} >= FILTERS.keys() - {"kind"}


def test_a_filter_with_choices_is_a_list_and_any_other_a_text(nodes: dict[str, Any]):
    finding = module("finding")
    of = finding.Filter(help="Only these", values=lambda model: (), choices=("a", "b"))
    assert finding.widget_of(of) == (["any", "a", "b"], {"tooltip": "Only these."})
    assert finding.widget_of(replace(of, choices=())) == ("STRING", {"default": "", "tooltip": "Only these."})


def test_what_filters_are_set_to_is_searched_by(nodes: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    asked: list[Any] = []
    monkeypatch.setattr(module("finding"), "search", lambda _, wanted: asked.append(wanted))
    given: dict[str, Any] = {"folder": "", "minimum_relevance": 0.0, "method": "auto"}
    node = nodes["ModelSearchFindLora"]()
    node.search("red", architecture="sdxl", **given)
    node.search(
        "red", architecture="any", kind="pictures", **given
    )  # as a filter that has a widget of its own would be
    assert [wanted.filters.said for wanted in asked] == [{"architecture": "sdxl"}, {"kind": "pictures"}]
    assert asked[0].among([]).said == {"kind": "lora", "architecture": "sdxl"}
    assert replace(asked[0], kind="diffusion_model").among([]).said == {"architecture": "sdxl"}


def test_saved_workflows_keep_their_values(nodes: dict[str, Any]):
    """They have them in the order of the widgets; what is new comes last, and may be left out."""
    for name in FINDING:
        widgets = [name for name, (kind, *_) in inputs(nodes[name]) if isinstance(kind, list) or kind in WIDGETS]
        known = ["text", "architecture", "folder", "minimum_relevance", "method", "rank", "style"]
        assert widgets[: len(known)] == known
        assert nodes[name].INPUT_TYPES()["required"].keys() == set(known[:-1])


def test_settings_and_commands_are_translated_alike():
    for part in ("settings", "commands"):
        assert len({tuple(translated(language, part)) for language in LANGUAGES}) == 1
    entry = (ROOT / "web" / "modelsearch.js").read_text("utf-8")
    assert all(name.replace("_", ".") in entry for name in translated("en", "settings"))


def translated(language: str, part: str) -> dict[str, Any]:
    return json.loads((ROOT / "locales" / language / f"{part}.json").read_text("utf-8"))


def test_of_two_files_with_one_name_the_first_folders_is_listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    roots = [tmp_path / "one", tmp_path / "two"]
    for root, names in zip(roots, (["a b/ä.safetensors"], ["a b/ä.safetensors", "only.safetensors"]), strict=True):
        for name in names:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(b"")
    pack.load(monkeypatch, tmp_path, {"loras": roots})
    assert module("places").listed("lora") == {
        roots[0] / "a b" / "ä.safetensors": str(Path("a b", "ä.safetensors")),
        roots[1] / "only.safetensors": "only.safetensors",
    }


def test_a_copy_that_is_listed_stands_for_a_model_that_is_not(nodes: dict[str, Any], tmp_path: Path):
    hidden, copy = tmp_path / "hidden", tmp_path / "copy"
    assert module("places").name_of(hidden, (copy,), {copy: "copy"}) == "copy"
    assert module("places").name_of(hidden, (), {copy: "copy"}) is None


def test_a_validation_is_of_the_input_that_is_wrong(nodes: dict[str, Any], tmp_path: Path):
    """ComfyUI puts the names of the inputs that are asked for before what is said, and leaves their limits to us."""
    find = nodes["ModelSearchFindLora"]
    assert find.VALIDATE_INPUTS(folder="nowhere") == "ComfyUI lists no model in loras/nowhere."
    asked = {name: list(inspect.signature(node.VALIDATE_INPUTS).parameters) for name, node in validating(nodes)}
    assert asked.pop("ModelSearchIdentify") == ["picture"]
    assert asked.pop("ModelSearchSimilar") == ["kind"]
    assert {tuple(inputs) for inputs in asked.values()} == {("folder",)}


def validating(nodes: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, node) for name, node in nodes.items() if hasattr(node, "VALIDATE_INPUTS")]


def test_nothing_indexed_says_where_to_begin(nodes: dict[str, Any], tmp_path: Path):
    (tmp_path / "models" / "loras").mkdir(parents=True)
    (tmp_path / "models" / "loras" / "a.safetensors").write_bytes(b"")
    with pytest.raises(error_class(), match="press Index now"):
        ask(nodes)


def error_class() -> type[Exception]:
    """The pack's own copy of the core has classes of its own."""
    return module("found").ModelSearchError


def ask(nodes: dict[str, Any], text: str = "red") -> Any:
    given = {"architecture": "any", "folder": "", "minimum_relevance": 0.0, "method": "auto"}
    return nodes["ModelSearchFindLora"]().find(text=text, rank=1, **given)


def test_an_empty_question_is_refused_by_the_node_that_searches(nodes: dict[str, Any]):
    (nothing,) = nodes["ModelSearchQuery"]().ask(text=" ", without="")
    assert nodes["ModelSearchCombineQueries"]().combine(nothing, 1.0, nothing, -1.0) == (None,)
    with pytest.raises(error_class(), match="Ask for something"):
        ask(nodes, "")


def test_an_empty_query_adds_nothing(nodes: dict[str, Any]):
    (asked,) = nodes["ModelSearchQuery"]().ask(text="red", without="")
    (both,) = nodes["ModelSearchCombineQueries"]().combine(asked, 2.0, None, 1.0)
    assert (both.text, both.weights) == (["red"], [2.0])


def test_images_go_there_and_back(nodes: dict[str, Any]):
    images = module("images")
    pictures = [Image.new("RGB", (8, 6), (255, 0, 10)), Image.new("RGB", (16, 6), (0, 255, 0))]
    batch = images.to_images(pictures)
    assert batch.shape == (2, 6, 8, 3)
    back = images.to_pictures(batch)
    assert np.array_equal(np.asarray(back[0]), np.asarray(pictures[0]))
    assert images.to_images([]).shape[0] == 1
    assert images.to_pictures(None) == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"colour": 1}, "'colour' is no setting"),
        ({"samples": 5000}, "samples must be between 0 and 1024, not 5000"),
        ({"samples": True}, "samples must be"),
        ({"samples": 1.5}, "samples must be a whole number, not 1.5"),
        ({"quiet": float("nan")}, "quiet must be between 0.0 and 3600.0, not nan"),
        ({"auto_index": 1}, "auto_index must be"),
        ({"size": 100}, "multiple of 64"),
        ({"wanted": "x"}, "is no setting"),
    ],
)
def test_settings_out_of_their_limits_are_refused(nodes: dict[str, Any], values: dict[str, Any], said: str):
    settings = module("settings")
    with pytest.raises(settings.ModelSearchError, match=said):
        settings.Settings().changed(values)


def test_settings_are_kept(nodes: dict[str, Any]):
    settings = module("settings")
    settings.save(settings.Settings().changed({"samples": 8, "auto_index": True, "quiet": 3}))
    kept = settings.load()
    assert (kept.samples, kept.auto_index, kept.quiet) == (8, True, 3.0)
