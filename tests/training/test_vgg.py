"""The paper's style encoder on a narrow VGG19 with made weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch.nn import functional

from modelsearch_core.cli import main
from modelsearch_core.encoders import style
from modelsearch_core.encoders.style_head import StyleFile, read_style
from modelsearch_core.errors import MissingWeightsError, ModelSearchError
from modelsearch_core.search import Filters, ModelIndex, Query
from modelsearch_core.training.triplet import TripletSettings
from modelsearch_core.training.vgg import train_network
from tests.making.fakes import COLOURS, ColourEncoder
from tests.making.vgg import timm_state, torchvision_state
from tests.search.test_search import patch
from tests.training.test_style import NAMES, catalog_of
from tests.training.test_triplet import labels

SIDE = 32


def pictures(M: int = 4, S: int = 4) -> list[Image.Image]:
    """Models paint in a colour, subjects are squares of different places."""
    images: list[Image.Image] = []
    for colour in list(COLOURS.values())[:M]:
        for place in range(S):
            image = Image.new("RGB", (32, 32), "white")
            image.paste(colour, (4 * place, 3, 4 * place + 14, 26))
            images.append(image)
    return images


def test_the_layers_are_those_of_torchvision():
    """vgg19's own order of layers: 16 convolutions, five halvings."""
    torchvision = pytest.importorskip("torchvision")
    ours = style.untrained(torchvision_state())
    with torch.device("meta"):
        theirs = torchvision.models.vgg19(weights=None)
    assert [type(layer) for layer in ours.features] == [type(layer) for layer in theirs.features]
    assert [type(layer) for layer in ours.classifier] == [type(layer) for layer in theirs.classifier]
    assert ours.avgpool.output_size == theirs.avgpool.output_size[0]


def test_it_computes_what_the_layers_say():
    state = torchvision_state()
    network = style.untrained(state).eval()
    x = torch.rand(2, 3, SIDE, SIDE)
    h = x
    for number in (0, 2, None, 5, 7, None, 10, 12, 14, 16, None, 19, 21, 23, 25, None, 28, 30, 32, 34, None):
        if number is None:
            h = functional.max_pool2d(h, 2)
        else:
            h = functional.conv2d(h, state[f"features.{number}.weight"], state[f"features.{number}.bias"], padding=1)
            h = h.relu()
    h = functional.adaptive_avg_pool2d(h, 7).flatten(1)
    for number in (0, 3):
        h = functional.linear(h, state[f"classifier.{number}.weight"], state[f"classifier.{number}.bias"]).relu()
    wanted = functional.normalize(network.classifier[6](h), dim=1)
    assert torch.allclose(network(x), wanted, atol=1e-5)
    assert wanted.shape == (2, 128)


def test_both_published_files_give_the_same_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MODELSEARCH_WEIGHTS", str(tmp_path))
    with pytest.raises(MissingWeightsError, match=r"vgg19_tv_in1k \(about 575 MB\) are not on disk.*timm/vgg19"):
        style.imagenet_weights(may_download=False)
    save_file(timm_state(), tmp_path / "vgg19_tv_in1k.safetensors")
    of_timm = style.untrained(style.imagenet_weights(may_download=False))
    torch.save(torchvision_state(), tmp_path / "vgg19-dcbb9e9d.pth")
    of_torchvision = style.untrained(style.imagenet_weights(may_download=False))
    mine, theirs = of_timm.state_dict(), of_torchvision.state_dict()
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


def test_other_weights_are_refused():
    with pytest.raises(ModelSearchError, match="no weights of VGG19"):
        style.untrained({"a.weight": torch.zeros(1)})
    state = torchvision_state()
    del state["features.2.bias"]
    with pytest.raises(ModelSearchError, match=r"lack .*features\.2\.bias"):
        style.untrained(state)


def test_training_moves_all_layers_and_lowers_the_loss(tmp_path: Path):
    losses: list[float] = []
    weights = torchvision_state()
    network = train_network(
        pictures(), labels(4, 4), weights, TripletSettings(epochs=6, rate=0.05),
        on_epoch=lambda _, loss: losses.append(loss), device="cpu", side=SIDE,
    )  # fmt: skip
    assert losses[-1] < losses[0]
    assert not torch.equal(network.features[0].weight, weights["features.0.weight"])


def test_a_network_is_read_as_it_was_written(tmp_path: Path):
    network = style.untrained(torchvision_state())
    file = style.save_network(network, tmp_path / "a.safetensors", {"note": "x"}, SIDE)
    assert read_style(tmp_path / "a.safetensors") == file
    encoder = style.StyleEncoder(network, "same", "cpu", style.preparation(SIDE))
    again = style.open_network(file, "cpu")
    assert (again.name, again.dimension) == (file.name, 128)
    assert again.encode_images(pictures()) == pytest.approx(encoder.encode_images(pictures()), abs=2e-2)
    assert np.linalg.norm(again.encode_images(pictures()), axis=1) == pytest.approx(1, abs=1e-4)
    assert again.encode_images([]).shape == (0, 128)


def test_vgg19_is_trained_stored_and_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("MODELSEARCH_WEIGHTS", str(tmp_path))
    torch.save(torchvision_state(), tmp_path / "vgg19-dcbb9e9d.pth")
    monkeypatch.setattr(style, "SIDE", SIDE)
    catalog = catalog_of(tmp_path, NAMES, 4)
    words = ["train", "style", "--network", "vgg19", "--epochs", "1", "--device", "cpu", "--force", "--json"]
    assert main([*words, "--catalog", str(catalog)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["settings"]["batch"], told["settings"]["optimiser"], told["used"]) == (20, "sgd", True)
    with ModelIndex.open(catalog, encoder=ColourEncoder()) as index:
        assert isinstance(index.statistics.styles.space, StyleFile)
        assert index.statistics.styles.V.shape == (6 * 4, 128)
        assert index.search(Query(images=[patch("red")]), method="style", filters=Filters(kind="lora"))
        assert index.search(Query(images=[patch("red")]), filters=Filters(kind="lora"))
        assert index.search(Query(like=["red"]), method="style", filters=Filters(kind="lora"))
        assert index.search(Query(text=["red"]), method="style", filters=Filters(kind="lora"))


def test_without_weights_training_says_where_to_put_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    catalog = catalog_of(tmp_path, NAMES)
    assert main(["train", "style", "--network", "vgg19", "--catalog", str(catalog)]) == 2
    assert "the weights vgg19_tv_in1k (about 575 MB) are not on disk" in capsys.readouterr().err
