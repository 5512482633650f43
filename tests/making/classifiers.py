"""Classifiers, taggers, raters, detectors and segmenters of colours, as users have such files. They really look."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from safetensors.torch import save_file

from tests.making.fakes import COLOURS, NAMES

SIDE = 16
Nodes = list[Any]


def probe_pictures(folder: Path, count: int = 120, seed: int = 0) -> Path:
    """Grey pictures with one or two rectangles of the colours, of all sizes."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        image = Image.new("RGB", (32, 32), (128, 128, 128))
        for _ in range(int(rng.integers(1, 3))):
            colour = COLOURS[NAMES[rng.integers(len(NAMES))]]
            left, top, width, height = (int(v) for v in (*rng.integers(0, 12, 2), *rng.integers(6, 20, 2)))
            image.paste(colour, (left, top, left + width, top + height))
        image.save(folder / f"{number:03}.png")
    return folder


def square(colour: str, *, side: int = 32, size: int = 24) -> Image.Image:
    image = Image.new("RGB", (side, side), (128, 128, 128))
    image.paste(COLOURS[colour], (4, 4, 4 + size, 4 + size))
    return image


def weights_of(names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """A convolution of one pixel, (L, 3, 1, 1) and (L,): .5 on the colour itself, at most 0 on others and on grey."""
    on = np.array([COLOURS[name] for name in names], np.float32) / 255
    return (2 * on - 1)[:, :, None, None], 0.5 - on.sum(axis=1)


def classifier(
    path: Path,
    names: Sequence[str],
    *,
    last: str = "logits",
    channels_last: bool = False,
    told: bool = True,
    raw: bool = False,
) -> Path:
    """(N, L): how much of each picture has the colour. `last`: logits, softmax or sigmoid; `told`: what goes in, by a
    config.json beside it; `raw`: BGR from 0 to 255, as taggers take it, and nothing says it."""
    if told and not raw:
        path.parent.mkdir(parents=True, exist_ok=True)
        seen = {"input_size": [3, SIDE, SIDE], "mean": [0.0] * 3, "std": [1.0] * 3}
        (path.parent / "config.json").write_text(json.dumps({"architecture": "colours", "pretrained_cfg": seen}))
    nodes: Nodes = [*_entrance(channels_last), *_looks()]
    nodes += [
        helper.make_node("GlobalAveragePool", ["seen"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
    ]
    nodes.append(helper.make_node("Mul", ["flat", "gain"], ["logits"]))
    if last != "logits":
        nodes.append(helper.make_node({"softmax": "Softmax", "sigmoid": "Sigmoid"}[last], ["logits"], ["out"]))
    out = "logits" if last == "logits" else "out"
    weight = {"weight": weights_of(names)[0][:, ::-1] / np.float32(255)} if raw else {}
    return _saved(path, nodes, names, [(out, ["batch", len(names)])], channels_last=channels_last, constants=weight)


def detector(path: Path, names: Sequence[str], *, form: str = "v8", told: bool = True) -> Path:
    """One box a pixel. v8: (N, 4+L, A); v5: (N, A, 5+L); apart: boxes and scores; masks: (N, L, h, w)."""
    L, A = len(names), SIDE * SIDE
    nodes: Nodes = [*_entrance(False), *_looks(), helper.make_node("Mul", ["seen", "gain"], ["scaled"])]
    nodes.append(helper.make_node("Sigmoid", ["scaled"], ["maps"]))
    if form == "masks":
        return _saved(path, nodes, names, [("maps", ["batch", L, SIDE, SIDE])], metadata=_told(names, "segment", told))
    nodes.append(helper.make_node("Reshape", ["maps", "flatten"], ["scores"]))
    nodes.append(helper.make_node("Expand", ["half", "boxes_shape"], ["boxes"]))
    constants = {"flatten": np.array([0, L, A]), "half": np.full((1, 1, 1), 0.5, np.float32)}
    constants["boxes_shape"] = np.array([1, 4, A])
    if form == "v8":
        nodes.append(helper.make_node("Concat", ["boxes", "scores"], ["out"], axis=1))
        outputs = [("out", [1, 4 + L, A])]
    elif form == "v5":
        nodes.append(helper.make_node("Expand", ["half", "one_shape"], ["sure"]))
        constants["one_shape"] = np.array([1, 1, A])
        nodes.append(helper.make_node("Concat", ["boxes", "sure", "scores"], ["columns"], axis=1))
        nodes.append(helper.make_node("Transpose", ["columns"], ["out"], perm=[0, 2, 1]))
        outputs = [("out", [1, A, 5 + L])]
    else:
        nodes.append(helper.make_node("Transpose", ["boxes"], ["pred_boxes"], perm=[0, 2, 1]))
        nodes.append(helper.make_node("Transpose", ["scores"], ["pred_logits"], perm=[0, 2, 1]))
        outputs = [("pred_logits", [1, A, L]), ("pred_boxes", [1, A, 4])]
    return _saved(path, nodes, names, outputs, metadata=_told(names, "detect", told), constants=constants, batch=1)


class PickledColours(torch.nn.Module):
    """As Ultralytics keeps a detector: a module with `names` and `task`, whose head answers boxes and more."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        weight, bias = weights_of(names)
        self.weight, self.bias = torch.nn.Parameter(torch.tensor(weight)), torch.nn.Parameter(torch.tensor(bias))
        self.task = "detect"
        self.names = dict(enumerate(names))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        seen = torch.conv2d(x, self.weight, self.bias).relu()
        scores = (20 * seen).sigmoid().flatten(2)
        boxes = torch.full((len(x), 4, scores.shape[2]), 0.5)
        return torch.cat([boxes, scores], dim=1), {"feats": seen}


def pickled_detector(path: Path, names: Sequence[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": PickledColours(names), "train_args": {"imgsz": SIDE}}, path)
    return path


def timm_folder(folder: Path, outputs: int = 3, *, labels: Sequence[str] = (), seed: int = 0) -> Path:
    """A small residual network with random weights, as timm keeps it."""
    import timm

    shape: dict[str, Any] = {"layers": [1, 1, 1, 1], "channels": [4, 4, 8, 8]}
    torch.manual_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(timm.create_model("resnet18", num_classes=outputs, **shape).state_dict(), folder / "model.safetensors")
    seen = {"input_size": [3, 32, 32], "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4], "crop_pct": 0.875}
    config = {"architecture": "resnet18", "num_classes": outputs, "model_args": shape, "pretrained_cfg": seen}
    (folder / "config.json").write_text(json.dumps({**config, **({"label_names": list(labels)} if labels else {})}))
    return folder


def transformers_folder(folder: Path, labels: Sequence[str], seed: int = 0) -> Path:
    """A small ViT with random weights, as transformers saves it."""
    from transformers import ViTConfig, ViTForImageClassification

    torch.manual_seed(seed)
    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=SIDE,
        patch_size=8,
        id2label=dict(enumerate(labels)),
    )
    ViTForImageClassification(config).save_pretrained(folder)
    preparation = {"size": {"height": SIDE, "width": SIDE}, "image_mean": [0.5] * 3, "image_std": [0.25] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(preparation))
    return folder


def _entrance(channels_last: bool) -> Nodes:
    """To channels first, in a range of 0 to 1 as it comes."""
    if channels_last:
        return [helper.make_node("Transpose", ["image"], ["entered"], perm=[0, 3, 1, 2])]
    return [helper.make_node("Identity", ["image"], ["entered"])]


def _looks() -> Nodes:
    return [
        helper.make_node("Conv", ["entered", "weight", "bias"], ["raw"]),
        helper.make_node("Relu", ["raw"], ["seen"]),
    ]


def _told(names: Sequence[str], task: str, told: bool) -> dict[str, str]:
    return {"names": str(dict(enumerate(names))), "task": task, "imgsz": str([SIDE, SIDE])} if told else {}


def _saved(
    path: Path,
    nodes: Nodes,
    names: Sequence[str],
    outputs: Sequence[tuple[str, list[Any]]],
    *,
    channels_last: bool = False,
    metadata: Mapping[str, str] | None = None,
    constants: Mapping[str, np.ndarray] | None = None,
    batch: int | str = "batch",
) -> Path:
    weight, bias = weights_of(names)
    values = {"weight": weight, "bias": bias, "gain": np.array(20, np.float32), **(constants or {})}
    shape = [batch, SIDE, SIDE, 3] if channels_last else [batch, 3, SIDE, SIDE]
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, dict(metadata or {}))
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path
