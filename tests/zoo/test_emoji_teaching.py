"""What the zoo's text tower is taught: by which words, and never by those that it is asked with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from open_clip import CLIP
from transformers import BertTokenizer

from benchmarks.emoji_zoo import clip, teaching, text_tower, vocabulary, wordings
from benchmarks.emoji_zoo.chosen_on import CHOSEN_ON
from benchmarks.emoji_zoo.looks import ARTISTS, PAINTERS
from benchmarks.emoji_zoo.teaching import Teacher
from modelsearch_core.cli.demo import TEXTS

SPARED = {"dragon": "fairytale", "koala": "bear"}
HELD_OUT = [*wordings.OWN.values(), *CHOSEN_ON.values(), *(text for text, _ in TEXTS), *SPARED.values()]


@pytest.mark.parametrize("text", HELD_OUT)
def test_what_is_asked_is_never_taught(text: str):
    assert teaching.allowed([text, f"  {text.upper()}!", "a red bicycle"], SPARED) == ["a red bicycle"]


def test_sentences_that_happen_to_be_asked_are_left_out():
    words = ["manga", "ink", "wildlife", "hokusai", "old"]
    told = [*words, *teaching.sentences([words], words, 3000, 0)]
    assert {"manga ink", "wildlife", "hokusai"} <= set(told)  # the pattern does make them
    kept = teaching.allowed(told, SPARED)
    assert not {teaching.plain(text) for text in kept} & {teaching.plain(text) for text in HELD_OUT}
    assert "manga" in kept and len(kept) > 2000


def test_a_thing_is_not_told_by_the_word_that_its_captions_were_spared():
    told = ["dragon, fairytale", "a castle of a fairytale", "a brown bear", "koala, bear"]
    assert teaching.allowed(told, SPARED) == ["a castle of a fairytale", "a brown bear"]


def test_the_words_that_the_teaching_was_chosen_on_are_others_than_the_protocols():
    assert CHOSEN_ON.keys() == wordings.OWN.keys()
    looks = {look for names in (*ARTISTS.values(), *PAINTERS) for look in names}
    assert not set(CHOSEN_ON.values()) & (set(wordings.OWN.values()) | looks)


def test_the_teacher_says_what_the_nearest_phrase_means():
    teacher = Teacher(np.eye(3), np.array([[1.0, 0], [0, 1.0], [-1.0, 0]]))
    near = teacher.says(np.array([[0.9, 0.1, 0.0], [0.1, 0.9, 0.1]]))
    assert near @ teacher.features.T == pytest.approx(np.array([[1, 0, -1], [0, 1, 0]]), abs=1e-3)
    same = teacher.says(np.full((1, 3), 3**-0.5))  # as far from all
    assert same == pytest.approx(np.array([[0, 1.0]]))


def test_words_are_taken_in_turns_of_the_phrases_and_no_plural_of_one_that_is_there():
    cosines = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.9], [0.1, 0.3]])
    words = ["cats", "kitten", "volcano", "lava"]
    assert vocabulary.nearest(words, cosines, ["cat"], 3) == ["cat", "volcano", "kitten"]


def test_every_word_is_one_number_and_the_end_is_the_largest(tmp_path: Path):
    vocabulary.save(tmp_path, ["tiger", "starry"])
    read = BertTokenizer(str(tmp_path / "vocab.txt"))
    ids = read(["A starry tiger", "zzz tigers"])["input_ids"]
    start, end = (read.convert_tokens_to_ids(token) for token in (vocabulary.START, vocabulary.END))
    assert (ids[0][0], ids[0][-1]) == (start, end) and end == len(read) - 1
    told = [read.convert_ids_to_tokens(row)[1:-1] for row in ids]
    assert told == [["a", "starry", "tiger"], ["z", "##z", "##z", "tiger", "##s"]]


def test_texts_are_read_without_their_padding_as_open_clip_reads_them_with_it():
    torch.manual_seed(0)
    model = CLIP(
        16, clip.SIZE["vision_cfg"], {"context_length": 12, "vocab_size": 30, "width": 16, "heads": 2, "layers": 2}
    )
    ids = torch.zeros(3, 12, dtype=torch.long)
    ids[0, :4], ids[1, :6], ids[2, :2] = (
        torch.tensor([28, 5, 6, 29]),
        torch.tensor([28, 9, 3, 4, 8, 29]),
        torch.tensor([28, 29]),
    )
    with torch.no_grad():
        assert torch.allclose(text_tower.read(model, ids), model.encode_text(ids, normalize=True), atol=1e-5)
