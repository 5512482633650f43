from __future__ import annotations

from pathlib import Path

import pytest

from modelsearch_core.model_files import read_model_file
from modelsearch_core.model_files.names import base_name
from tests.making.model_files import kohya_lora, write_safetensors


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("my-sdxl/unet/diffusion_pytorch_model.safetensors", "my-sdxl"),
        ("sdxl-turbo-unet/diffusion_pytorch_model.fp16.safetensors", "sdxl-turbo-unet"),
        ("peft-run/checkpoint-500/adapter_model.safetensors", "peft-run"),
        ("peft-run/checkpoint-500.safetensors", "peft-run"),
        ("lcm-lora-sdxl/pytorch_lora_weights.safetensors", "lcm-lora-sdxl"),
        ("ink/model_fp16.safetensors", "ink"),
        ("models--jane--ink-wash/snapshots/0123456789abcdef0123456789abcdef01234567/model.safetensors", "ink-wash"),
        ("ink/loras/model.safetensors", "ink"),
        ("ink/epoch10.ckpt.safetensors", "ink"),
        ("ink/1.5.safetensors", "1.5"),
        ("ink/000500.safetensors", "000500"),
        ("unet/unet painter.safetensors", "unet painter"),
        ("ComfyUI/models/loras/last.safetensors", "last"),
        ("ComfyUI/models/loras/pytorch_lora_weights.safetensors", "pytorch_lora_weights"),
        ("ohwx woman/last.safetensors", "ohwx woman"),
        ("ohwx woman/last-step00000100.safetensors", "ohwx woman"),
        ("ohwx woman/at-step00002000.safetensors", "ohwx woman"),
        ("ohwx woman/epoch-000004.safetensors", "ohwx woman"),
        ("ohwx woman/final_lora.safetensors", "ohwx woman"),
        ("ohwx woman/lora-000010.safetensors", "ohwx woman"),
        ("ohwx woman/pytorch_lora_weights-000010.safetensors", "ohwx woman"),
        ("ohwx woman/checkpoint_e20/adapter.safetensors", "ohwx woman"),
        ("ohwx woman/finale.safetensors", "finale"),
        ("ohwx woman/lora1.safetensors", "lora1"),
    ],
)
def test_a_model_is_called_by_the_first_name_that_tells(tmp_path: Path, path: str, title: str) -> None:
    assert read_model_file(write_safetensors(tmp_path / path, kohya_lora())).title == title


def test_where_nothing_tells_it_is_called_by_its_file(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "models/loras/checkpoints/outputs/unet/model.safetensors", kohya_lora())
    assert read_model_file(path).title == "model"


@pytest.mark.parametrize(
    ("hint", "name"),
    [
        (r"C:\Users\me\models\ponyDiffusionV6XL.safetensors", "ponyDiffusionV6XL.safetensors"),
        ("/workspace/stable-diffusion/animefull.ckpt", "animefull.ckpt"),
        ("~/sd/flux1-dev.safetensors", "flux1-dev.safetensors"),
        ("../models/Illustrious/unet/diffusion_pytorch_model.safetensors", "Illustrious"),
        ("models/noobai.safetensors", "noobai.safetensors"),
        ("https://huggingface.co/org/base/resolve/main/noobaiXL.safetensors", "noobaiXL.safetensors"),
        (
            "/root/.cache/huggingface/hub/models--stabilityai--stable-diffusion-xl-base-1.0/snapshots/" + "0" * 40,
            "stabilityai/stable-diffusion-xl-base-1.0",
        ),
        ("stabilityai/stable-diffusion-xl-base-1.0", "stabilityai/stable-diffusion-xl-base-1.0"),
        ("stable-diffusion-xl-v1-base/lora", "stable-diffusion-xl-v1-base/lora"),
        ("SD 1.5", "SD 1.5"),
        ("/workspace/model.safetensors", "model.safetensors"),
        ("None", None),
        ("", None),
        (3, None),
    ],
)
def test_a_base_is_its_name_not_where_it_lay(hint: object, name: str | None) -> None:
    assert base_name(hint) == name
