"""`modelsearch index --ray` as a command: what is printed is the command's own."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import pytest

from modelsearch_core.cli.cluster import cluster_of
from modelsearch_core.cluster import ray_pool
from modelsearch_core.generators import GeneratorSettings


class Talkative:
    """As Ray is, when a node has died."""

    device = "cpu"

    def __init__(self, address: str, key: str) -> None:
        print("\033[33m(raylet)\033[0m Raylet is terminated.")

    def close(self) -> None:
        print("closed")


def test_what_ray_tells_goes_into_the_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(ray_pool, "RayPool", Talkative)
    args = argparse.Namespace(ray="auto", map=[])
    with caplog.at_level(logging.WARNING), cluster_of(args, Path("c.sqlite"), GeneratorSettings(), None) as cluster:
        assert cluster is not None
        print("a node has died")
    print("{}")
    assert capsys.readouterr().out == "{}\n"
    told = [record.message for record in caplog.records]
    assert told == ["\033[33m(raylet)\033[0m Raylet is terminated.", "a node has died", "closed"]
