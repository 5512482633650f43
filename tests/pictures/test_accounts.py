"""What pictures say of how they were made, written as the programs write them and read from the files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from modelsearch_core.model_files import Kind
from modelsearch_core.picture_metadata import Account, Mention, account_of
from modelsearch_core.pictures import Unreadable, account_at, account_from_json, account_to_json
from tests.making.user_pictures import WRITERS, Made, comfyui_graph, infotext, write_a1111
from tests.test_picture_metadata import png

MADE = Made(
    prompt="a lake, (fog:1.2) at night",
    checkpoint="dreamy_v3",
    loras={"ink wash": 0.8, "neon": 0.4},
    hashes={"ink wash": "aabbccddeeff", "neon": "112233445566"},
    seed=77,
)
ENDINGS = {"a1111": (".png", ".jpg", ".webp"), "comfyui": (".png", ".webp"), "fooocus": (".png", ".jpg", ".webp")}
CASES = [(program, ending) for program in WRITERS for ending in ENDINGS.get(program, (".png", ".jpg"))]
CASES.remove(("invokeai", ".jpg"))  # it writes PNG only


def written(folder: Path, program: str, ending: str, made: Made = MADE) -> Account:
    path = folder / f"picture{ending}"
    WRITERS[program](Image.new("RGB", (64, 64), "teal"), path, made)
    return account_at(str(path))


def names(mentions: tuple[Mention, ...]) -> list[str]:
    return [mention.name.removesuffix(".safetensors") for mention in mentions]


@pytest.mark.parametrize(("program", "ending"), CASES)
def test_lora_with_their_strengths_the_checkpoint_and_the_prompt_are_read(tmp_path: Path, program: str, ending: str):
    account = written(tmp_path, program, ending)
    assert names(account.loras) == ["ink wash", "neon"]
    assert [mention.weight for mention in account.loras] == [0.8, 0.4]
    assert names(account.bases) == ["dreamy_v3"]
    assert account.prompt.startswith("a lake, (fog:1.2) at night")
    assert "blurry" not in account.prompt
    assert account.seed == "77"


@pytest.mark.parametrize("program", [program for program in WRITERS if program != "comfyui"])
def test_hashes_are_read_where_they_are_told(tmp_path: Path, program: str):
    account = written(tmp_path, program, ".png")
    assert [mention.hash.removeprefix("0x") for mention in account.loras] == ["aabbccddeeff", "112233445566"]


def test_fooocus_can_write_the_webuis_infotext_with_weights_of_its_own():
    text = 'a lake\nNegative prompt: no\nSteps: 30, Sampler: x, Seed: 5, Model: juggernaut, Lora hashes: "a: 11, b: 22"'
    account = _of_text(f'{text}, Lora weights: "a: 0.1, b: 0.7", Version: Fooocus v2.5')
    assert [(m.name, m.weight) for m in account.loras] == [("a", 0.1), ("b", 0.7)]


def _of_text(text: str) -> Account:
    return account_of(png(parameters=text))


def test_a_lora_of_strength_nothing_had_no_part(tmp_path: Path):
    account = written(tmp_path, "comfyui", ".png", Made(prompt="x", loras={"off": 0.0, "on": 1.0}))
    assert names(account.loras) == ["on"]


def test_nodes_that_are_not_connected_had_no_part_and_the_screen_beside_the_queue_does_not_count():
    graph = comfyui_graph(Made(prompt="a cat", loras={"ink": 1.0}))
    shown = {"nodes": [{"type": "LoraLoader", "mode": 0, "widgets_values": ["later.safetensors", 1, 1]}]}
    account = _of_comfyui(graph, shown)
    assert names(account.loras) == ["ink"]
    assert account.prompt == "a cat"


def test_the_prompt_is_found_through_guiders_and_combined_conditionings():
    node = lambda kind, **inputs: {"class_type": kind, "inputs": inputs}  # noqa: E731
    graph = {
        "1": node("UNETLoader", unet_name="flux.safetensors"),
        "2": node("CLIPTextEncode", text=["9", 0], clip=["8", 0]),
        "3": node("FluxGuidance", conditioning=["2", 0], guidance=3.5),
        "4": node("BasicGuider", model=["1", 0], conditioning=["3", 0]),
        "5": node("RandomNoise", noise_seed=12),
        "6": node("SamplerCustomAdvanced", guider=["4", 0], noise=["5", 0], sampler=["7", 0]),
        "7": node("KSamplerSelect", sampler_name="euler"),
        "8": node("DualCLIPLoader", clip_name1="t5.safetensors", clip_name2="l.safetensors"),
        "9": node("PrimitiveString", value="a dog on a hill"),
    }
    account = _of_comfyui(graph, {})
    assert (account.prompt, account.seed) == ("a dog on a hill", "12")
    assert account.bases == (Mention("flux.safetensors", Kind.DIFFUSION_MODEL),)


def _of_comfyui(graph: object, workflow: object) -> Account:
    return account_of(png(prompt=json.dumps(graph), workflow=json.dumps(workflow)))


@pytest.mark.parametrize(
    ("tag", "weight"),
    [("<lora:a>", 1.0), ("<lora:a:0.5>", 0.5), ("<lora:a:0.5:0.7>", 0.7), ("<lora:a:te=0:unet=0.3>", 0.3)],
)
def test_a_tags_strength_is_that_of_the_denoiser(tag: str, weight: float):
    account = _of_text(f"x {tag}\nSteps: 20, Sampler: Euler, Seed: 1, Model: m")
    assert [mention.weight for mention in account.loras] == [weight]


def test_an_account_comes_back_from_json_as_it_was():
    account = _of_text(infotext(MADE))
    assert account_from_json(account_to_json(account) or "") == account
    assert account_to_json(Account(prompt="nothing of models")) is None


def test_reading_decodes_no_pixel(tmp_path: Path):
    path = tmp_path / "cut.png"
    write_a1111(Image.effect_noise((256, 256), 90).convert("RGB"), path, MADE)
    path.write_bytes(path.read_bytes()[:3000])  # text, and the beginning of the pixels
    assert names(account_at(str(path)).loras) == ["ink wash", "neon"]


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"RIFF\xff\xff\xff\xffWEBP"])
def test_what_is_no_picture_is_unreadable_and_nothing_else(tmp_path: Path, content: bytes):
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    with pytest.raises(Unreadable):
        account_at(str(path))
