"""A WebUI of its own for tests: a data folder, the repository as an extension, a server process.

`WEBUI_PATH` is a checkout of Forge, Classic, Neo, reForge, AUTOMATIC1111 or SD.Next, `WEBUI_PYTHON` a Python that has
what it needs (the running one by default).
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[2]
EXTENSION = "sd-webui-model-search"
PARTS = (
    "scripts",
    "javascript",
    "localizations",
    "modelsearch_core",
    "modelsearch_webui",
    "web",
    "style.css",
    "metadata.ini",
    "install.py",
    "requirements.txt",
    "constraints.txt",
)
START_SECONDS = 900.0
UNAUTHORIZED = 401  # up, and guarded by a password
# The installers of the first two would upgrade numpy, and the others stand on the second; nothing here needs them.
DISABLED = ["forge_legacy_preprocessors", "sd_forge_controlnet", "sd_forge_ipadapter", "sd_forge_controlllite"]
OPTIONS = ("--skip-torch-cuda-test", "--skip-prepare-environment", "--skip-version-check", "--no-download-sd-model")


class WebUI:
    """A running server. `base` is its data folder; what it logs goes to `log`."""

    def __init__(self, base: Path, *options: str) -> None:
        self.base = base
        self.log = base / "server.log"
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        command = [python(), "launch.py", *known_options(), *on_processor(), "--api", "--port", str(self.port)]
        command += ["--data-dir", str(base), *options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=checkout(), stdout=log, stderr=log, env=own_environment())

    def wait_until_up(self) -> WebUI:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            time.sleep(0.5)
            if "Startup time" not in self.logged():
                continue  # reForge does not come up where it is asked too early
            try:
                self.get("/modelsearch/status")
            except HTTPError as error:
                if error.code != UNAUTHORIZED:
                    continue
            except OSError:
                continue
            return self
        raise AssertionError(f"the WebUI did not start:\n{self.logged()[-4000:]}")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def logged(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Any:
        with urlopen(Request(self.address + path, headers=dict(headers or {})), timeout=120) as reply:
            content = reply.read()
        return json.loads(content) if reply.headers.get_content_type() == "application/json" else content

    def post(self, path: str, body: Mapping[str, Any], seconds: float = 300.0, **headers: str) -> tuple[int, Any]:
        """(status, JSON)."""
        sent = {"Content-Type": "application/json", **headers}
        request = Request(self.address + path, json.dumps(body).encode(), sent)
        try:
            with urlopen(request, timeout=seconds) as reply:
                return reply.status, json.loads(reply.read() or b"null")
        except HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def until(self, condition: Any, seconds: float = 240.0) -> Any:
        """What the condition gives once that is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := condition():
                return found
            time.sleep(0.3)
        raise AssertionError(f"not after {seconds} s:\n{self.logged()[-3000:]}")

    def indexing(self) -> dict[str, Any]:
        return self.get("/modelsearch/index")["progress"]


def is_sdnext() -> bool:
    return (checkout() / "modules" / "sd_checkpoint.py").is_file()


def known_options() -> list[str]:
    """Those that this WebUI has: some refuse others'."""
    if is_sdnext():
        return ["--skip-all", "--skip-env", "--skip-git", "--skip-torch"]
    known = (checkout() / "modules" / "cmd_args.py").read_text("utf-8")
    return [*(option for option in OPTIONS if option in known), "--gradio-allowed-path", str(checkout())]


def on_processor() -> tuple[str, ...]:
    """How this WebUI is told to compute without a graphics card."""
    if is_sdnext():
        return ("--no-half",) if "no-half" in (checkout() / "modules" / "cmd_args.py").read_text("utf-8") else ()
    if not (checkout() / "modules_forge").is_dir():
        return "--use-cpu", "all", "--no-half"
    arguments = checkout() / "backend" / "args.py"
    of_neo = arguments.is_file() and '"--cpu"' in arguments.read_text("utf-8")
    return ("--cpu",) if of_neo else ("--always-cpu",)


def checkout() -> Path:
    return Path(os.environ["WEBUI_PATH"]).resolve()  # as a server sees it that runs there


def python() -> str:
    return os.environ.get("WEBUI_PYTHON", sys.executable)


def own_environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def install(base: Path, **settings: Any) -> Path:
    """The repository among the extensions of a data folder, as an unpacked download."""
    extension = base / "extensions" / EXTENSION
    extension.mkdir(parents=True)
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, extension / part, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / part).exists():
            shutil.copy(ROOT / part, extension / part)
    # Classic fails to list LoRA of the checkpoint's kind where none is loaded.
    usual = {"disabled_extensions": DISABLED, "lora_show_all": True}
    config = {**usual, **version(), **own_settings(), **settings}
    (base / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return extension


def own_settings() -> dict[str, Any]:
    """SD.Next would load a checkpoint before anybody wants a picture, and ask the network what it is by its size."""
    quiet = {"sd_checkpoint_autoload": False, "sd_checkpoint_autodownload": False, "offline_mode": True}
    return {**quiet, "diffusers_pipeline": "Stable Diffusion", "theme_type": "Standard"} if is_sdnext() else {}


def version() -> dict[str, str]:
    """Neo waits for a key where a configuration is not of its version."""
    path = checkout() / "modules" / "launch_utils.py"
    source = path.read_text("utf-8") if path.is_file() else ""
    return dict(re.findall(r'^(VERSION_UID)\b.*= "(\w+)"', source, re.MULTILINE))


def free_port() -> int:
    """Below those that the system gives to whatever connects meanwhile: a WebUI may take minutes to come to its own."""
    while True:
        with socket.socket() as found, contextlib.suppress(OSError):
            found.bind(("127.0.0.1", random.randrange(20_000, 32_000)))
            return found.getsockname()[1]
