"""The extension in a real WebUI: loading, routes, indexing and picking. Skipped where there is none."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.webui.collection import make_collection, painted
from tests.webui.host import EXTENSION, WebUI, checkout, install, is_sdnext, own_environment, python
from tests.webui.test_page import Opened

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
    preferred = "name" if is_sdnext() else "alias"
    listed = {entry[preferred] for entry in real.get("/sdapi/v1/loras")}
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


def test_once_all_is_there_the_installer_is_quiet_and_quick(real: WebUI, tmp_path: Path):
    installer = real.base / "extensions" / EXTENSION / "install.py"

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python(), str(installer)],
            cwd=tmp_path,
            env={**own_environment(), "PYTHONPATH": str(checkout())},
            capture_output=True,
            text=True,
            check=False,
        )

    assert run().returncode == 0  # adds what this WebUI lacks, and says so
    for _ in range(2):
        began = time.monotonic()
        done = run()
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert time.monotonic() - began < 10  # a second where nothing else runs


def given_up(server: WebUI, body: bytes, length: int) -> None:
    """A search whose sender goes away, before all of it or before the answer."""
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        head = "POST /modelsearch/search HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        line.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode() + body)
        time.sleep(0.2)


def test_a_search_that_is_given_up_prints_nothing(real: WebUI):
    before = len(real.logged().splitlines())
    body = json.dumps({"text": ["red"]}).encode()
    for _ in range(3):
        given_up(real, body[:5], len(body))
        given_up(real, body, len(body))
    real.until(lambda: real.post("/modelsearch/search", {"text": ["red"]})[0] == 200)
    time.sleep(2)
    new = real.logged().splitlines()[before:]
    assert not [line for line in new if "Error" in line or "Disconnect" in line or "Traceback" in line], new


def plot_title() -> str:
    return "xyz grid script" if is_sdnext() else "x/y/z plot"


def plot_choices(server: WebUI) -> list[str]:
    """What the X/Y/Z plot of txt2img can vary."""
    wanted = f"txt2img_{re.sub(r'[^a-z0-9_]', '', plot_title().replace(' ', '_'))}_x_type"
    for component in server.get("/config")["components"]:
        if str(component["props"].get("elem_id", "")).endswith(wanted):
            choices = component["props"]["choices"]
            return [choice[0] if isinstance(choice, list) else choice for choice in choices]
    raise AssertionError(f"no control {wanted}")


def plot_arguments(server: WebUI, given: dict[str, Any]) -> list[Any]:
    """In the order of the host's own script, its defaults for what is not given."""
    places = (checkout() / "scripts" / "xyz_grid.py", *checkout().glob("extensions-builtin/*/scripts/xyz_grid.py"))
    source = next(filter(Path.is_file, places)).read_text("utf-8")
    names = re.findall(r"\w+", re.search(r"return \[\s*(x_type,[^]]+)\]", source)[1])
    usual = {"margin_size": 0, "items_per_grid": 0}
    lists = ("x_values_dropdown", "y_values_dropdown", "z_values_dropdown")
    texts = ("x_values", "y_values", "z_values")
    return [given.get(name, [] if name in lists else "" if name in texts else usual.get(name, False)) for name in names]


class TestComputing:
    """With a checkpoint of full size."""

    def test_nothing_is_generated_before_the_user_says_so(self, computing: WebUI):
        computing.until(lambda: computing.indexing()["state"] == "done")
        models = computing.get("/modelsearch/models")["models"]
        assert {model["evidence"] for model in models} == {"metadata"}
        assert len(models) == 3

    def test_of_two_copies_the_one_that_the_webui_lists_is_used(self, computing: WebUI):
        models = [m for m in computing.get("/modelsearch/models")["models"] if m["kind"] == "lora"]
        assert [len(m["copies"]) for m in models] == [1, 1]
        assert {m["listed"]["tag"] for m in models} == {"noisy 0", "noisy 1"}

    def test_idle_it_begins_by_itself_where_that_is_allowed_and_interrupt_ends_it(self, computing: WebUI):
        wanted = {"modelsearch_auto_index": True, "modelsearch_idle_minutes": 1}
        assert computing.post("/sdapi/v1/options", wanted)[0] == 200
        computing.until(lambda: computing.indexing()["active"], 300)
        computing.post("/sdapi/v1/options", {"modelsearch_auto_index": False})

        def interrupted() -> bool:
            computing.post("/sdapi/v1/interrupt", {})
            return not computing.indexing()["active"]

        computing.until(interrupted, 900)
        assert computing.indexing()["state"] == "cancelled"

    def test_paused_it_makes_no_picture_until_it_goes_on(self, computing: WebUI):
        assert computing.post("/modelsearch/index", {"action": "start"})[0] == 200
        computing.until(lambda: computing.indexing()["images"] > 0, 900)
        computing.post("/modelsearch/index", {"action": "pause"})
        computing.until(lambda: computing.indexing()["state"] in ("paused", "done"), 600)
        held = computing.indexing()
        time.sleep(5)
        assert held["state"] == "paused" and computing.indexing()["images"] == held["images"]
        computing.post("/modelsearch/index", {"action": "resume"})
        computing.until(lambda: computing.indexing()["state"] == "running", 60)
        computing.post("/modelsearch/index", {"action": "cancel"})
        assert self.ended(computing)["state"] == "cancelled"

    def test_two_loras_are_indexed_while_a_users_picture_goes_first(self, computing: WebUI):
        answers: list[Any] = []
        body = {"prompt": "a harbour", **SMALL, "force_task_id": "task(user)"}
        order = {"action": "start", "samples": 6}
        assert computing.post("/modelsearch/index", order)[0] == 200
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
        chosen = computing.get("/sdapi/v1/options").get("sd_model_checkpoint")  # SD.Next leaves out what nobody chose
        assert chosen is None or chosen.startswith("noise")  # or the only one
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

    def test_a_batch_of_different_prompts_is_told_for_each_picture(self, computing: WebUI):
        prompts = ["a harbour", "a heron"]
        script = {"Model Search": {"args": [True, "prompt", None, 1, 0.0, True]}}
        body = {"prompt": prompts[0], "n_iter": 2, **SMALL, "alwayson_scripts": script}
        status, answer = computing.post("/sdapi/v1/txt2img", body, 900.0)
        assert status == 200, answer
        texts = json.loads(answer["info"])["infotexts"]
        assert len(texts) == 2 and all("Model Search: " in text and "<lora:noisy " in text for text in texts)

    def test_wrong_arguments_by_api_are_told_in_the_infotext(self, computing: WebUI):
        script = {"Model Search": {"args": [True, "colour", None, 1, 0.5, True]}}
        status, answer = computing.post(
            "/sdapi/v1/txt2img", {"prompt": "a harbour", **SMALL, "alwayson_scripts": script}, 900.0
        )
        (infotext,) = json.loads(answer["info"])["infotexts"]
        assert status == 200 and "failed: LoRA are found by one of prompt" in infotext

    def test_the_plot_compares_without_and_with_the_best(self, computing: WebUI):
        choices = plot_choices(computing)
        numbers = {label: place for place, label in enumerate(choices)}
        axis, none = numbers["[Model Search] LoRA that fits the prompt, by rank (0: none)"], numbers["Nothing"]
        given = {"x_type": axis, "x_values": "0, 1, 2", "y_type": none, "z_type": none}
        given |= {"draw_legend": True, "include_lone_images": True}
        given |= {"include_grid": True, "include_images": True}  # as SD.Next calls them
        body = {
            "prompt": "a harbour",
            **SMALL,
            "script_name": plot_title(),
            "script_args": plot_arguments(computing, given),
        }
        status, answer = computing.post("/sdapi/v1/txt2img", body, 900.0)
        assert status == 200, answer
        texts = json.loads(answer["info"])["infotexts"]
        # SD.Next's say the prompt twice
        assert ["<lora:noisy " in text for text in texts[-3:]] == [False, True, True], (len(answer["images"]), texts)
        assert len(set(answer["images"][-3:])) == 3
        if folder := os.environ.get("MODELSEARCH_SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            Path(folder, "webui_plot.png").write_bytes(base64.b64decode(answer["images"][0]))

    def test_the_gallery_says_which_models_made_its_picture(self, computing: WebUI, browser: Any):
        opened = Opened(browser, computing)
        opened.tab("txt2img")
        for name, value in (("width", 64), ("height", 64), ("steps", 1)):
            field = opened.page.locator(f"#txt2img_{name} input[type=number]").first
            field.fill(str(value))
            field.press("Tab")
        opened.prompt().fill("a harbour <lora:noisy 1:1>")
        opened.page.locator("#txt2img_generate").click()
        opened.page.wait_for_selector("#txt2img_gallery img", timeout=600_000)
        opened.keep("webui_gallery")
        button = opened.page.locator("#image_buttons_txt2img .modelsearch-button").first
        assert button.bounding_box()["width"] < 80  # gradio would spread it over what is left of the row
        button.click()
        dialog = opened.page.locator(".modelsearch-makers")
        dialog.wait_for()
        said = [row.inner_text() for row in dialog.locator("li").all()]
        named = {row.rpartition(" · ")[0] for row in said if "named" in row}
        assert named == {"noisy 1 LoRA", "noise Checkpoint"}, said
        opened.keep("webui_gallery_makers")
        dialog.get_by_role("button", name="Close").click()
        assert button.is_visible() and not dialog.count()
        assert not opened.errors
        opened.close()

    def test_nothing_went_wrong_in_the_log(self, computing: WebUI):
        _, _, log = computing.logged().partition("Startup time")  # before it others fail, without what is disabled
        assert log and "Traceback" not in log, log[-3000:]
        assert not (computing.base / "modelsearch" / "ordered.json").exists()


@pytest.fixture(scope="module")
def without_page(needs_webui: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebUI]:
    """With an index, and with a LoRA that came since; the settings name a CLIP that is not on the disk."""
    base = tmp_path_factory.mktemp("page")
    install(base, modelsearch_encoder="ViT-L-14/openai")
    make_collection(base)
    loras = base / "models" / "Lora"
    tensors = load_file(loras / "red.safetensors")
    save_file({name: np.asarray(2 * value) for name, value in tensors.items()}, loras / "white.safetensors")
    server = WebUI(base, *([] if is_sdnext() else ["--nowebui"]))  # SD.Next always has one
    try:
        yield server.wait_until_up()
    finally:
        server.stop()


def test_the_routes_are_there_without_a_page(without_page: WebUI):
    assert without_page.get("/modelsearch/status")["host"] == "webui"
    assert not [line for line in ours(without_page.logged()) if "Error" in line]


def test_a_start_reads_what_came_since_with_the_indexs_clip(without_page: WebUI):
    def known() -> dict[str, str]:
        return {model["name"]: model["evidence"] for model in without_page.get("/modelsearch/models")["models"]}

    without_page.until(lambda: known().get("white") == "metadata")


@pytest.fixture
def guarded(needs_webui: None, tmp_path: Path) -> Iterator[WebUI]:
    install(tmp_path)
    program, person = "program:for the API", "person:for the page"
    of_both = ("--auth", f"{program},{person}")
    server = WebUI(tmp_path, *(of_both if is_sdnext() else ("--api-auth", program, "--gradio-auth", person)))
    try:
        yield server.wait_until_up()
    finally:
        server.stop()


def test_the_passwords_of_the_webui_open_it_and_nothing_else_does(guarded: WebUI):
    def status(path: str = "status", body: bytes | None = None, **headers: str) -> int:
        request = Request(f"{guarded.address}/modelsearch/{path}", body, headers)
        try:
            with urlopen(request, timeout=60) as reply:
                return reply.status
        except HTTPError as error:
            return error.code

    def basic(login: str) -> dict[str, str]:
        return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}

    json_body = {"Content-Type": "application/json"}
    assert status() == status("models") == status("index", b"{}", **json_body) == 401
    assert status("models/x/preview", b"{}", **json_body) == 401
    assert status(**basic("program:for the page")) == status(**basic("person:for the API")) == 401
    assert status(**basic("program:for the API")) == 200
    login = urlencode({"username": "person", "password": "for the page"}).encode()
    with urlopen(Request(f"{guarded.address}/login", login), timeout=60) as reply:
        cookies = reply.headers.get_all("Set-Cookie")
    assert status(Cookie="; ".join(cookie.partition(";")[0] for cookie in cookies)) == 200


def test_a_checkout_is_named():
    path = os.environ.get("WEBUI_PATH")
    assert path is None or Path(path, "launch.py").is_file()
