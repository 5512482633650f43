"""A real PostgreSQL server for the tests: Debian's, in a temporary folder, on a free port, as an ordinary user."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

USERS = ("postgres", "nobody")  # initdb refuses root
QUICK = ("fsync=off", "full_page_writes=off", "shared_buffers=16MB", "max_connections=60")


def program(name: str) -> str | None:
    places = [os.environ.get("PATH", ""), *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))]
    return shutil.which(name, path=os.pathsep.join(places))


def what_is_missing() -> str | None:
    """Why there can be no server here."""
    if program("initdb") is None or program("postgres") is None:
        return "no PostgreSQL server (Debian: apt-get install postgresql)"
    return None if find_spec("psycopg") else "no psycopg (pip install 'psycopg[binary]')"


class PostgresServer:
    """Started at once; `stop` and `start` as often as a test likes."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="modelsearch-postgres-"))
        self._user = _ordinary_user()
        if self._user:
            shutil.chown(self.folder, self._user)
        self.folder.chmod(0o700)
        self.data, self._log = self.folder / "data", self.folder / "log"
        self._numbers = itertools.count()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._run("initdb", "-D", self.data, "-U", "tests", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        self.start()

    def url(self, database: str = "postgres", user: str = "tests") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The URL of an empty one."""
        import psycopg

        name = f"catalog_{next(self._numbers)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def start(self) -> None:
        options = " ".join(f"-c {option}" for option in QUICK)
        options += f" -p {self.port} -c listen_addresses=127.0.0.1 -k ''"
        self._run("pg_ctl", "-D", self.data, "-l", self._log, "-o", options, "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def close(self) -> None:
        try:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
        except FileNotFoundError:
            pass  # a test has stopped it
        else:
            os.kill(pid, signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, name: str, *arguments: object) -> None:
        command = [program(name) or name, *map(str, arguments)]
        done = subprocess.run(
            command, user=self._user, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if name != "pg_ctl" else subprocess.DEVNULL, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}: {done.stderr or self._log.read_text()[-2000:]}"


def _ordinary_user() -> str | None:
    if os.geteuid() != 0:
        return None
    for name in USERS:
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    return None
