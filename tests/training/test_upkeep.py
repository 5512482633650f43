"""A trained style encoder is kept when LoRA are added, and trained again when it has become a hindrance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.cli import main
from modelsearch_core.encoders.style_head import StyleHead, read_head
from modelsearch_core.encoders.style_space import STYLE_SETTING, space_of
from modelsearch_core.panel.job import tell_of_training
from modelsearch_core.training import upkeep
from modelsearch_core.training.upkeep import keep_up, standing_of
from tests.making.fakes import DIMENSION
from tests.training.test_style import NAMES, catalog_of

ENCODER = "colours:1"


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    return catalog_of(tmp_path, NAMES)


def put(catalog: Path, head: StyleHead) -> None:
    head.save(catalog.with_name("catalog.style.safetensors"))
    with Catalog(catalog) as kept:
        kept.put_setting(STYLE_SETTING, "catalog.style.safetensors")


def blind(seen: tuple[str, ...] = ()) -> StyleHead:
    """Looks at one number that is the same for all."""
    weight = np.zeros((2, DIMENSION), np.float32)
    weight[0, -1] = 1
    return StyleHead(weight=weight, bias=np.ones(2, np.float32), encoder=ENCODER, record={"loras": list(seen)})


def test_training_is_offered_once_there_is_enough(catalog: Path, monkeypatch: pytest.MonkeyPatch):
    with Catalog(catalog) as kept:
        assert keep_up(kept, ENCODER) == ""
        monkeypatch.setattr(upkeep, "WORTH_TRAINING", 5)
        assert "5 LoRA have painted drawings; `modelsearch train style`" in keep_up(kept, ENCODER)


def test_what_was_trained_is_kept(catalog: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["train", "style", "--catalog", str(catalog)]) == 0
    file = catalog.with_name("catalog.style.safetensors")
    before = file.read_bytes()
    with Catalog(catalog) as kept:
        assert keep_up(kept, ENCODER) == ""  # it has seen them all
    assert file.read_bytes() == before


def test_it_is_kept_while_new_lora_are_found_as_well(catalog: Path):
    identity = StyleHead(
        weight=np.eye(DIMENSION, dtype=np.float32), bias=np.zeros(DIMENSION, np.float32), encoder=ENCODER
    )
    put(catalog, identity)
    with Catalog(catalog) as kept:
        standing = standing_of(kept, ENCODER, identity)
        assert standing is not None and standing.added == 5
        assert standing.through == pytest.approx(standing.without) and keep_up(kept, ENCODER) == ""


def test_it_is_trained_again_when_new_lora_are_found_worse(catalog: Path):
    put(catalog, blind())
    with Catalog(catalog) as kept:
        told = keep_up(kept, ENCODER)
        assert "5 LoRA added since" in told and "trained again on 5 LoRA" in told
        space = space_of(kept.setting(STYLE_SETTING), kept.path, ENCODER)
        assert isinstance(space, StyleHead) and space.name != blind().name
        assert keep_up(kept, ENCODER) == ""
    assert len(read_head(catalog.with_name("catalog.style.safetensors")).record["loras"]) == 5


def test_too_few_new_lora_say_nothing(catalog: Path):
    with Catalog(catalog) as kept:
        seen = tuple(model.fingerprint for model in kept.models())[:-2]
        assert standing_of(kept, ENCODER, blind(seen)) is None


def test_the_log_tells_what_came_of_it(
    catalog: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO")
    with Catalog(catalog) as kept:
        tell_of_training(kept, ENCODER)
        assert caplog.messages == []
        monkeypatch.setattr(upkeep, "WORTH_TRAINING", 5)
        tell_of_training(kept, ENCODER)
    assert len(caplog.messages) == 1 and "5 LoRA have painted drawings" in caplog.messages[0]
