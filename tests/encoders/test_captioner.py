"""BLIP with random weights, from a folder in transformers' form."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from modelsearch_core.encoders import captioner
from modelsearch_core.encoders.captioner import BlipCaptioner, local_captioner

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "[ENC]", "a", "red", "cat", "dog", "of"]


@pytest.fixture(scope="module")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import (
        BertTokenizerFast,
        BlipConfig,
        BlipForConditionalGeneration,
        BlipImageProcessor,
        BlipProcessor,
    )

    folder = tmp_path_factory.mktemp("blip")
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    text = {
        "vocab_size": len(WORDS),
        "encoder_hidden_size": 16,
        "bos_token_id": 5,
        "sep_token_id": 3,
        "eos_token_id": 3,
    }
    torch.manual_seed(0)
    config = BlipConfig(
        text_config={**size, **text, "pad_token_id": 0},
        vision_config={**size, "image_size": 32, "patch_size": 16},
    )
    BlipForConditionalGeneration(config).save_pretrained(folder)
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"))
    BlipProcessor(BlipImageProcessor(size={"height": 32, "width": 32}), tokenizer).save_pretrained(folder)
    return folder


def test_every_picture_gets_a_sentence_of_known_words(blip: Path):
    captions = BlipCaptioner.of(blip, "cpu").captions(
        [Image.new("RGBA", (40, 30), c) for c in ("red", "blue", "white")]
    )
    assert len(captions) == 3
    assert all(word in WORDS for caption in captions for word in caption.split())


def test_the_best_one_on_disk_is_taken(blip: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(captioner, "MODELS", ("somebody/not-here", str(blip)))
    monkeypatch.setattr(captioner, "_in_cache", lambda _: True)
    assert local_captioner("cpu") is not None


def test_none_on_disk_is_no_captioner():
    assert local_captioner("cpu") is None
