"""Workers on a Ray cluster: an actor for each GPU, or for each node where no node has one.

Actors have names and outlive the driver, so that one that is started again finds them with their base loaded. Nodes
that join get actors, those of nodes that leave are forgotten.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from ..errors import ModelSearchError
from .actor import Actor
from .orders import Description, Order, Outcome, Task, check_program

NAMESPACE = "modelsearch"
SURROUNDINGS = {  # of all of Ray's processes: a death is noticed within two seconds, a pulled cable within five
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_health_check_initial_delay_ms": "0",
    "RAY_grpc_client_keepalive_time_ms": "1000",
    "RAY_grpc_client_keepalive_timeout_ms": "2000",
}
LOOKING = 1.0  # seconds between two looks at who has joined
FIRST = 600.0  # seconds for the first worker to be there: it imports torch, from a store that may be slow
LEAVING = 2.0  # seconds for workers to go by themselves
MOST_TRIES = 3  # to have a worker start on one node


class _Slot(NamedTuple):
    """Room for a worker."""

    node: str
    host: str
    gpus: int


class RayPool:
    """Of one catalog: `key` keeps the actors of several apart. Close it to give the GPUs back."""

    def __init__(self, address: str, key: str) -> None:
        self._ray = _connected(address)
        self._address = address
        self._key = blake2b(key.encode(), digest_size=4).hexdigest()
        self._order: Any = None
        self._slots: dict[str, _Slot] = {}
        self._actors: dict[str, Any] = {}
        self._pending: dict[Any, tuple[str, str]] = {}  # (worker, describe, begin or sample) by reference
        self._free: list[str] = []
        self._described: dict[str, Description] = {}
        self._refused: dict[str, str] = {}
        self._untold: dict[str, str] = {}
        self._tries: dict[str, int] = {}
        self._looked = float("-inf")
        self._device = ""
        try:
            self._wait_for_first()
        except BaseException:
            self.close()
            raise

    @property
    def device(self) -> str:
        return self._device

    def begin(self, order: Order) -> None:
        self._order = self._ray.put(order)
        self._free = []
        for worker in self._described:
            self._ask(worker, "begin", self._order)

    def free(self) -> list[str]:
        self._look()
        return list(self._free)

    def start(self, worker: str, task: Task) -> None:
        self._free.remove(worker)
        self._ask(worker, "sample", task)

    def ended(self, seconds: float) -> list[tuple[str, Outcome | None]]:
        self._look()
        if not self._pending:
            time.sleep(seconds)
            return []
        ready, _ = self._ray.wait(list(self._pending), timeout=seconds, fetch_local=False)
        ended: list[tuple[str, Outcome | None]] = []
        for reference in ready:
            ended += self._heard(reference)
        return ended

    def expects_workers(self) -> bool:
        return bool(self._pending)

    def refused(self) -> Mapping[str, str]:
        untold, self._untold = self._untold, {}
        return untold

    def close(self) -> None:
        """Ends the workers, which frees their GPUs; those that have nothing to do leave nothing on their disks."""
        leaving = [self._actors[worker].ask.remote("close") for worker in self._free]
        if leaving:
            self._ray.wait(leaving, num_returns=len(leaving), timeout=LEAVING)
        for worker in list(self._actors):
            self._forget(worker)
        self._ray.shutdown()

    def _wait_for_first(self) -> None:
        until = time.monotonic() + FIRST
        while not self._described:
            self.ended(LOOKING / 4)
            if self._refused and len(self._refused) == len(self._slots):
                raise ModelSearchError("; ".join(self._refused.values()))
            if time.monotonic() > until:
                raise ModelSearchError(
                    f"the cluster at {self._address} has no room for a worker: {len(self._slots)} nodes with a GPU or "
                    "a processor are free; start one, or end what runs there"
                )

    def _look(self) -> None:
        """Who has joined, who is gone."""
        if time.monotonic() - self._looked < LOOKING:
            return
        self._looked = time.monotonic()
        self._slots = _slots(self._ray.nodes(), self._key)
        for worker, slot in self._slots.items():
            if worker not in self._actors and worker not in self._refused:
                self._actors[worker] = self._actor(worker, slot)
                self._ask(worker, "describe")

    def _actor(self, worker: str, slot: _Slot) -> Any:
        """The one that an earlier driver has left, or a new one."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        return (
            self._ray.remote(Actor)
            .options(
                name=worker,
                namespace=NAMESPACE,
                lifetime="detached",
                get_if_exists=True,
                num_cpus=0 if slot.gpus else 1,
                num_gpus=1 if slot.gpus else 0,
                scheduling_strategy=NodeAffinitySchedulingStrategy(slot.node, soft=False),
            )
            .remote()
        )

    def _ask(self, worker: str, what: str, *values: Any) -> None:
        actor = self._actors[worker]
        asked = actor.describe.remote() if what == "describe" else actor.ask.remote(what, *values)
        self._pending[asked] = worker, what

    def _heard(self, reference: Any) -> list[tuple[str, Outcome | None]]:
        worker, what = self._pending.pop(reference)
        try:
            answer = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            return self._gone(worker, what, error)
        if what == "sample":
            self._free.append(worker)
            return [(worker, answer)]
        if what == "describe":
            self._meet(worker, Description(*answer))
        elif answer is not None:
            self._refuse(worker, answer)
        elif all(worker != other for other, _ in self._pending.values()):  # else a newer order is on its way
            self._free.append(worker)
        return []

    def _meet(self, worker: str, description: Description) -> None:
        try:
            check_program(description)
        except ModelSearchError as error:
            self._tries[worker] = self._tries.get(worker, 0) + 1
            if self._tries[worker] > 1:
                self._refuse(worker, str(error))
            else:
                self._forget(worker)  # an actor that was left from before an update; the next one starts anew
            return
        if self._device and description.device != self._device:
            self._refuse(
                worker,
                f"the worker {description.host} generates on {description.device}, the others on {self._device}, which "
                "makes other pictures; have one kind in the cluster",
            )
            return
        self._device = description.device
        self._described[worker] = description
        if self._order is not None:
            self._ask(worker, "begin", self._order)

    def _gone(self, worker: str, what: str, error: Exception) -> list[tuple[str, Outcome | None]]:
        host = self._slots[worker].host if worker in self._slots else worker
        self._forget(worker)
        if what == "sample":
            return [(worker, None)]
        self._tries[worker] = self._tries.get(worker, 0) + 1
        if "No module named" in str(error):
            self._refuse(
                worker,
                f"the worker {host} has no Model Search, or not the same: {_cause(error)}; install it there",
            )
        elif self._tries[worker] >= MOST_TRIES:
            self._refuse(worker, f"no worker starts on {host}: {_cause(error)}")
        return [(worker, None)]

    def _refuse(self, worker: str, reason: str) -> None:
        self._forget(worker)
        self._refused[worker] = self._untold[worker] = reason

    def _forget(self, worker: str) -> None:
        actor = self._actors.pop(worker, None)
        self._described.pop(worker, None)
        if worker in self._free:
            self._free.remove(worker)
        if actor is not None:
            try:
                self._ray.kill(actor)
            except Exception:  # it is gone already
                return


def _connected(address: str) -> Any:
    for name, value in SURROUNDINGS.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise ModelSearchError("--ray needs the extra `ray`: pip install ray") from error
    try:
        ray.init(address=address, namespace=NAMESPACE, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise ModelSearchError(
            f"there is no Ray cluster at {address} ({_cause(error)}); start one with `ray start --head`, join it from "
            "this machine with `ray start --address=…`, and see docs/cluster.md"
        ) from error
    return ray


def _slots(nodes: list[dict[str, Any]], key: str) -> dict[str, _Slot]:
    """A worker's name to where there is room for it."""
    alive = [node for node in nodes if node["Alive"]]
    with_gpu = any(node["Resources"].get("GPU", 0) >= 1 for node in alive)
    slots: dict[str, _Slot] = {}
    for node in alive:
        gpus = int(node["Resources"].get("GPU", 0))
        for number in range(gpus if with_gpu else int(node["Resources"].get("CPU", 0) >= 1)):
            name = f"{NAMESPACE} {key} {node['NodeID'][:12]} {number}"
            slots[name] = _Slot(node["NodeID"], node["NodeManagerHostname"], gpus)
    return slots


def _cause(error: Exception) -> str:
    """The last line of what Ray said, which is the error itself."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:300] if lines else type(error).__name__
