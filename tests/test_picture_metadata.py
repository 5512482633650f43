"""What pictures of the common programs say of their models."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from modelsearch_core.model_files import Kind
from modelsearch_core.picture_metadata import Mention, mentions

A1111 = """a lake, <lora:ink wash:0.8> <lyco:fog:1>
Negative prompt: blurry
Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512, Model hash: aaaa, Model: dreamy_v3, \
Lora hashes: "ink wash: 11, neon: 22", Version: v1.10"""
COMFY = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sub\\base.safetensors"}},
    "2": {"class_type": "LoraLoader", "inputs": {"lora_name": "ink.safetensors", "strength_model": 1.0}},
    "3": {"class_type": "VAELoader", "inputs": {"vae_name": "ae.safetensors"}},
    "4": {"class_type": "DualCLIPLoader", "inputs": {"clip_name1": "clip_l.safetensors"}},
    "5": {"class_type": "UNETLoader", "inputs": {"unet_name": "flux.safetensors"}},
    "6": {
        "class_type": "Power Lora Loader (rgthree)",
        "inputs": {
            "lora_1": {"on": True, "lora": "on.safetensors", "strength": 1},
            "lora_2": {"on": False, "lora": "off.safetensors", "strength": 1},
        },
    },
}


def png(**texts: str) -> Image.Image:
    written = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        written.add_itxt(name, text)
    return reread(Image.new("RGB", (4, 4)), "PNG", pnginfo=written)


def reread(image: Image.Image, form: str, **options: Any) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return Image.open(io.BytesIO(buffer.getvalue()))


def lora(*names: str) -> list[Mention]:
    return [Mention(name, Kind.LORA) for name in names]


def test_a_webuis_infotext_names_lora_and_checkpoint():
    found = mentions(png(parameters=A1111))
    assert found == [*lora("ink wash", "fog", "neon"), Mention("dreamy_v3", Kind.CHECKPOINT)]


def test_a_comfyui_prompt_names_what_was_switched_on():
    assert mentions(png(prompt=json.dumps(COMFY))) == [
        *lora("ink.safetensors", "on.safetensors"),
        Mention("sub\\base.safetensors", Kind.CHECKPOINT),
        Mention("flux.safetensors", Kind.DIFFUSION_MODEL),
    ]


def test_a_workflow_without_a_prompt_is_enough_and_muted_nodes_are_left_out():
    nodes = [
        {"type": "LoraLoader", "mode": 0, "widgets_values": ["ink.safetensors", 1, 1]},
        {"type": "LoraLoader", "mode": 4, "widgets_values": ["bypassed.safetensors", 1, 1]},
    ]
    assert mentions(png(workflow=json.dumps({"nodes": nodes}))) == lora("ink.safetensors")


def test_what_a_jpeg_says_in_its_exif_is_read():
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + A1111.encode("utf-16-be")
    found = mentions(reread(Image.new("RGB", (4, 4)), "JPEG", exif=exif))
    assert Mention("ink wash", Kind.LORA) in found


@pytest.mark.parametrize("text", ["", "{", "[[[[", "{}", "null", "no model at all", '{"a": ' * 3000 + "1" + "}" * 3000])
def test_what_says_nothing_says_nothing(text: str):
    assert mentions(png(parameters=text, prompt=text)) == []


def test_a_plain_picture_says_nothing():
    assert mentions(Image.new("RGB", (4, 4))) == []
