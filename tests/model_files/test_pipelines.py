from __future__ import annotations

from pathlib import Path

import pytest

from modelsearch_core.errors import UnreadableModelError
from modelsearch_core.model_files import Kind, read_model_file
from tests.making.model_files import diffusers_unet, write_json, write_pipeline, write_safetensors


def unet(folder: Path) -> Path:
    return folder / "unet/diffusion_pytorch_model.safetensors"


@pytest.mark.parametrize(("context", "architecture"), [(64, "sd_mini"), (768, "sd15"), (1024, "sd2"), (2048, "sdxl")])
def test_stable_diffusion_is_told_by_its_config(tmp_path: Path, context: int, architecture: str) -> None:
    model = read_model_file(write_pipeline(tmp_path / "My model", context))
    assert (model.kind, model.architecture, model.title) == (Kind.CHECKPOINT, architecture, "My model")


def transformer_pipeline(folder: Path, pipeline: str, model: str) -> Path:
    write_json(folder / "model_index.json", {"_class_name": pipeline, "transformer": ["diffusers", model]})
    write_json(folder / "transformer/config.json", {"_class_name": model})
    for number in (1, 2):
        name = f"transformer/diffusion_pytorch_model-{number:05d}-of-00002.safetensors"
        write_safetensors(folder / name, {f"block.{number}.weight": (4,)})
    return folder


@pytest.mark.parametrize(
    ("pipeline", "model", "architecture"),
    [
        ("FluxPipeline", "FluxTransformer2DModel", "flux"),
        ("Flux2Pipeline", "Flux2Transformer2DModel", "flux2"),
        ("StableDiffusion3Pipeline", "SD3Transformer2DModel", "sd3"),
        ("ZImagePipeline", "ZImageTransformer2DModel", "z_image"),
        ("QwenImagePipeline", "QwenImageTransformer2DModel", "qwen_image"),
        ("LTX2Pipeline", "LTX2VideoTransformer3DModel", "ltx2"),
        ("BrandNewPipeline", "BrandNewTransformer", "unknown"),
    ],
)
def test_transformers_are_told_by_their_class(tmp_path: Path, pipeline: str, model: str, architecture: str) -> None:
    assert read_model_file(transformer_pipeline(tmp_path / "m", pipeline, model)).architecture == architecture


@pytest.mark.parametrize(
    ("pipeline", "config", "architecture"),
    [
        (
            "StableDiffusionXLPipeline",
            {"cross_attention_dim": 2048, "projection_class_embeddings_input_dim": 2816},
            "sdxl",
        ),
        (
            "StableDiffusionXLImg2ImgPipeline",
            {"cross_attention_dim": 1280, "projection_class_embeddings_input_dim": 2560},
            "sdxl_refiner",
        ),
        ("KandinskyV22Pipeline", {"cross_attention_dim": 1280, "encoder_hid_dim_type": "image_proj"}, "unknown"),
        ("OtherPipeline", {"cross_attention_dim": 768, "encoder_hid_dim_type": "text_image_proj"}, "unknown"),
        ("IFPipeline", {"cross_attention_dim": 1280}, "unknown"),
        ("StableDiffusionInpaintPipeline", {"cross_attention_dim": 768, "in_channels": 9}, "sd15"),
        ("StableUnCLIPPipeline", {"cross_attention_dim": 1024, "projection_class_embeddings_input_dim": 2048}, "sd2"),
    ],
)
def test_unets_are_told_by_their_config_and_pipeline(
    tmp_path: Path, pipeline: str, config: dict[str, object], architecture: str
) -> None:
    folder = write_pipeline(tmp_path / "m")
    write_json(folder / "model_index.json", {"_class_name": pipeline, "unet": ["diffusers", "UNet2DConditionModel"]})
    write_json(folder / "unet/config.json", {"_class_name": "UNet2DConditionModel", **config})
    model = read_model_file(folder)
    assert model.architecture == architecture
    assert model.unknown_because == (
        f"its unet is a UNet2DConditionModel of a {pipeline}" if architecture == "unknown" else ""
    )


def test_an_upscaler_in_a_folder_is_called_so(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "m")
    config = {"_class_name": "UNet2DConditionModel", "cross_attention_dim": 1024, "in_channels": 7}
    write_json(folder / "unet/config.json", config)
    with pytest.raises(UnreadableModelError, match="an upscaler, which generates nothing on its own"):
        read_model_file(folder)


def test_kolors_is_told_by_its_pipeline(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "m", 2048)
    write_json(folder / "model_index.json", {"_class_name": "KolorsPipeline", "unet": ["diffusers", "x"]})
    assert read_model_file(folder).architecture == "kolors"


def test_the_size_is_that_of_the_weights_and_shards_count_together(tmp_path: Path) -> None:
    folder = transformer_pipeline(tmp_path / "m", "FluxPipeline", "FluxTransformer2DModel")
    shards = list(folder.glob("transformer/*.safetensors"))
    assert read_model_file(folder).size == sum(path.stat().st_size for path in shards)


def test_variants_and_pickles_beside_the_weights_change_nothing(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "m")
    first = read_model_file(folder)
    write_safetensors(folder / "unet/diffusion_pytorch_model.fp16.safetensors", diffusers_unet(), seed=3)
    (folder / "unet/diffusion_pytorch_model.bin").write_bytes(b"x" * 100)
    assert (read_model_file(folder).size, read_model_file(folder).fingerprint) == (first.size, first.fingerprint)


@pytest.mark.parametrize("name", ["diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.bin"])
def test_a_folder_of_nothing_else_is_read_too(tmp_path: Path, name: str) -> None:
    folder = write_pipeline(tmp_path / "m")
    unet(folder).rename(folder / "unet" / name)
    assert read_model_file(folder).architecture == "sd15"


def test_the_files_of_its_parts_are_no_sidecars(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "m")
    (folder / "tokenizer").mkdir()
    (folder / "tokenizer/merges.txt").write_text("#version: 0.2")
    write_json(folder / "scheduler/scheduler_config.json", {"description": "no", "trainedWords": ["no"]})
    model = read_model_file(folder)
    assert (model.description, model.trigger_words, model.title) == ("", (), "m")


def test_in_the_hubs_cache_the_title_is_the_repositorys(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "models--author--ink-wash/snapshots/0123abcd")
    assert read_model_file(folder).title == "ink-wash"


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "m")
    unet(folder).unlink()
    with pytest.raises(UnreadableModelError, match="no weights in unet"):
        read_model_file(folder)
    write_json(folder / "model_index.json", {"_class_name": "AudioPipeline", "vocoder": ["x", "y"]})
    with pytest.raises(UnreadableModelError, match="it generates nothing"):
        read_model_file(folder)
    (folder / "model_index.json").write_text("{")
    with pytest.raises(UnreadableModelError, match=r"m/model_index\.json is not JSON"):
        read_model_file(folder)


def test_a_truncated_part_is_a_reason_to_skip_the_whole(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "m")
    unet(folder).write_bytes(unet(folder).read_bytes()[:-1])
    with pytest.raises(UnreadableModelError, match="truncated"):
        read_model_file(folder)


@pytest.mark.parametrize(
    ("model", "config", "variant"),
    [
        ("Flux2Transformer2DModel", {"num_attention_heads": 48, "attention_head_dim": 128}, "dev"),
        ("Flux2Transformer2DModel", {"num_attention_heads": 24, "attention_head_dim": 128}, "klein-4b"),
        ("WanTransformer3DModel", {"num_attention_heads": 12, "attention_head_dim": 128}, "1.3b"),
        ("ZImageTransformer2DModel", {"dim": 3840}, "6b"),
        ("Flux2Transformer2DModel", {"num_attention_heads": 1, "attention_head_dim": 8}, None),
        ("Flux2Transformer2DModel", {"num_attention_heads": "48"}, None),
    ],
)
def test_the_variant_is_told_by_the_widths_of_the_config(
    tmp_path: Path, model: str, config: dict[str, object], variant: str | None
) -> None:
    folder = transformer_pipeline(tmp_path / "model", "Pipeline", model)
    write_json(folder / "transformer/config.json", {"_class_name": model, **config})
    assert read_model_file(folder).variant == variant
