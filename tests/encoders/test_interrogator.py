"""Pictures into words, with an encoder whose features can be written down by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelsearch_core.embedding import Features, unit
from modelsearch_core.encoders import open_interrogator, phrases
from modelsearch_core.encoders.interrogator import PhraseInterrogator, joined
from modelsearch_core.encoders.phrases import own_list, phrase_list

AXES = ("a dragon", "a watercolour painting", "cubism", "golden", "spirals")


class PhraseEncoder:
    """Axis i is phrase i of `AXES`; the last axis is what every text has in common."""

    name, dimension = "phrases:1", len(AXES) + 1

    def __init__(self) -> None:
        self.encoded = 0

    def encode_images(self, images: Sequence[Image.Image]) -> Features:
        """Bit i of a grey value says whether the picture has phrase i."""
        rows = [[float(int(image.getpixel((0, 0))) >> i & 1) for i in range(len(AXES))] + [0.1] for image in images]
        return unit(np.array(rows, np.float32).reshape(-1, self.dimension))

    def encode_texts(self, texts: Sequence[str]) -> Features:
        self.encoded += len(texts)
        rows = [[float(axis in text) for axis in AXES] + [0.1] for text in texts]
        return unit(np.array(rows, np.float32).reshape(-1, self.dimension))


class OneCaption:
    def captions(self, images: Sequence[Image.Image]) -> list[str]:
        return ["somebody's dragon"] * len(images)


def picture(*present: str) -> Image.Image:
    return Image.new("L", (2, 2), sum(1 << AXES.index(phrase) for phrase in present))


def test_the_axes_are_phrases_of_the_lists():
    lists = ("subjects", "mediums", "styles", "flavours", "flavours")
    assert all(phrase in own_list(name) for phrase, name in zip(AXES, lists, strict=True))


def test_what_a_picture_has_is_found_and_nothing_else():
    described = PhraseInterrogator(PhraseEncoder()).describe([picture(*AXES), picture("a dragon", "spirals")])
    assert described == [
        "a picture of a dragon, a watercolour painting, cubism, golden, spirals",
        "a picture of a dragon, spirals",
    ]


def test_the_words_come_nearer_to_the_picture_with_each_phrase():
    encoder = PhraseEncoder()
    asked = [picture(*AXES)]
    feature = encoder.encode_images(asked)[0]
    words = PhraseInterrogator(encoder).describe(asked)[0].split(", ")
    scores = [float((encoder.encode_texts([", ".join(words[:n])]) @ feature)[0]) for n in range(1, len(words) + 1)]
    assert scores == sorted(scores)
    assert scores[-1] == pytest.approx(1)


def test_a_caption_is_the_head_where_there_is_a_captioner():
    described = PhraseInterrogator(PhraseEncoder(), OneCaption()).describe([picture("a dragon", "golden")])
    assert described == ["somebody's dragon, golden"]


def test_no_picture_needs_no_words():
    assert PhraseInterrogator(PhraseEncoder(), OneCaption()).describe([]) == []


def test_phrases_are_encoded_once(tmp_path: Path):
    encoder = PhraseEncoder()
    first = PhraseInterrogator(encoder, cache=tmp_path)
    words = first.describe([picture("a dragon", "golden")])
    everything = encoder.encoded
    first.describe([picture("a dragon", "golden")])
    again = encoder.encoded - everything
    assert again < 300 < everything
    encoder.encoded = 0
    assert PhraseInterrogator(encoder, cache=tmp_path).describe([picture("a dragon", "golden")]) == words
    assert encoder.encoded == again


def test_a_broken_cache_is_made_anew(tmp_path: Path):
    words = PhraseInterrogator(PhraseEncoder(), cache=tmp_path).describe([picture(*AXES)])
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:100])
    assert PhraseInterrogator(PhraseEncoder(), cache=tmp_path).describe([picture(*AXES)]) == words


def test_another_encoder_does_not_read_this_ones_cache(tmp_path: Path):
    PhraseInterrogator(PhraseEncoder(), cache=tmp_path).describe([picture("a dragon")])
    other = PhraseEncoder()
    other.name = "phrases:2"
    PhraseInterrogator(other, cache=tmp_path).describe([picture("a dragon")])
    assert other.encoded > 300


def test_without_captions_on_disk_the_phrases_are_enough():
    assert open_interrogator(PhraseEncoder()).describe([picture("a dragon")]) == ["a picture of a dragon"]


def test_what_is_there_is_not_said_twice():
    assert joined("a watercolour painting of a cat", "a watercolour painting", "cubism") == (
        "a watercolour painting of a cat, cubism"
    )


def test_the_lists_are_long_and_without_repetition():
    lengths = {name: len(own_list(name)) for name in ("subjects", "mediums", "styles", "flavours")}
    assert lengths["subjects"] >= 500
    assert sum(lengths.values()) >= 1000
    texts = [line for name in lengths for line in (Path(phrases.__file__).parent / f"{name}.txt").open()]
    assert all(line.strip() for line in texts)
    assert len({line.strip() for line in texts}) >= len(texts) - 10  # a mosaic is a subject and a medium


def test_lists_of_clip_interrogator_take_the_place_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "mediums.txt").write_text("a fresco\n\na fresco\na mezzotint\n")
    (tmp_path / "flavors.txt").write_text("".join(f"flavour {n}\n" for n in range(5_001)))
    monkeypatch.setattr(phrases, "foreign_folder", lambda: tmp_path)
    assert phrase_list("mediums") == ["a fresco", "a mezzotint"]
    assert phrase_list("styles") == own_list("styles")
    assert phrase_list("flavours")[:3] == ["flavour 0", "flavour 3", "flavour 6"]
    assert len(phrase_list("flavours")) <= phrases.MOST
