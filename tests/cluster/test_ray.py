"""A real Ray cluster of three nodes on this machine, in a network of its own, indexes the mini zoo while a node is
killed, the driver is killed, and another node joins, which is lost while LoRA fill out drawings."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest

from modelsearch_core.cluster.ray_pool import SURROUNDINGS
from modelsearch_core.reference_set import BUNDLED
from tests.cluster.nodes import index_command

ROOT = Path(__file__).parents[2]
IN_A_NETWORK = ["unshare", "--net", "bash", "-c", 'ip link set lo up && exec "$@"', "bash"]
LORAS, SUBJECTS = 8, 2
MEASURED = "SELECT fingerprint, digest, samples, strength, z, drawings, density FROM specification ORDER BY 1, 2"
PICTURES = "SELECT fingerprint, digest, number, webp FROM sample ORDER BY 1, 2, 3"


def may_unshare() -> bool:
    done = (
        subprocess.run([*IN_A_NETWORK, "true"], capture_output=True, check=False) if shutil.which("unshare") else None
    )
    return done is not None and done.returncode == 0


pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(find_spec("ray") is None, reason="no ray (pip install ray)"),
    pytest.mark.skipif(not may_unshare(), reason="only the superuser of Linux may have a network of a test's own"),
]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cluster")
    shutil.copytree(ROOT / "mini_zoo" / "models" / "base", folder / "store" / "base")
    for file in sorted((ROOT / "mini_zoo" / "models" / "loras").rglob("*.safetensors"))[:LORAS]:
        shutil.copy(file, folder / "store")
    (folder / "mnt").symlink_to(folder / "store")
    (folder / "subjects").mkdir()
    for subject in sorted(BUNDLED.glob("*.webp"))[:SUBJECTS]:
        shutil.copy(subject, folder / "subjects")
    return folder


def rows(catalog: Path, query: str) -> list[object]:
    with closing(sqlite3.connect(catalog)) as opened:
        return opened.execute(query).fetchall()


def test_a_cluster_that_loses_a_node_and_its_driver_measures_what_one_machine_does(work: Path):
    script = [sys.executable, ROOT / "tests" / "cluster" / "nodes.py", work / "store", work / "mnt", work]
    script.append(work / "subjects")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*IN_A_NETWORK, *map(str, script)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads((work / "told.json").read_text())
    assert told["report"]["failed"] == {}
    assert told["before"] >= 3
    assert told["report"]["unchanged"] >= 3
    assert told["report"]["unchanged"] + len(told["report"]["generated"]) == LORAS + 1
    assert told["painted"] < LORAS + 1
    assert len(told["report"]["painted"]) == LORAS

    alone = work / "alone.sqlite"
    command = index_command(work / "store", alone, "", "--style", "--subjects", str(work / "subjects"))
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
    assert rows(work / "ray.sqlite", MEASURED) == rows(alone, MEASURED)
    assert rows(work / "ray.sqlite", PICTURES) == rows(alone, PICTURES)
    kinds = Counter(path for (path,) in rows(work / "ray.sqlite", "SELECT path FROM file"))
    assert all(Path(path).is_relative_to(work / "store") for path in kinds)


ANOTHER_VERSION = """
set -e
ray start --head --port=6379 --num-cpus=0 --include-dashboard=false --temp-dir="$1" $COMMON
export NODE="ray start --address=127.0.0.1:6379 --num-cpus=1 $COMMON"
unshare --mount bash -c 'mount --bind "$1" "$2" && $NODE' bash "$2" "$3"
exec "${@:4}"
"""


def test_another_version_of_the_program_is_refused_by_name(work: Path, tmp_path: Path):
    """On the other machine, one method has another name."""
    other = shutil.copytree(ROOT / "modelsearch_core", tmp_path / "modelsearch_core")
    worker = other / "cluster" / "worker.py"
    worker.write_text(worker.read_text().replace("_asked", "_asked_of"))
    ends_all = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    program = ["bash", "-c", "ip link set lo up\n" + ANOTHER_VERSION, "bash"]
    command = index_command(work / "store", tmp_path / "c.sqlite", "127.0.0.1:6379")
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="r") as short:  # sockets' names are
        done = subprocess.run(
            [*ends_all, *program, short, other, ROOT / "modelsearch_core", *command],
            cwd=ROOT,
            env={
                **os.environ,
                **SURROUNDINGS,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT),
                "COMMON": "--node-ip-address=127.0.0.1 --object-store-memory=80000000",
            },
            capture_output=True,
            text=True,
        )
    said = done.stderr.splitlines()[-1]
    assert re.search(r"the worker \S+ has Model Search 0\S* \(\w+\), this machine 0\S* \(\w+\); install the same", said)
    assert done.returncode == 2
