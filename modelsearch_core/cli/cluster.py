"""`modelsearch index --ray ADDRESS`: other machines' GPUs in place of this one's."""

from __future__ import annotations

import argparse
import io
import logging
from collections.abc import Generator
from contextlib import closing, contextmanager, redirect_stdout
from dataclasses import replace

from ..cluster.driving import OnCluster
from ..cluster.orders import PathMap
from ..errors import ModelSearchError
from ..generators import GeneratorSettings
from ..places import Place
from ..reference_set import ReferenceSet

log = logging.getLogger(__name__)


def check_cluster(args: argparse.Namespace) -> None:
    """ModelSearchError for options that do not go together, before anything is opened."""
    if args.ray is None and args.map:
        raise ModelSearchError("--map says where workers see folders; name their cluster with --ray ADDRESS")
    if args.ray is not None and args.quick:
        raise ModelSearchError("--quick generates nothing, so no cluster is needed; leave --ray or --quick off")
    PathMap.of(args.map)


@contextmanager
def cluster_of(
    args: argparse.Namespace, catalog: Place, generation: GeneratorSettings, references: ReferenceSet | None
) -> Generator[OnCluster | None]:
    """What generates, as long as the command runs, with these drawings; None where no cluster is named."""
    if args.ray is None:
        yield None
        return
    from ..cluster.ray_pool import RayPool  # brings torch along
    from ..generators.diffusers import DiffusersGenerator

    path_map = PathMap.of(args.map)
    with redirect_stdout(_Log()), closing(RayPool(args.ray, str(catalog))) as pool:
        planned = replace(generation, planned_for=pool.device)
        yield OnCluster(pool, lambda models: DiffusersGenerator(models, planned, references), generation, path_map)


class _Log(io.TextIOBase):
    """Takes what Ray tells on stdout of nodes that have died: there, what it says would stand before `--json`."""

    def write(self, text: str) -> int:
        if text.strip():
            log.warning("%s", text.rstrip())
        return len(text)
