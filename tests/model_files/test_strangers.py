"""What is no model says what it is, and how to come by the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelsearch_core.errors import UnreadableModelError
from modelsearch_core.model_files import Kind, SkippedFile, read_model_file, scan
from modelsearch_core.model_files.strangers import plain_line
from tests.making.model_files import kohya_lora, write_safetensors

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab\nsize 4265380512\n"
PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>"


@pytest.mark.parametrize("name", ["model.safetensors", "v1-5-pruned.ckpt", "flux.gguf", "x.bin"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (POINTER, r"a Git LFS pointer of 83 bytes, not the model itself \(4\.3 GB\); run `git lfs pull`"),
        (PAGE, "a saved web page, not a model; download the file itself, signed in"),
        (b"\xef\xbb\xbf\n <HTML lang=de>", "a saved web page"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "a saved web page"),
        (b'{"error": "unauthorised"}', r"a text in JSON, not a model \('{\"error\": \"unauthorised\"}'\)"),
        (b"Not found\n", r"a text, not a model \('Not found'\)"),
        (bytes(5000), r"first 4096 bytes are zeros: the download was interrupted; download it again"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(40), "a 7z archive; unpack it"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "a PNG file, not a model"),
    ],
)
def test_a_file_of_another_kind_is_called_by_its_name(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableModelError, match=reason):
        read_model_file(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.safetensors", b"GGUF\x03" + bytes(40), r"a GGUF file that is named \.safetensors; rename it to \.gguf"),
        ("a.safetensors", b"PK\x03\x04" + bytes(40), r"a PyTorch file .*named \.safetensors; rename it to \.ckpt"),
        ("a.gguf", b"PK\x03\x04" + bytes(40), r"a PyTorch file .*rename it to \.ckpt"),
    ],
)
def test_a_wrong_ending_is_told(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableModelError, match=reason):
        read_model_file(tmp_path / name)


def test_safetensors_under_another_ending_are_told(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "a.ckpt", kohya_lora())
    with pytest.raises(UnreadableModelError, match=r"a safetensors file that is named \.ckpt; rename it"):
        read_model_file(path)


def test_a_download_that_goes_on_is_no_model_until_it_ends(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "a.safetensors", kohya_lora())
    (tmp_path / "a.safetensors.aria2").write_bytes(b"123")
    [found] = scan([tmp_path])
    assert isinstance(found, SkippedFile)
    assert found.reason.startswith("an unfinished download: a.safetensors.aria2 lies beside it")
    (tmp_path / "a.safetensors.aria2").unlink()
    [now] = scan([tmp_path], {found.path: found})
    assert now == read_model_file(path)


@pytest.mark.parametrize(
    ("shapes", "what"),
    [
        ({"clip_l": (4, 768), "clip_l_out": (4, 768), "t5": (4, 4096), "t5_out": (4, 4096)}, "an embedding"),
        ({"clip_g": (16, 1280)}, "an embedding"),
        ({"qwen": (8, 3584)}, "an embedding"),
        ({"768.0.linear.0.weight": (1536, 768), "768.0.linear.0.bias": (1536,)}, "a hypernetwork"),
        ({"lllite_unet_output_blocks_0_0_0_attn1_to_q.down.0.weight": (8, 640)}, "a ControlNet"),
        (
            {
                "down_blocks.0.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.0"
                ".processor.to_q_lora.down.weight": (4, 320)
            },
            "a motion LoRA",
        ),
        (
            {
                "img_in.lora_A.weight": (128, 128),
                "img_in.lora_B.weight": (3072, 128),
                "double_blocks.0.img_attn.proj.lora_A.weight": (16, 3072),
            },
            "a control LoRA",
        ),
        (
            {
                "transformer.x_embedder.lora_A.weight": (128, 128),
                "transformer.transformer_blocks.0.attn.to_q.lora_A.weight": (16, 3072),
            },
            "a control LoRA",
        ),
    ],
)
def test_companions_of_models_are_called_by_their_names(
    tmp_path: Path, shapes: dict[str, tuple[int, ...]], what: str
) -> None:
    with pytest.raises(UnreadableModelError, match=f"{what}.*, which generates nothing on its own"):
        read_model_file(write_safetensors(tmp_path / "a.safetensors", shapes))


@pytest.mark.parametrize("width", [3072, 4096, 6144])
def test_flux2_has_as_many_channels_as_a_control_lora_of_flux(tmp_path: Path, width: int) -> None:
    shapes = {
        "diffusion_model.img_in.lora_A.weight": (8, 128),
        "diffusion_model.img_in.lora_B.weight": (width, 8),
        "diffusion_model.single_blocks.0.linear1.lora_A.weight": (8, width),
        "diffusion_model.single_blocks.0.linear1.lora_B.weight": (9 * width, 8),
    }
    found = read_model_file(write_safetensors(tmp_path / "a.safetensors", shapes))
    assert (found.kind, found.architecture) == (Kind.LORA, "flux2")


def test_a_lora_that_adapts_the_first_layer_is_none_of_them(tmp_path: Path) -> None:
    shapes = {
        "diffusion_model.img_in.lora_A.weight": (16, 64),
        "diffusion_model.img_in.lora_B.weight": (3072, 16),
        "diffusion_model.double_blocks.0.img_attn.proj.lora_A.weight": (16, 3072),
        "diffusion_model.double_blocks.0.img_attn.proj.lora_B.weight": (3072, 16),
    }
    assert read_model_file(write_safetensors(tmp_path / "a.safetensors", shapes)).architecture == "flux"


def test_a_hypernetwork_in_a_pytorch_file_is_told(tmp_path: Path) -> None:
    import torch

    layers = [{"linear.0.weight": torch.zeros(64, 32), "linear.0.bias": torch.zeros(64)} for _ in range(2)]
    torch.save({320: layers, 768: layers, "name": "x", "step": 3}, tmp_path / "x.pt")
    with pytest.raises(UnreadableModelError, match="a hypernetwork"):
        read_model_file(tmp_path / "x.pt")


def test_reasons_hold_no_commands_to_a_terminal(tmp_path: Path) -> None:
    assert plain_line("a \x1b[1mbold\x1b[0m\n\tword\x07 \x1b]0;title") == "a bold word"
    write_safetensors(tmp_path / "a.safetensors", {"\x1b[2Jx\u202e": (2, 2)})
    [found] = scan([tmp_path])
    assert isinstance(found, SkippedFile) and found.reason.isprintable()
