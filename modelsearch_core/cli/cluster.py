"""`modelsearch index --ray ADDRESS`: other machines' GPUs in place of this one's."""

from __future__ import annotations

import argparse
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

from ..cluster.driving import OnCluster
from ..cluster.orders import PathMap
from ..errors import ModelSearchError
from ..generators import GeneratorSettings
from ..places import Place


@contextmanager
def cluster_of(args: argparse.Namespace, catalog: Place, generation: GeneratorSettings) -> Generator[OnCluster | None]:
    """What generates, as long as the command runs; None where no cluster is named."""
    if args.ray is None:
        if args.map:
            raise ModelSearchError("--map says where workers see folders; name their cluster with --ray ADDRESS")
        yield None
        return
    if args.style:
        raise ModelSearchError("drawings are not sent to a cluster; run `index --style` on a machine with a GPU")
    from ..cluster.ray_pool import RayPool  # brings torch along
    from ..generators.diffusers import DiffusersGenerator

    path_map = PathMap.of(args.map)
    pool = RayPool(args.ray, str(catalog))
    try:
        planned = replace(generation, planned_for=pool.device)
        yield OnCluster(pool, lambda models: DiffusersGenerator(models, planned), generation, path_map)
    finally:
        pool.close()
