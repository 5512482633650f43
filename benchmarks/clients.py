"""Many artists at one server: `python benchmarks/clients.py CATALOG [--clients 200] [--pause 30] [--seconds 60]`.
What it saves to compare several at once: `python benchmarks/clients.py CATALOG --together 4 7 15`.

Starts the server over a catalogue of `benchmarks/catalogues.py` (a file, or a copy of it on a server by its
`postgresql://…`), has each client ask by text, wait for the answer and think for a while (exponential, `--pause` seconds
in the mean), and tells how long answers took, and the server's processor time and memory. The encoder is not in it.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.catalogues import Chance
from modelsearch_core.panel import Panel
from modelsearch_core.places import catalog_place
from modelsearch_core.search import ModelIndex, Query
from modelsearch_core.server import LocalHost, Server

REPEATED = 9


def serve(catalog: str) -> None:
    """The server's own process."""

    def engine(*_: object) -> None:
        raise NotImplementedError("this server indexes nothing")

    place = catalog_place(catalog)
    host = LocalHost(place, engine, lambda _: Chance())  # type: ignore[arg-type]
    server = Server(panel=Panel(place, host), port=0)

    def tell(address: str) -> None:
        print(json.dumps({"address": address}), flush=True)

    asyncio.run(server.run(tell, asyncio.Event()))


async def client(session: aiohttp.ClientSession, url: str, number: int, pause: float, end: float) -> list[float]:
    rng = np.random.default_rng(number)
    times: list[float] = []
    await asyncio.sleep(float(rng.uniform(0, pause)))
    while time.monotonic() < end:
        begun = time.monotonic()
        async with session.post(
            url, json={"text": [f"question {rng.integers(1_000_000)}"], "explained": False}
        ) as answer:
            answer.raise_for_status()
            await answer.read()
        times.append(time.monotonic() - begun)
        await asyncio.sleep(float(rng.exponential(pause)))
    return times


async def measure(address: str, args: argparse.Namespace) -> list[float]:
    url = f"{address.rstrip('/')}/modelsearch/search"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        for number in range(5):  # warm
            await client(session, url, number, 0.0, time.monotonic() + 0.1)
        end = time.monotonic() + args.seconds
        of_each = await asyncio.gather(
            *(client(session, url, 100 + number, args.pause, end) for number in range(args.clients))
        )
    return [seconds for times in of_each for seconds in times]


def together(catalog: str, counts: Sequence[int]) -> None:
    """Processor time of a text's answer where so many wait, with what is computed for all of them and without."""
    with ModelIndex.open(catalog_place(catalog), encoder=Chance()) as index:
        index.warm()
        numbers = itertools.count()
        for count in counts:
            times: dict[bool, list[float]] = {True: [], False: []}
            for _ in range(REPEATED):
                for ahead, of in times.items():
                    queries = [Query(text=[f"question {next(numbers)}"]) for _ in range(count)]
                    for query in queries:
                        index.read_ahead(query)
                    begun = time.process_time()
                    if ahead:
                        index.ask_ahead([(query, "auto") for query in queries])
                    for query in queries:
                        index.search(query, k=60)
                    of.append((time.process_time() - begun) / count * 1000)
            both = " ms, one by one ".join(f"{np.median(of):.1f}" for of in times.values())
            print(f"{count} waiting: {both} ms of a processor an answer")


def used(pid: int) -> tuple[float, float]:
    """(processor seconds, peak memory in MB) of a process; Linux."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    peak = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return (int(fields[11]) + int(fields[12])) / 100, int(peak.split()[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("catalog")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--pause", type=float, default=30.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--together", type=int, nargs="+", metavar="WAITING", help="without a server")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.catalog)
        return
    if args.together:
        together(args.catalog, args.together)
        return
    command = [sys.executable, __file__, args.catalog, "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        try:
            assert server.stdout is not None
            address = json.loads(server.stdout.readline())["address"]
            before, _ = used(server.pid)
            times = asyncio.run(measure(address, args))
            after, memory = used(server.pid)
        finally:
            server.terminate()
    half, most = np.percentile(times, [50, 99])
    print(
        f"{args.clients} clients, {len(times)} answers: median {half * 1000:.0f} ms, 99th percentile "
        f"{most * 1000:.0f} ms; {(after - before) / len(times) * 1000:.0f} ms of a processor each; {memory:.0f} MB"
    )


if __name__ == "__main__":
    main()
