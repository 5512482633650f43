"""The extension in a real WebUI: loading, routes, indexing and picking. Skipped where there is none."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.webui.collection import painted
from tests.webui.host import EXTENSION, WebUI, checkout, install, own_environment, python

SMALL = {"steps": 1, "width": 64, "height": 64, "seed": 1, "sampler_name": "Euler"}
pytestmark = pytest.mark.timeout(1800)


def as_base64(colour: str) -> str:
    buffer = io.BytesIO()
    painted(colour).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def ours(log: str) -> list[str]:
    """What the log says of us that is no progress."""
    return [line for line in log.splitlines() if EXTENSION in line or "modelsearch" in line.lower()]


def test_it_loads_without_a_traceback(real: WebUI):
    assert not [line for line in ours(real.logged()) if "Error" in line or "Traceback" in line or 'File "' in line]


def test_the_tab_the_script_and_the_settings_are_there(real: WebUI):
    components = real.get("/config")["components"]
    ids = {component["props"].get("elem_id") for component in components}
    assert {"modelsearch_bridge", "modelsearch_go", "modelsearch_told"} <= ids
    labels = {component["props"].get("label") for component in components}
    assert "Model Search" in labels and "Pick LoRA by what they make" in labels
    assert {"setting_modelsearch_catalog", "setting_modelsearch_engine"} <= ids
    assert "model search" in real.get("/sdapi/v1/scripts")["txt2img"]


def test_models_have_the_names_of_the_webui(real: WebUI):
    models = {model["name"]: model for model in real.get("/modelsearch/models")["models"]}
    listed = {entry["alias"] for entry in real.get("/sdapi/v1/loras")}
    assert {model["listed"]["tag"] for model in models.values() if model["kind"] == "lora"} == listed
    titles = {entry["title"] for entry in real.get("/sdapi/v1/sd-models")}
    assert models["grey checkpoint"]["listed"]["name"] in titles


@pytest.mark.parametrize("headers", [{"Origin": "https://elsewhere.example"}, {"Host": "elsewhere.example"}])
def test_other_sites_are_refused(real: WebUI, headers: dict[str, str]):
    assert real.post("/modelsearch/index", {"action": "start"}, **headers)[0] == 403


@pytest.mark.parametrize("path", ["panel/..%2finstall.py", "panel/../../config.json", "models/x/samples/0.webp"])
def test_nothing_else_is_served(real: WebUI, path: str):
    with pytest.raises(OSError, match="404"):
        real.get(f"/modelsearch/{path}")


def test_too_much_is_refused(real: WebUI):
    assert real.post("/modelsearch/index", {"action": "x" * (1 << 21)})[0] == 413


def test_the_installer_is_quiet_and_quick_twice(real: WebUI, tmp_path: Path):
    installer = real.base / "extensions" / EXTENSION / "install.py"
    for _ in range(2):
        began = time.monotonic()
        done = subprocess.run(
            [python(), str(installer)],
            cwd=tmp_path,
            env={**own_environment(), "PYTHONPATH": str(checkout())},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert time.monotonic() - began < 10  # a second where nothing else runs


class TestComputing:
    """With a checkpoint of full size."""

    def test_nothing_is_generated_before_the_user_says_so(self, computing: WebUI):
        computing.until(lambda: computing.indexing()["state"] == "done")
        models = computing.get("/modelsearch/models")["models"]
        assert {model["evidence"] for model in models} == {"metadata"}
        assert len(models) == 3

    def test_two_loras_are_indexed_while_a_users_picture_goes_first(self, computing: WebUI):
        answers: list[Any] = []
        body = {"prompt": "a harbour", **SMALL, "force_task_id": "task(user)"}
        assert computing.post("/modelsearch/index", {"action": "start"})[0] == 200
        user = threading.Thread(target=lambda: answers.append(computing.post("/sdapi/v1/txt2img", body, 900.0)))
        computing.until(lambda: computing.indexing()["images"] > 0, 900)
        user.start()
        user.join(900)
        assert answers and answers[0][0] == 200
        assert computing.indexing()["active"], "the user's picture waited for the whole index"
        progress = self.ended(computing)
        assert (progress["state"], progress["failures"]) == ("done", 0), progress
        models = {model["name"]: model for model in computing.get("/modelsearch/models")["models"]}
        assert {model["evidence"] for model in models.values()} == {"generated"}
        pictures = {computing.get(f"/modelsearch/models/{m['id']}/samples/0.webp") for m in models.values()}
        assert len(pictures) == 3, "the LoRA change nothing"

    def ended(self, server: WebUI) -> dict[str, Any]:
        return server.until(lambda: None if (p := server.indexing())["active"] else p, 1200)

    def test_the_users_checkpoint_is_as_before(self, computing: WebUI):
        options = computing.get("/sdapi/v1/options")
        assert options["sd_model_checkpoint"].startswith("noise")
        assert "CLIP_stop_at_last_layers" not in (computing.base / "config.json").read_text("utf-8")

    @pytest.mark.parametrize(("floor", "added"), [(0.0, True), (1.0, False)])
    def test_the_script_picks_by_api_and_says_so(self, computing: WebUI, floor: float, added: bool):
        script = {"Model Search": {"args": [True, "picture", as_base64("red"), 2, floor, True]}}
        status, answer = computing.post(
            "/sdapi/v1/txt2img", {"prompt": "a harbour", **SMALL, "alwayson_scripts": script}, 900.0
        )
        assert status == 200, answer
        (infotext,) = json.loads(answer["info"])["infotexts"]
        assert ("<lora:noisy " in infotext) is added
        assert ('Model Search: "no LoRA is relevant' in infotext) is not added

    def test_nothing_went_wrong_in_the_log(self, computing: WebUI):
        log = computing.logged()
        assert "Traceback" not in log, log[-3000:]
        assert not (computing.base / "modelsearch" / "ordered.json").exists()


@pytest.fixture
def without_page(needs_webui: None, tmp_path: Path) -> Iterator[WebUI]:
    install(tmp_path)
    server = WebUI(tmp_path, "--nowebui")
    try:
        yield server.wait_until_up()
    finally:
        server.stop()


def test_the_routes_are_there_without_a_page(without_page: WebUI):
    assert without_page.get("/modelsearch/status")["host"] == "webui"
    assert not [line for line in ours(without_page.logged()) if "Error" in line]


def test_a_checkout_is_named():
    path = os.environ.get("WEBUI_PATH")
    assert path is None or Path(path, "launch.py").is_file()
