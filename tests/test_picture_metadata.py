"""What pictures of the common programs say of their models."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from modelsearch_core.model_files import Kind
from modelsearch_core.picture_metadata import Mention, account_of, mentions

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


def graph(nodes: dict[str, dict[str, Any]]) -> str:
    return json.dumps({name: {"class_type": "KSampler", "inputs": inputs} for name, inputs in nodes.items()})


SAMPLERS = {str(i): {"seed": 1, "positive": ["all", 0]} for i in range(9000)}
ENDLESS = {  # each of them took from ten seconds to hours
    "tags that are not closed": ("parameters", "<lora:" * 300_000),
    "empty lines": ("parameters", "\n" * 1_000_000),
    "a long name of a node": (
        "prompt",
        json.dumps({"1": {"class_type": "X" * 500_000, "inputs": {f"k{i}": "a.pt" for i in range(30_000)}}}),
    ),
    "samplers of the same many nodes": (
        "prompt",
        graph({**SAMPLERS, "all": {f"x{i}": [f"n{i}", 0] for i in range(9000)}, **{f"n{i}": {} for i in range(9000)}}),
    ),
    "a quarter of a million LoRA": ("parameters", "".join(f"<lora:{i}:1>" for i in range(250_000))),
}
READ = """
import sys, resource
from PIL import Image
from modelsearch_core.picture_metadata import account_of, mentions
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
with Image.open(sys.argv[1]) as picture:
    mentions(picture), account_of(picture)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits a process as Unix does")
@pytest.mark.parametrize("what", ENDLESS)
def test_no_text_takes_long(tmp_path: Path, what: str):
    chunk, text = ENDLESS[what]
    written = PngImagePlugin.PngInfo()
    written.add_itxt(chunk, text)
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png", pnginfo=written)
    subprocess.run([sys.executable, "-c", READ, str(tmp_path / "a.png")], check=True)


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ('{"lora": "x.safetensors", "strength": 1' + "0" * 400 + "}", ["x.safetensors"]),
        ('{"sui_image_params": {"loras": [{}], "model": "m"}, "sui_models": 3}', ["{}", "m"]),
        ('{"sui_image_params": {"loras": 7, "model": "m"}, "sui_models": [7]}', ["m"]),
    ],
)
def test_what_is_written_oddly_is_no_failure(document: str, named: list[str]):
    assert [each.name for each in mentions(png(parameters=document))] == named


def test_what_no_file_is_called_is_no_name():
    assert mentions(png(parameters=f"<lora:{'a' * 5000}:1> <lora:ink:1>")) == lora("ink")


def test_a_prompt_is_followed_through_any_number_of_nodes():
    links = {str(i): {"conditioning": [str(i + 1), 0]} for i in range(1, 5000)}
    told = graph({"0": {"seed": 1, "positive": ["1", 0]}, **links, "5000": {"text": "a lake"}})
    assert account_of(png(prompt=told)).prompt == "a lake"
