"""Maps of where things are: what timm itself computes, under a name that tells weights apart, with clear refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image, ImageOps
from safetensors.torch import load_file, save_file
from timm.data import create_transform

from modelsearch_core.encoders import spatial
from modelsearch_core.encoders.spatial import SpatialEncoder, find_spatial_source, open_spatial_encoder
from modelsearch_core.encoders.weights import VARIABLE
from modelsearch_core.errors import MissingWeightsError, ModelSearchError
from tests.making.convnext import tiny, write_convnext


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_convnext(tmp_path / "convnext")


@pytest.fixture
def encoder(folder: Path) -> SpatialEncoder:
    return open_spatial_encoder(str(folder), device="cpu")


def pictures(count: int = 3, side: int = 40) -> list[Image.Image]:
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 256, (side, side + 9, 3), dtype=np.uint8)) for _ in range(count)]


def test_a_map_is_what_timm_computes_flattened_and_of_unit_length(encoder: SpatialEncoder):
    seen = create_transform(
        (3, 28, 28), mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4), crop_pct=0.875, interpolation="bicubic"
    )
    with torch.inference_mode():
        maps = tiny().forward_features(torch.stack([seen(image) for image in pictures()]))  # type: ignore[operator]
    assert maps.shape == (3, 6, 3, 3)
    expected = maps.flatten(1).numpy()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert encoder.dimension == 6 * 3 * 3
    assert np.allclose(encoder.encode_images(pictures()), expected, atol=1e-6)


def test_a_picture_s_map_does_not_depend_on_its_company(encoder: SpatialEncoder):
    images = pictures(spatial.BATCH + 2)
    assert np.allclose(encoder.encode_images(images)[-1], encoder.encode_images(images[-1:])[0], atol=1e-6)
    assert encoder.encode_images([]).shape == (0, encoder.dimension)


def test_a_mirrored_picture_has_another_map(encoder: SpatialEncoder):
    left = Image.new("RGB", (32, 32), "white")
    left.paste("black", (0, 0, 12, 32))
    z = encoder.encode_images([left, ImageOps.mirror(left)])
    assert z[0] @ z[1] < 0.99


def test_alpha_and_grey_are_seen_as_colours(encoder: SpatialEncoder):
    grey = pictures(1)[0].convert("L")
    z = encoder.encode_images([grey, grey.convert("RGB"), grey.convert("RGBA")])
    assert np.allclose(z, z[:1], atol=1e-6)


def test_the_name_tells_weights_and_preparation_apart_and_not_places(tmp_path: Path, encoder: SpatialEncoder):
    def name(folder: str, **others: object) -> str:
        return open_spatial_encoder(str(write_convnext(tmp_path / folder, **others)), device="cpu").name  # type: ignore[arg-type]

    assert encoder.name.startswith("convnext_tiny-map:")
    assert name("elsewhere") == encoder.name
    assert len({encoder.name, name("other weights", seed=1), name("other eyes", crop_pct=1.0)}) == 3


def test_half_precision_and_the_local_prefix_do(folder: Path, encoder: SpatialEncoder):
    file = folder / "model.safetensors"
    save_file({key: tensor.half() for key, tensor in load_file(file).items()}, file)
    halved = open_spatial_encoder(f"local-dir:{folder}", device="cpu")
    assert np.allclose(halved.encode_images(pictures()), encoder.encode_images(pictures()), atol=2e-3)
    assert halved.name != encoder.name


def test_published_weights_are_found_where_they_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    model = timm.create_model("convnext_atto", num_classes=1000)
    save_file(model.state_dict(), tmp_path / "convnext_atto.d2_in1k.safetensors")  # type: ignore[union-attr]
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    source = find_spatial_source("convnext_atto.d2_in1k", may_download=False)
    encoder = SpatialEncoder.of(source, "cpu")
    assert (encoder.side, encoder.dimension) == (224, 320 * 7 * 7)


def test_weights_that_cannot_be_had_name_their_source_and_size():
    with pytest.raises(
        MissingWeightsError, match=r"178 MB.*timm/convnext_tiny\.fb_in22k/resolve/main/model\.safetensors"
    ):
        open_spatial_encoder(spatial.DEFAULT, may_download=False)


def test_a_network_without_a_map_is_refused_before_it_is_downloaded():
    with pytest.raises(ModelSearchError, match="no last map of places; choose a ConvNeXt"):
        open_spatial_encoder("vit_base_patch16_224.augreg_in21k")


def test_a_name_that_nothing_has_is_told_what_there_is():
    with pytest.raises(ModelSearchError, match=r"'convnext_tiny'.*convnext_tiny\.fb_in1k"):
        open_spatial_encoder("convnext_tiny")
    with pytest.raises(ModelSearchError, match=r"'nothing' is neither a folder .* convnext_tiny\.fb_in22k"):
        open_spatial_encoder("nothing")


def test_foreign_weights_are_refused(folder: Path):
    config = json.loads((folder / "config.json").read_text())
    config["model_args"]["dims"] = [4, 4, 4, 8]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelSearchError, match="does not hold timm's weights of convnext_tiny"):
        open_spatial_encoder(str(folder))
    state = load_file(folder / "model.safetensors")
    del state["stem.0.weight"]
    save_file(state, write_convnext(folder) / "model.safetensors")
    with pytest.raises(ModelSearchError, match=r"1 layers differ, for instance stem\.0\.weight"):
        open_spatial_encoder(str(folder))


def test_a_folder_with_half_of_what_it_takes_says_what_is_missing(folder: Path):
    (folder / "model.safetensors").unlink()
    with pytest.raises(MissingWeightsError, match=r"no weights; put model\.safetensors beside it"):
        open_spatial_encoder(str(folder))
    (folder / "config.json").write_text('{"architecture": "convnext_tiny"}')
    with pytest.raises(ModelSearchError, match=r"is not one of timm's .KeyError"):
        open_spatial_encoder(str(folder))
