from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.zoo import vocabulary

TEXTS = ["a red star on a white background, made of large round dots", "Grünspan 12: the quick xylophone?", ""]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tokenizer")
    vocabulary.save(path, pad="!")
    vocabulary.save_bpe(path / "bpe.txt.gz")
    return path


def test_every_word_of_the_world_is_one_token(folder: Path):
    from transformers import CLIPTokenizer

    tokenizer = CLIPTokenizer.from_pretrained(folder)
    assert {w for w in vocabulary.words() if len(tokenizer(w).input_ids) != 3} == set()


@pytest.mark.parametrize("text", TEXTS)
def test_both_tokenizers_agree(folder: Path, text: str):
    from open_clip.tokenizer import SimpleTokenizer
    from transformers import CLIPTokenizer

    ours = SimpleTokenizer(bpe_path=str(folder / "bpe.txt.gz"))([text], context_length=77)[0].tolist()
    theirs = CLIPTokenizer.from_pretrained(folder)(text, padding="max_length", max_length=77).input_ids
    assert ours == theirs
