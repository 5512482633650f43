"""How long a Ray cluster stands still when a machine dies, when its cable is pulled, and when one joins: `python -m benchmarks.cluster`.

Three machines of one: the head with the driver, and two workers, each in a network of its own on one bridge (Linux, the
superuser). The pool and Ray are the real ones, with their real processes; a model is a second's quarter of waiting, so that a
gap in what comes back is Ray's. Told are the longest gap between two models that came back, and how long it took until the
model that the lost worker was at was known to be lost. Writes benchmarks/results/cluster.json.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from modelsearch_core.cluster import ray_pool
from modelsearch_core.cluster.orders import Outcome, program

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks" / "results" / "cluster.json"
WITH_A_NETWORK = "unshare", "--net", "--mount", "bash", "-c", 'ip link set lo up && exec "$@"', "bash"
HEAD, WORKERS = "10.77.0.1", ("10.77.0.11", "10.77.0.12")
PORT = 6379
A_MODEL = 0.25  # seconds
BEFORE, AFTER = 5.0, 10.0
RUNS = 3


class Waiting:
    """Stands for `modelsearch_core.cluster.actor.Actor`."""

    def describe(self) -> tuple[str, str, str]:
        return socket.gethostname(), program(), "cpu"

    def ask(self, what: str, *_: object) -> Outcome | None:
        if what != "sample":
            return None
        time.sleep(A_MODEL)
        return Outcome(images=1)


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise SystemExit(f"{what} did not come within {seconds:.0f} s")
        time.sleep(0.1)


def answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), 1).close()
    except OSError:
        return False
    return True


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


class Machine:
    """A network and the Ray node in it."""

    def __init__(self, number: int, address: str) -> None:
        self.cable = f"cable{number}"
        self._holder = subprocess.Popen([*WITH_A_NETWORK, "sleep", "infinity"])
        here = str(self._holder.pid)
        wait_for(lambda: network_of(here) != network_of("self"), "a network")
        ip("link", "add", self.cable, "type", "veth", "peer", "name", "eth0", "netns", here)
        ip("link", "set", self.cable, "master", "bridge0", "up")
        self._within("ip", "addr", "add", f"{address}/24", "dev", "eth0")
        self._within("ip", "link", "set", "eth0", "up")
        node = ["nsenter", "-t", here, "-n", *ray_start(address, f"--address={HEAD}:{PORT}", "--num-cpus=1")]
        self._node = subprocess.Popen(node, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: self._is_listening("raylet"), f"a node of Ray at {address}")

    def _within(self, *words: str) -> None:
        subprocess.run(["nsenter", "-t", str(self._holder.pid), "-n", *words], check=True)

    def _is_listening(self, name: str) -> bool:
        """Nodes that start at once take the same names for their sockets."""
        there = [Path(f"/proc/{pid}/comm").read_text().strip() for pid in in_network_of(self._holder.pid)]
        return any(command.startswith(name) for command in there)

    def die(self) -> None:
        """All at once, as when its power goes, but that its network answers that nobody is there."""
        kill_all(self._holder.pid)

    def pull(self) -> None:
        ip("link", "set", self.cable, "down")

    def close(self) -> None:
        self.die()
        self._holder.kill()
        self._holder.wait()
        self._node.wait()
        subprocess.run(["ip", "link", "delete", self.cable], check=False, stderr=subprocess.DEVNULL)


def kill_all(but: int) -> None:
    """That are in its network."""
    for process in in_network_of(but):
        if process != but:
            os.kill(process, signal.SIGKILL)


def network_of(pid: int | str) -> str:
    return str(Path(f"/proc/{pid}/ns/net").readlink())


def in_network_of(pid: int) -> list[int]:
    network = network_of(pid)
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and network_of(entry.name) == network:
                found.append(int(entry.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


def ray_start(address: str, *more: str) -> list[str]:
    ray = [sys.executable, "-m", "ray.scripts.scripts", "start", f"--node-ip-address={address}", "--block"]
    return [*ray, f"--object-store-memory={80 * 2**20}", *more]


@contextmanager
def cluster(folder: Path) -> Generator[list[Machine]]:
    """In this process's own network: a head here, two machines on the bridge."""
    ip("link", "add", "bridge0", "type", "bridge")
    ip("addr", "add", f"{HEAD}/24", "dev", "bridge0")
    ip("link", "set", "bridge0", "up")
    alone = "--head", f"--port={PORT}", "--num-cpus=0", "--include-dashboard=false", f"--temp-dir={folder}"
    head = ray_start(HEAD, *alone)
    started, machines = subprocess.Popen(head, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL), list[Machine]()
    try:
        wait_for(lambda: answers(HEAD, PORT), "the head")
        machines += [Machine(number, address) for number, address in enumerate(WORKERS)]
        yield machines
    finally:
        for machine in machines:
            machine.close()
        kill_all(os.getpid())
        started.wait()
        ip("link", "delete", "bridge0")


def gaps(what: Callable[[list[Machine]], None]) -> dict[str, float]:
    """Seconds, of a run in which this happens once both workers are at work."""
    with tempfile.TemporaryDirectory(prefix="ray-") as name, cluster(Path(name)) as machines:
        pool = ray_pool.RayPool(f"{HEAD}:{PORT}", "gaps")
        try:
            pool.begin(None)  # type: ignore[arg-type]
            wait_for(lambda: not pool.ended(0.1) and len(pool.free()) == len(machines), "a worker on each machine", 180)
            came, lost, happened, began = [], [], 0.0, time.monotonic()
            while time.monotonic() - began < BEFORE + AFTER:
                if not happened and time.monotonic() - began > BEFORE:
                    what(machines)
                    happened = time.monotonic()
                for worker in pool.free():
                    pool.start(worker, None)  # type: ignore[arg-type]
                for _, outcome in pool.ended(0.1):
                    (came if outcome else lost).append(time.monotonic())
        finally:
            pool.close()
    after = [a for a in came if a > happened]
    assert lost and after, "nothing was lost, or nothing came afterwards"
    usual = statistics.median(b - a for a, b in itertools.pairwise(came) if b < happened)
    longest = max(b - a for a, b in itertools.pairwise([happened, *after]))
    return {"usual": usual, "longest": longest, "known": lost[0] - happened}


def measure() -> dict[str, Any]:
    ray_pool.Actor = Waiting  # type: ignore[assignment,misc]
    happenings = {"killed": lambda machines: machines[1].die(), "cable": lambda machines: machines[1].pull()}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in happenings}
    for _ in range(RUNS):
        for name, what in happenings.items():
            found[name].append(gaps(what))
            print(name, found[name][-1], flush=True)
    return found


def main() -> None:
    if sys.argv[1:] == ["within"]:
        os.environ.update(ray_pool.SURROUNDINGS, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1")
        found = measure()
        RESULT.write_text(json.dumps(found, indent=1) + "\n")
        print(json.dumps(found, indent=1))
        return
    if not shutil.which("unshare") or os.geteuid() != 0:
        raise SystemExit("only the superuser of Linux may have networks of this benchmark's own")
    raise SystemExit(subprocess.run([*WITH_A_NETWORK, sys.executable, "-m", "benchmarks.cluster", "within"]).returncode)


if __name__ == "__main__":
    main()
