"""The CLIP encoder on real open_clip models with random weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from modelsearch_core.embedding import Encoder
from modelsearch_core.encoders import open_encoder
from modelsearch_core.encoders.clip import ClipEncoder
from modelsearch_core.encoders.clip_sources import clip_weights, find_source
from modelsearch_core.errors import MissingWeightsError, ModelSearchError
from tests.making.clip import WORDS, clip_folder, model_config, random_state

ARCHITECTURE = "tiny-test-clip"
SIGLIP = "ViT-B-16-SigLIP"
reads_folders = pytest.mark.skipif(
    not hasattr(open_clip.factory, "LOCAL_DIR_PREFIX"), reason="this open_clip opens no folders itself"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clip_folder(tmp_path_factory.mktemp("clip") / "mini")


@pytest.fixture(scope="module")
def encoder(folder: Path) -> Encoder:
    return open_encoder(str(folder), device="cpu")


@pytest.fixture(scope="module")
def architecture(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small architecture that open_clip knows by name."""
    path = tmp_path_factory.mktemp("architectures") / f"{ARCHITECTURE}.json"
    path.write_text(json.dumps(model_config()))
    open_clip.add_model_config(path)
    return ARCHITECTURE


def pictures(count: int, seed: int = 0) -> list[Image.Image]:
    rng = np.random.default_rng(seed)
    sizes = [(40, 40), (64, 48), (32, 32), (100, 70)]
    return [
        Image.fromarray(rng.integers(0, 256, (*sizes[i % len(sizes)], 3), dtype=np.uint8).astype(np.uint8))
        for i in range(count)
    ]


def test_rows_have_unit_length_and_single_precision(encoder: Encoder):
    for rows in (encoder.encode_images(pictures(5)), encoder.encode_texts(["a red cat", "a green dog"])):
        assert rows.dtype == np.float32
        assert rows.shape[1] == encoder.dimension == 16
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_nothing_gives_no_rows(encoder: Encoder):
    assert encoder.encode_images([]).shape == encoder.encode_texts([]).shape == (0, 16)


@reads_folders
def test_features_are_those_of_open_clip_itself(folder: Path, encoder: Encoder):
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    image, text = pictures(2)[1], "a red cat"
    tokens = open_clip.get_tokenizer(f"local-dir:{folder}")([text])
    with torch.no_grad():
        of_image = model.eval().encode_image(preprocess(image)[None], normalize=True).numpy()
        of_text = model.encode_text(tokens, normalize=True).numpy()
    assert np.allclose(encoder.encode_images([image]), of_image, atol=1e-5)
    assert np.allclose(encoder.encode_texts([text]), of_text, atol=1e-5)


def test_alone_is_as_in_a_batch(encoder: Encoder):
    images, texts = pictures(70), [f"cat number {i}" for i in range(200)]
    together, words = encoder.encode_images(images), encoder.encode_texts(texts)
    assert np.ptp(together @ together.T) > 0.01  # the pictures differ for this model
    for i in (0, 31, 32, 69):
        assert np.allclose(encoder.encode_images([images[i]])[0], together[i], atol=1e-5)
    for i in (0, 127, 128, 199):
        assert np.allclose(encoder.encode_texts([texts[i]])[0], words[i], atol=1e-5)


def test_a_stored_thumbnail_gives_the_features_of_the_fresh_picture(encoder: Encoder, tmp_path: Path):
    image = pictures(1)[0].resize((64, 64))
    image.save(tmp_path / "thumbnail.webp", lossless=True)
    stored = Image.open(tmp_path / "thumbnail.webp")
    assert np.array_equal(encoder.encode_images([stored]), encoder.encode_images([image]))


class Overflowing(torch.nn.Module):
    """Features that float16 cannot hold."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([3e4, 1.0]))

    def encode_text(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.weight * 4 * torch.ones(len(tokens), 1, dtype=self.weight.dtype)


def _no_words(texts: list[str]) -> torch.Tensor:
    return torch.zeros(len(texts), 2, dtype=torch.int64)


@pytest.mark.filterwarnings("error")
def test_a_model_that_overflows_half_precision_is_computed_in_single():
    prepare: Any = None
    encoder = ClipEncoder(Overflowing(), _no_words, prepare, "overflows", torch.device("cpu"))
    encoder.model.half()
    encoder._dtype = torch.float16
    np.testing.assert_allclose(encoder.encode_texts(["a", "b"]), [[1, 1 / 3e4]] * 2, rtol=1e-3)
    assert encoder.model.weight.dtype == torch.float32


def test_weights_that_give_no_numbers_are_refused(folder: Path, tmp_path: Path):
    shutil.copytree(folder, tmp_path / "clip")
    weights = next((tmp_path / "clip").glob("*.safetensors"))
    save_file({name: torch.full_like(value, torch.nan) for name, value in load_file(weights).items()}, weights)
    with pytest.raises(ModelSearchError, match="answers with no numbers; its weights are damaged"):
        open_encoder(str(tmp_path / "clip"), device="cpu")


def test_a_text_beyond_the_context_is_cut(encoder: Encoder):
    long = "a very long text " * 50
    assert np.allclose(encoder.encode_texts([long]), encoder.encode_texts([long + "that goes on"]))


def test_a_folder_with_its_own_words_uses_them(tmp_path: Path):
    folder = clip_folder(tmp_path / "words", own_words=True)
    encoder = open_encoder(str(folder), device="cpu")
    rows = encoder.encode_texts([*WORDS, "red " * 40])
    assert np.linalg.matrix_rank(rows[: len(WORDS)], tol=1e-3) == len(WORDS)
    assert np.all(np.isfinite(rows))
    tokens = find_source(str(folder)).tokenizer()(["a red cat"])[0]
    vocabulary = json.loads((folder / "vocab.json").read_text())
    words = ["<|startoftext|>", "a</w>", "red</w>", "cat</w>", "<|endoftext|>"]
    assert tokens.tolist() == [*(vocabulary[word] for word in words), *[0] * 7]


def test_the_name_survives_a_copy_and_tells_weights_apart(folder: Path, encoder: Encoder, tmp_path: Path):
    copy = shutil.copytree(folder, tmp_path / "elsewhere")
    assert encoder.name.startswith("ViT-8-32-16:")
    assert open_encoder(f"local-dir:{copy}", device="cpu").name == encoder.name
    assert open_encoder(str(clip_folder(tmp_path / "other", seed=1)), device="cpu").name != encoder.name


def test_the_name_tells_apart_how_pictures_are_prepared(encoder: Encoder, tmp_path: Path):
    squashed = open_encoder(str(clip_folder(tmp_path / "squashed", resize_mode="squash")), device="cpu")
    assert squashed.name != encoder.name


def test_a_weights_file_is_opened_for_its_architecture(architecture: str, tmp_path: Path):
    file = tmp_path / "weights.safetensors"
    save_file(random_state(model_config()), file)
    encoder = open_encoder(f"{architecture}/{file}", device="cpu")
    assert encoder.name.startswith(f"{architecture}:")
    assert encoder.encode_images(pictures(2)).shape == (2, 16)


def test_half_precision_and_training_checkpoints_are_read(architecture: str, tmp_path: Path):
    state = random_state(model_config())
    save_file({key: value.half() for key, value in state.items()}, tmp_path / "half.safetensors")
    torch.save({"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state.items()}}, tmp_path / "epoch.pt")
    half, trained = (
        open_encoder(f"{architecture}/{tmp_path / name}", device="cpu") for name in ("half.safetensors", "epoch.pt")
    )
    assert np.allclose(half.encode_images(pictures(3)), trained.encode_images(pictures(3)), atol=5e-3)


def test_weights_of_another_architecture_are_refused_by_name(architecture: str, tmp_path: Path):
    state = random_state(model_config(embed_dim=24))
    save_file(state, tmp_path / "other.safetensors")
    with pytest.raises(ModelSearchError, match=rf"other\.safetensors does not hold the weights of {architecture}"):
        open_encoder(f"{architecture}/{tmp_path / 'other.safetensors'}", device="cpu")


def test_weights_that_would_run_code_are_refused(architecture: str, tmp_path: Path):
    class Harmful:
        def __reduce__(self):
            return Path.touch, (tmp_path / "was_here",)

    torch.save({"state_dict": Harmful()}, tmp_path / "harmful.pt")
    with pytest.raises(ModelSearchError, match=r"harmful\.pt cannot be read as weights"):
        open_encoder(f"{architecture}/{tmp_path / 'harmful.pt'}", device="cpu")
    assert not (tmp_path / "was_here").exists()


@pytest.mark.filterwarnings("ignore")
def test_a_torchscript_archive_is_refused_with_the_way_out(architecture: str, tmp_path: Path):
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), tmp_path / "ViT-B-32.pt")
    with pytest.raises(ModelSearchError, match=r"use a \.safetensors file"):
        open_encoder(f"{architecture}/{tmp_path / 'ViT-B-32.pt'}", device="cpu")


def test_a_name_that_is_nothing_says_what_would_be_one():
    with pytest.raises(ModelSearchError, match=r"'nonsense/x' is neither .* for instance ViT-B-32-quickgelu/openai"):
        open_encoder("nonsense/x")


def test_an_unknown_tag_lists_the_tags_there_are():
    with pytest.raises(ModelSearchError, match=r"ViT-B-32 has no weights 'nobodys'.* laion2b_s34b_b79k"):
        open_encoder("ViT-B-32/nobodys")


def test_a_folder_without_weights_says_what_is_missing(folder: Path, tmp_path: Path):
    shutil.copy(folder / "open_clip_config.json", tmp_path)
    with pytest.raises(MissingWeightsError, match=r"put open_clip_model\.safetensors beside it"):
        open_encoder(str(tmp_path))


@pytest.mark.parametrize("name", ["ViT-B-32/openai", "ViT-B-32-quickgelu/openai", "ViT-B-32"])
def test_openais_weights_always_come_with_the_quick_gelu(name: str, tmp_path: Path):
    (tmp_path / "ViT-B-32-openai.safetensors").touch()
    source = find_source(name, folders=[tmp_path])
    assert source.architecture == "ViT-B-32-quickgelu"
    assert source.config["quick_gelu"] is True
    assert source.weights == tmp_path / "ViT-B-32-openai.safetensors"


def test_other_weights_come_without_it(tmp_path: Path):
    (tmp_path / "ViT-B-32-laion2b_s34b_b79k.safetensors").touch()
    source = find_source("ViT-B-32/laion2b_s34b_b79k", folders=[tmp_path])
    assert source.architecture == "ViT-B-32"
    assert not source.config.get("quick_gelu")


def test_the_default_is_published_as_safetensors_of_605_megabytes():
    weights = clip_weights("ViT-B-32", "openai", open_clip.get_model_config("ViT-B-32") or {})
    assert weights.repository == "timm/vit_base_patch32_clip_224.openai"
    assert weights.files[0] == "open_clip_model.safetensors"
    assert weights.size == 4 * 151_277_313


@pytest.mark.skipif(SIGLIP not in open_clip.list_models(), reason="this open_clip has no SigLIP")
def test_a_file_of_an_architecture_is_prepared_for_as_all_its_published_weights_are(tmp_path: Path):
    (tmp_path / "siglip.safetensors").touch()
    source = find_source(f"{SIGLIP}/{tmp_path / 'siglip.safetensors'}")
    assert source.preparation.mean == (0.5, 0.5, 0.5)
    assert source.preparation.squash


def test_loading_restores_every_tensor(folder: Path):
    saved = load_file(folder / "open_clip_model.safetensors")
    loaded = find_source(str(folder)).model().state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in saved.items())


def test_an_architecture_reads_words_as_open_clip_does(architecture: str, tmp_path: Path):
    save_file(random_state(model_config()), tmp_path / "weights.safetensors")
    tokens = find_source(f"{architecture}/{tmp_path / 'weights.safetensors'}").tokenizer()
    expected = open_clip.tokenize(["a red cat", "long " * 40], context_length=12)
    assert torch.equal(tokens(["a red cat", "long " * 40]), expected)
