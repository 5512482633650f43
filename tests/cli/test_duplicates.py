"""`modelsearch duplicates` says what it compared without all of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.catalog.weight_sketches import VERSION, Sketch
from modelsearch_core.cli import main
from modelsearch_core.specification import Evidence, Specification
from tests.making.fakes import ColourEncoder, model_file


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """Two strangers; one is a DoRA whose base is not here."""
    encoder = ColourEncoder()
    files = [model_file("plain"), model_file("dora", network="dora")]
    with Catalog(tmp_path / "catalog.sqlite") as opened:
        opened.put_encoder(encoder.name, "fake", encoder.dimension)
        opened.put_files(files)
        for number, file in enumerate(files):
            words = encoder.encode_texts([file.title])
            kept = Specification(
                fingerprint=file.fingerprint,
                digest="words",
                encoder=encoder.name,
                evidence=Evidence.METADATA,
                Z=words,
                numbers=np.zeros(1, np.int32),
            )
            opened.put_specification(kept)
            s = np.eye(2, 8, dtype=np.float32)[[number]]
            opened.sketches.put(file.fingerprint, VERSION, Sketch(("layer",), s, "" if number else None, number))
    return tmp_path / "catalog.sqlite"


def test_a_dora_whose_base_is_not_here_is_named(catalog: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["duplicates", "--catalog", str(catalog)]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "no duplicates"
    assert "without DoRA's magnitudes" in said[1]
    assert [Path(line.strip()).name for line in said[2:]] == ["dora.safetensors"]


def test_json_names_it_too(catalog: Path, capsys: pytest.CaptureFixture[str]):
    main(["duplicates", "--json", "--catalog", str(catalog)])
    assert [Path(path).name for path in json.loads(capsys.readouterr().out)["without_magnitude"]] == [
        "dora.safetensors"
    ]
