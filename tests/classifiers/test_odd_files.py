"""Whatever lies in a folder of classifiers, what comes after it is still found."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from modelsearch_core.classifiers.configs import read_config, transformers_input
from modelsearch_core.classifiers.files import ClassifierFile
from modelsearch_core.classifiers.finding import find_classifiers
from modelsearch_core.model_files import SkippedFile
from tests.making import classifiers as making

SIZES = [{"size": "-1"}, {"size": "192"}, {"size": "224"}, {"size": "3"}]


@pytest.mark.parametrize(
    "config",
    [
        {"architectures": 5},
        {"architectures": {"a": "b"}},
        {"architecture": "resnet", "pretrained_cfg": [1]},
        {"architecture": "resnet18", "pretrained_cfg": {"input_size": "x", "mean": ["a", "b", "c"]}},
        {"architectures": ["XForImageClassification"], "image_size": 10**12, "id2label": {"0": None}},
        {"architectures": ["XForImageClassification"], "pretrained_cfg": 3, "id2label": [1]},
    ],
)
def test_an_odd_config_costs_its_own_folder_only(tmp_path: Path, config: Any):
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"\0" * 16)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": {"height": -1, "width": 10**12}}))
    making.classifier(tmp_path / "b" / "b.onnx", ["red", "blue"])
    found = [each.path.parent.name for each in find_classifiers([tmp_path]) if isinstance(each, ClassifierFile)]
    assert "b" in found


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
@pytest.mark.parametrize("name", ["a.onnx", "config.json", "selected_tags.csv", "labels.txt"])
def test_nothing_waits_for_a_named_pipe(tmp_path: Path, name: str):
    (tmp_path / "a").mkdir()
    os.mkfifo(tmp_path / "a" / name)
    (tmp_path / "a" / "model.safetensors").write_bytes(b"\0" * 16)
    making.classifier(tmp_path / "b" / "b.onnx", ["red", "blue"])
    assert tmp_path / "b" in {each.path.parent for each in find_classifiers([tmp_path])}


def test_a_dangling_link_beside_a_classifier_is_passed_over(tmp_path: Path):
    making.classifier(tmp_path / "a.onnx", ["red", "blue"])
    (tmp_path / "readme.txt").symlink_to(tmp_path / "gone")
    (found,) = find_classifiers([tmp_path])
    assert isinstance(found, ClassifierFile)


def test_a_config_that_is_too_deep_is_none(tmp_path: Path):
    (tmp_path / "config.json").write_text("[" * 100_000)
    assert read_config(tmp_path / "config.json") == {}


@pytest.mark.parametrize("size", [10**12, -1, 0, "x", None, {"height": "a", "width": 2}, {"shortest_edge": []}])
def test_a_size_that_no_picture_has_is_not_taken(size: Any):
    found = transformers_input({}, {"size": size})
    assert found is not None
    assert (found.width, found.height) == (224, 224)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"format": "graph-model", "signature": {"inputs": {"image:0": {"tensorShape": {"dim": SIZES}}}}}, "224 × 192"),
        ({"format": "layers-model", "signature": {"inputs": 3}}, "layers-model"),
        ({}, "of an older form"),
    ],
)
def test_a_model_of_tensorflow_js_is_refused_with_the_way_out(tmp_path: Path, more: dict[str, Any], said: str):
    topology = {"modelTopology": {"node": []}, "weightsManifest": [{"paths": ["group1-shard1of1.bin"], "weights": []}]}
    (tmp_path / "model.json").write_text(json.dumps({**topology, **more}))
    (tmp_path / "group1-shard1of1.bin").write_bytes(b"\0" * 8)
    (tmp_path / "tokenizer.json").write_text("{}")
    (found,) = find_classifiers([tmp_path])
    assert isinstance(found, SkippedFile)
    assert found.reason.startswith("a TensorFlow.js model (") and said in found.reason
    assert "tf2onnx.convert --tfjs model.json --output model.onnx" in found.reason
