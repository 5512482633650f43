"""The zoo's ConvNeXt: what it is taught, and that timm and the library read what is saved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import timm
import torch

from benchmarks.zoo import convnext
from benchmarks.zoo.loop import Schedule
from benchmarks.zoo.pictures import PictureSet, load
from benchmarks.zoo.subjects import PLURALS, SUBJECTS
from benchmarks.zoo.world import COLOURS
from modelsearch_core.encoders.spatial import open_spatial_encoder
from tests.encoders.test_spatial import pictures

FEW = PictureSet(count=24, seed=99, subjects=tuple(SUBJECTS))


def test_the_labels_are_what_the_captions_name(tmp_path: Path):
    _, captions = load(FEW, tmp_path)
    subjects, colours = list(SUBJECTS), list(COLOURS)
    for caption, (subject, colour) in zip(captions, convnext.labels(FEW), strict=True):
        noun = subjects[subject]
        assert colours[colour] in caption
        assert noun in caption or PLURALS.get(noun, noun + "s") in caption


def test_what_is_saved_is_read_by_timm_and_by_the_library(tmp_path: Path):
    schedule = Schedule(steps=2, batch=4, rate=1e-3, seed=1)
    model, figures = convnext.fit(FEW, schedule, tmp_path)
    assert figures.steps == 2
    convnext.save(model, tmp_path / "out")
    again = timm.create_model(f"local-dir:{tmp_path / 'out'}", pretrained=True).eval()
    x = torch.rand(2, 3, convnext.SHOWN, convnext.SHOWN)
    assert torch.equal(again(x), model(x))  # type: ignore[operator]
    encoder = open_spatial_encoder(str(tmp_path / "out"), device="cpu")
    assert (encoder.side, encoder.dimension) == (convnext.SHOWN, 128 * 7 * 7)
    assert np.isfinite(encoder.encode_images(pictures(2, 64))).all()
    assert 0 <= convnext.accuracy(model, FEW, tmp_path) <= 1
