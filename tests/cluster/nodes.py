"""Run by `test_ray.py` in a network namespace of its own: a real Ray cluster of three nodes on one machine indexes a
folder, loses a node in the middle, loses its driver, gets another node, and loses that while drawings are filled out.
Writes what happened as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from modelsearch_core.catalog import Catalog
from modelsearch_core.cluster.ray_pool import SURROUNDINGS
from modelsearch_core.specification import Evidence

ROOT = Path(__file__).parents[2]
os.environ.update(SURROUNDINGS, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1", RAY_worker_niceness="0")


def index_command(folder: Path, catalog: Path, address: str, *more: str) -> list[str]:
    zoo = ROOT / "mini_zoo"
    words = ["index", str(folder), "--encoder", str(zoo / "clip"), "--prompts", str(zoo / "prompts.txt")]
    words += ["--samples", "2", "--catalog", str(catalog), "--json", *more]
    return [sys.executable, "-m", "modelsearch_core.cli", *words, *(["--ray", address] if address else [])]


def done(catalog: Path, wanted: Evidence) -> int:
    """Models that are done by now."""
    try:
        with Catalog(catalog, read_only=True) as opened:
            return sum(evidence is wanted for *_, evidence, _ in opened.specification_keys(_encoder(opened)))
    except Exception:  # it is just being made
        return 0


def _encoder(catalog: Catalog) -> str:
    return catalog.encoders()[0][0]


class Watch(threading.Thread):
    """When models were done."""

    def __init__(self, catalog: Path, evidence: Evidence) -> None:
        super().__init__(daemon=True)
        self.catalog, self.evidence, self.times, self.over = catalog, evidence, [], False
        self.start()

    def run(self) -> None:
        while not self.over:
            if (count := done(self.catalog, self.evidence)) > len(self.times):
                self.times += [time.monotonic()] * (count - len(self.times))
            time.sleep(0.1)

    def wait_for(self, count: int) -> None:
        until = time.monotonic() + 540
        while len(self.times) < count:
            assert time.monotonic() < until, f"{len(self.times)} of {count} models"
            time.sleep(0.05)


def main() -> None:
    folder, there, work, subjects = (Path(word) for word in sys.argv[1:5])
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    options = {"node_ip_address": "127.0.0.1", "include_dashboard": False, "object_store_memory": 80 * 2**20}
    cluster.add_node(num_cpus=0, **options)
    nodes = [cluster.add_node(num_cpus=1, **options) for _ in range(2)]
    told: dict[str, object] = {}

    catalog = work / "ray.sqlite"
    watch, painted = (Watch(catalog, evidence) for evidence in (Evidence.GENERATED, Evidence.REFERENCE))
    mapped = ("--map", f"{folder}={there}")
    command = index_command(folder, catalog, cluster.address, *mapped, "--style", "--subjects", str(subjects))
    driver = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    watch.wait_for(2)
    told["killed"] = time.monotonic()
    cluster.remove_node(nodes[1], allow_graceful=False)
    watch.wait_for(3)
    driver.kill()
    driver.communicate()
    told["before"] = done(catalog, Evidence.GENERATED)
    another = cluster.add_node(num_cpus=1, **options)
    driver = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    painted.wait_for(3)
    cluster.remove_node(another, allow_graceful=False)
    told["painted"] = done(catalog, Evidence.REFERENCE)
    report, _ = driver.communicate()
    watch.over = painted.over = True
    assert driver.returncode == 0, (driver.returncode, report)
    told |= {"report": json.loads(report), "times": watch.times}
    (work / "told.json").write_text(json.dumps(told))
    cluster.shutdown()


if __name__ == "__main__":
    main()
