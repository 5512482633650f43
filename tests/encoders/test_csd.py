"""CSD: both published forms, what the tower computes, and where its weights are looked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch.nn import functional

from modelsearch_core.encoders import csd
from modelsearch_core.encoders.clip_sources import build
from modelsearch_core.errors import MissingWeightsError, ModelSearchError
from tests.making.csd import DIMENSION, GRID, LAYERS, PATCH, SIDE, WIDTH, authors_file, csd_state, plain_file
from tests.making.fakes import COLOURS


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELSEARCH_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.chdir(tmp_path)


def pictures() -> list[Image.Image]:
    made = [Image.new("RGB", (40, 60), "white") for _ in COLOURS]
    for picture, colour in zip(made, COLOURS.values(), strict=True):
        picture.paste(colour, (5, 20, 25, 40))
    return made


def slowly(state: dict[str, torch.Tensor], pixels: torch.Tensor) -> torch.Tensor:
    """One picture (3, side, side): ViT with CLIP's quick GELU, a head after another."""
    state = {name.removeprefix("backbone."): tensor for name, tensor in state.items()}

    def norm(name: str, x: torch.Tensor) -> torch.Tensor:
        return functional.layer_norm(x, (WIDTH,), state[f"{name}.weight"], state[f"{name}.bias"])

    patches = pixels.unfold(1, PATCH, PATCH).unfold(2, PATCH, PATCH).permute(1, 2, 0, 3, 4).reshape(GRID**2, -1)
    x = torch.cat([state["class_embedding"][None], patches @ state["conv1.weight"].reshape(WIDTH, -1).T])
    x = norm("ln_pre", x + state["positional_embedding"])
    for number in range(LAYERS):
        block = f"transformer.resblocks.{number}"
        joined = norm(f"{block}.ln_1", x) @ state[f"{block}.attn.in_proj_weight"].T
        q, k, v = (joined + state[f"{block}.attn.in_proj_bias"]).split(WIDTH, dim=1)
        heads = [
            (q[:, part] @ k[:, part].T / 64**0.5).softmax(dim=1) @ v[:, part]
            for part in (slice(a, a + 64) for a in range(0, WIDTH, 64))
        ]
        x = x + torch.cat(heads, 1) @ state[f"{block}.attn.out_proj.weight"].T + state[f"{block}.attn.out_proj.bias"]
        h = norm(f"{block}.ln_2", x) @ state[f"{block}.mlp.c_fc.weight"].T + state[f"{block}.mlp.c_fc.bias"]
        h = h * torch.sigmoid(1.702 * h)
        x = x + h @ state[f"{block}.mlp.c_proj.weight"].T + state[f"{block}.mlp.c_proj.bias"]
    return functional.normalize(norm("ln_post", x[0]) @ state["last_layer_style"], dim=0)


def test_it_computes_what_the_layers_say():
    state = csd_state()
    network = csd.CsdNetwork(csd.tower_state(state, Path("made"))).eval()
    assert (network.side, network.dimension) == (SIDE, DIMENSION)
    x = torch.randn(3, 3, SIDE, SIDE)
    wanted = torch.stack([slowly(state, pixels) for pixels in x])
    with torch.no_grad():
        assert torch.allclose(network(x), wanted, atol=1e-4)


def test_in_full_size_it_is_clips_tower():
    """297 tensors, as many as the published file has."""
    config: Any = open_clip.get_model_config("ViT-L-14-quickgelu")
    with torch.device("meta"):
        clip: Any = build(config)
        tower: dict[str, torch.Tensor] = clip.visual.state_dict()
        projection = tower.pop("proj")
        state = {f"backbone.{name}": tensor for name, tensor in tower.items()}
        state |= {"last_layer_style": projection, "last_layer_content": projection}
        network: Any = csd.CsdNetwork(csd.tower_state(state, Path("published")))
    assert (len(state), tuple(projection.shape)) == (297, (1024, 768))
    assert (network.side, network.dimension) == (224, 768)
    assert [block.attn.num_heads for block in network.tower.transformer.resblocks] == [16] * 24


def test_both_published_forms_give_the_same_features(tmp_path: Path):
    plain = csd.open_csd(plain_file(tmp_path / "a.safetensors"), "cpu")
    authors = csd.open_csd(authors_file(tmp_path / "b.bin"), "cpu")
    V = plain.encode_images(pictures())
    assert (V.shape, plain.dimension) == ((len(COLOURS), DIMENSION), DIMENSION)
    assert authors.encode_images(pictures()) == pytest.approx(V, abs=1e-6)
    assert np.linalg.norm(V, axis=1) == pytest.approx(1, abs=1e-5)
    assert (V @ V.T)[~np.eye(len(V), dtype=bool)].max() < 0.999
    assert plain.encode_images([]).shape == (0, DIMENSION)


def test_other_names_of_the_same_tensors_are_known(tmp_path: Path):
    state = {f"model.{name}": tensor.half() for name, tensor in csd_state().items()}
    save_file({**state, "model.backbone.proj": torch.zeros(WIDTH, 7)}, tmp_path / "a.safetensors")
    V = csd.open_csd(plain_file(tmp_path / "b.safetensors"), "cpu").encode_images(pictures())
    assert csd.open_csd(tmp_path / "a.safetensors", "cpu").encode_images(pictures()) == pytest.approx(V, abs=2e-2)


def test_it_is_found_where_weights_lie(tmp_path: Path):
    assert csd.find_csd() is None
    for place in ("models/clip_vision/csd_vit-l.pth", "weights/CSD-ViT-L.bin", "weights/CSD-ViT-L.safetensors"):
        file = tmp_path / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        assert csd.find_csd() == file


def test_it_is_found_in_the_hubs_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cached = {("tomg-group-umd/CSD-ViT-L", "pytorch_model.bin"): str(tmp_path / "blob")}
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *asked: cached.get(asked))
    assert csd.find_csd() == tmp_path / "blob"


def test_without_a_download_the_error_says_where_to_put_it():
    with pytest.raises(MissingWeightsError, match=r"CSD-ViT-L \(about 1219 MB\) are not on disk: downloading was not"):
        csd.csd_file(may_download=False)


def test_the_same_weights_are_found_under_another_name(tmp_path: Path):
    first = plain_file(tmp_path / "mine.safetensors")
    name = csd.csd_name(first)
    assert csd.same_csd(name, first) == first
    moved = first.replace(plain_file(tmp_path / "weights" / "CSD-ViT-L.safetensors", seed=1))
    assert csd.same_csd(name, first) == moved
    plain_file(moved, seed=2)
    with pytest.raises(MissingWeightsError, match=f"the weights {name}, .* no longer at .*mine.safetensors"):
        csd.same_csd(name, first)


def test_files_that_are_something_else_are_refused(tmp_path: Path):
    save_file({"visual.conv1.weight": torch.zeros(1)}, tmp_path / "clip.safetensors")
    with pytest.raises(ModelSearchError, match=r"clip.safetensors does not hold .* \(there is no last_layer_style\)"):
        csd.open_csd(tmp_path / "clip.safetensors")
    state = csd_state()
    del state["backbone.transformer.resblocks.1.ln_2.bias"]
    save_file(state, tmp_path / "half.safetensors")
    with pytest.raises(ModelSearchError, match=r"half.safetensors does not hold .*resblocks\.1\.ln_2\.bias"):
        csd.open_csd(tmp_path / "half.safetensors")
    (tmp_path / "words.pth").write_text("no weights")
    with pytest.raises(ModelSearchError, match=r"words\.pth cannot be read as weights"):
        csd.open_csd(tmp_path / "words.pth")
    torch.save(torch.zeros(2), tmp_path / "one.pth")
    with pytest.raises(ModelSearchError, match=r"one\.pth holds a Tensor in the place of weights"):
        csd.open_csd(tmp_path / "one.pth")
    with pytest.raises(MissingWeightsError, match=r"there is no file .*gone\.pth"):
        csd.open_csd(tmp_path / "gone.pth")


def test_what_is_pickled_beside_the_weights_is_not_run(tmp_path: Path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    torch.save({"model_state_dict": csd_state(), "args": Trap()}, tmp_path / "bad.pth")
    with pytest.raises(ModelSearchError, match=r"bad.pth cannot be read as weights"):
        csd.open_csd(tmp_path / "bad.pth")
    assert not (tmp_path / "sprung").exists()
