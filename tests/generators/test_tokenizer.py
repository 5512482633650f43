"""The derived tokenizer is CLIP's."""

from __future__ import annotations

import json
from pathlib import Path

import open_clip
import pytest
from transformers import CLIPTokenizer

from modelsearch_core.generators.tokenizer import write_clip_tokenizer
from modelsearch_core.probes import default_probes

TEXTS = ("", "A photo of a cat!", "it's 1girl, (masterpiece:1.2), 4k  <lora>", "naïve café — ünïcödé 東京 🎨", "don't")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("tokenizer")
    write_clip_tokenizer(written)
    (written / "tokenizer_config.json").write_text('{"tokenizer_class": "CLIPTokenizer", "model_max_length": 77}')
    return written


def test_the_vocabulary_ends_with_the_special_tokens(folder: Path) -> None:
    vocabulary = json.loads((folder / "vocab.json").read_text("utf-8"))
    assert len(vocabulary) == 49408
    assert (vocabulary["<|startoftext|>"], vocabulary["<|endoftext|>"]) == (49406, 49407)


def test_ids_are_those_of_open_clip(folder: Path) -> None:
    ours = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
    theirs = open_clip.SimpleTokenizer()
    for text in (*TEXTS, *(probe.prompt for probe in default_probes())):
        assert ours(text)["input_ids"] == [49406, *theirs.encode(text), 49407], text
