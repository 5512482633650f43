"""A ComfyUI of its own for tests: a folder of models, the repository as a node pack, a server process.

`COMFYUI_PATH` is a checkout, `COMFYUI_PYTHON` a Python that has what it needs (the running one by default).
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[2]
PACK = "model-search"
START_SECONDS = 400.0


class ComfyUI:
    """A running server. `base` is its base directory; what it logs goes to `log`."""

    def __init__(self, base: Path, *options: str, environment: Mapping[str, str] | None = None) -> None:
        self.base = base
        self.log = base / "server.log"
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        python = os.environ.get("COMFYUI_PYTHON", sys.executable)
        command = [python, "main.py", "--cpu", "--port", str(self.port), "--base-directory", str(base)]
        command += ["--database-url", "sqlite:///:memory:", "--preview-method", "none", *options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=os.environ["COMFYUI_PATH"], stdout=log, stderr=log, env=own_environment(environment)
            )

    def wait_until_up(self) -> ComfyUI:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                self.get("/system_stats")
                return self
            except OSError:
                time.sleep(0.3)
        raise AssertionError(f"ComfyUI did not start:\n{self.logged()[-4000:]}")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def logged(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def get(self, path: str) -> Any:
        with urlopen(self.address + path, timeout=60) as reply:
            content = reply.read()
        return json.loads(content) if reply.headers.get_content_type() == "application/json" else content

    def post(self, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        """(status, JSON)."""
        request = Request(self.address + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        try:
            with urlopen(request, timeout=120) as reply:
                return reply.status, json.loads(reply.read() or b"null")
        except HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def queue(self, prompt: Mapping[str, Any], **more: Any) -> str:
        """The prompt's id; AssertionError with the server's words where it is refused."""
        status, answer = self.post("/prompt", {"prompt": prompt, "client_id": uuid.uuid4().hex, **more})
        assert status == 200, answer
        return answer["prompt_id"]

    def finished(self, prompt_id: str, seconds: float = 240.0) -> dict[str, Any]:
        """Its history entry, once it is through."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if entry := self.get(f"/history/{prompt_id}").get(prompt_id):
                return entry
            time.sleep(0.1)
        raise AssertionError(f"{prompt_id} is not through after {seconds} s:\n{self.logged()[-3000:]}")

    def run(self, prompt: Mapping[str, Any], seconds: float = 240.0) -> dict[str, Any]:
        return self.finished(self.queue(prompt), seconds)


def own_environment(more: Mapping[str, str] | None) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1", **(more or {})}


def install(base: Path) -> Path:
    """The repository in the custom nodes of a base directory."""
    pack = base / "custom_nodes" / PACK
    pack.parent.mkdir(parents=True)
    pack.symlink_to(ROOT, target_is_directory=True)
    return pack


def other_packs(base: Path) -> None:
    """Sinks of all sorts for a name, as other packs declare them."""
    pack = base / "custom_nodes" / "sinks"
    pack.mkdir()
    (pack / "__init__.py").write_text((Path(__file__).parent / "sinks.py").read_text("utf-8"), "utf-8")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def message_of(entry: Mapping[str, Any]) -> str:
    """What a failed prompt's node said; nothing where it went well."""
    found = [data for name, data in entry["status"]["messages"] if name == "execution_error"]
    return found[0]["exception_message"].strip() if found else ""


def shown(entry: Mapping[str, Any], node: str) -> list[Any]:
    """What a node passed on to be looked at."""
    return next(iter(entry["outputs"][node].values()))
