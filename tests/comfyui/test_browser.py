"""The side bar in a real browser: the pinned frontend and the newest (`COMFYUI_FRONTEND`), both node renderers."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.comfyui.collection import make_collection
from tests.comfyui.engine import until
from tests.comfyui.host import PACK, ROOT, ComfyUI, install
from tests.comfyui.test_found import HIGH, LOW, wan

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

SIZE = {"width": 1400, "height": 850}
TAB = 'button[aria-label="Model Search"], button[aria-label="Find model"], .modelsearch-tab-button'
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=["pinned", "newest"])
def server(request: pytest.FixtureRequest, needs_comfyui: None, tmp_path_factory: pytest.TempPathFactory) -> Any:
    newest = os.environ.get("COMFYUI_FRONTEND")
    if request.param == "newest" and not newest:
        pytest.skip("COMFYUI_FRONTEND does not name the static folder of a newer comfyui-frontend-package")
    base = tmp_path_factory.mktemp("browser")
    install(base)
    make_collection(base)
    server = ComfyUI(base, *(["--front-end-root", str(newest)] if request.param == "newest" else []))
    server.frontend = request.param
    try:
        yield server.wait_until_up()
    finally:
        server.stop()


@pytest.fixture(params=["classic", "vue"])
def page(request: pytest.FixtureRequest, server: ComfyUI, chromium: Any) -> Iterator[Any]:
    """ComfyUI with an empty graph."""
    page = chromium.new_page(viewport=SIZE)
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(error.stack or str(error)))
    page.on("console", lambda line: page.errors.append(f"{PACK}: {line.text}") if ours(line) else None)
    page.goto(server.address, timeout=180_000)
    page.wait_for_function(
        "() => window.app?.extensionManager && window.LiteGraph && window.app.graph", timeout=120_000
    )
    page.wait_for_timeout(2000)
    page.keyboard.press("Escape")
    set_up = """async (vue) => {
        await window.app.extensionManager.setting.set('Comfy.VueNodes.Enabled', vue);
        await window.app.loadGraphData({ nodes: [], links: [], groups: [], config: {}, extra: {}, version: 0.4 });
    }"""
    page.evaluate(set_up, request.param == "vue")
    page.errors = [error for error in page.errors if PACK in error]  # old frontends stumble over their own settings
    page.shot = lambda name: shot(page, f"{server.frontend}-{request.param}-{name}")
    yield page
    page.close()


def ours(line: Any) -> bool:
    return line.type == "error" and "model-search" in (line.location or {}).get("url", "")


def shot(page: Any, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def open_tab(page: Any) -> None:
    page.locator(TAB).first.click()
    page.wait_for_selector(".modelsearch .ms-input", timeout=60_000)


def search(page: Any, colour: str, base: Path) -> None:
    """By a picture, through the panel's file field."""
    page.locator(".modelsearch input[type=file]").first.set_input_files(base / "input" / f"{colour}.png")
    page.wait_for_selector(".ms-card .ms-name", timeout=60_000)
    page.wait_for_function(
        f"() => document.querySelector('.ms-card .ms-name')?.textContent === '{colour}'", timeout=60_000
    )


GRAPH = "() => window.app.graph.nodes.map(n => [n.type, n.widgets?.[0]?.value, [...n.pos], [...n.size]])"


def test_a_found_model_is_inserted_as_a_node_that_works(page: Any, server: ComfyUI):
    open_tab(page)
    search(page, "red", server.base)
    page.shot("found")
    page.locator(".ms-card").first.hover()
    page.locator(".ms-card").first.get_by_role("button").first.click()
    page.wait_for_function("() => window.app.graph.nodes.length === 1")
    page.wait_for_timeout(500)
    page.shot("inserted")
    ((kind, value, *_),) = page.evaluate(GRAPH)
    assert (kind, value) == ("LoraLoader", "red.safetensors")
    prompt = page.evaluate("async () => (await window.app.graphToPrompt()).output")
    assert [node["inputs"]["lora_name"] for node in prompt.values()] == ["red.safetensors"]
    assert not [error for error in page.errors if "model" in error.lower() and "search" in error.lower()]


def test_a_second_node_is_put_where_the_first_is_not(page: Any, server: ComfyUI):
    open_tab(page)
    search(page, "red", server.base)
    for count in (1, 2, 3):
        page.locator(".ms-card").first.hover()
        page.locator(".ms-card").first.get_by_role("button").first.click()
        page.wait_for_function(f"() => window.app.graph.nodes.length === {count}")
    boxes = [(x, y, x + w, y + h) for *_, (x, y), (w, h) in page.evaluate(GRAPH)]
    page.shot("three")
    assert not any(overlap(a, b) for n, a in enumerate(boxes) for b in boxes[:n])


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def test_the_map_shows_the_collection_in_the_side_bar(page: Any):
    open_tab(page)
    page.click(".modelsearch [data-view=map]")
    page.wait_for_selector(".ms-map-point img", timeout=60_000)
    page.wait_for_function("() => [...document.querySelectorAll('.ms-map img')].every((i) => i.naturalWidth > 0)")
    page.wait_for_timeout(500)
    page.shot("map")
    view = page.locator(".ms-map").bounding_box()
    boxes = [point.bounding_box() for point in page.locator(".ms-map-point").all()]
    assert len(boxes) > 4
    assert all(view["x"] <= box["x"] and box["x"] + box["width"] <= view["x"] + view["width"] for box in boxes)
    page.mouse.move(view["x"] + view["width"] / 2, view["y"] + view["height"] / 2)
    before = page.evaluate("() => window.app.canvas.ds.scale")
    page.mouse.wheel(0, -300)
    page.wait_for_function("w => document.querySelector('.ms-map-point').getBoundingClientRect().width > w", arg=30)
    assert page.evaluate("() => window.app.canvas.ds.scale") == before  # the graph stays as it is
    page.locator(".ms-map-point[aria-label^='red,']").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".ms-detail[open] [data-action=insertLoader]", timeout=60_000)
    page.locator(".ms-detail [data-action=insertLoader]").click()
    page.wait_for_function("() => window.app.graph.nodes.length === 1")
    assert [value for _, value, *_ in page.evaluate(GRAPH)] == ["red.safetensors"]


def test_the_selected_loader_is_set(page: Any, server: ComfyUI):
    page.evaluate("""() => {
        const node = window.LiteGraph.createNode('LoraLoaderModelOnly');
        window.app.graph.add(node);
        window.app.canvas.selectNode(node);
    }""")
    open_tab(page)
    search(page, "blue", server.base)
    page.locator(".ms-card").first.hover()
    page.locator(".ms-card").first.get_by_role("button").nth(1).click()
    page.wait_for_timeout(500)
    assert [value for _, value, *_ in page.evaluate(GRAPH)] == ["blue.safetensors"]


def drag(page: Any, to: tuple[float, float]) -> None:
    """The first card, let go at a point of the window."""
    box = page.locator(".ms-card .ms-pictures").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(to[0] - 60, to[1] - 40, steps=6)
    page.mouse.move(*to, steps=3)
    page.mouse.up()


def test_a_card_is_dragged_onto_the_canvas_and_onto_a_node(page: Any, server: ComfyUI):
    open_tab(page)
    search(page, "red", server.base)
    drag(page, (1000, 300))
    page.wait_for_function("() => window.app.graph.nodes.length === 1")
    ((kind, value, *_),) = page.evaluate(GRAPH)
    assert (kind, value) == ("LoraLoader", "red.safetensors")
    page.evaluate("() => window.app.canvas.setDirty(true, true)")
    page.wait_for_timeout(500)
    page.locator(".ms-summary button").last.click()
    search(page, "blue", server.base)
    drag(page, (1040, 340))
    page.wait_for_function("() => window.app.graph.nodes[0].widgets[0].value === 'blue.safetensors'")
    page.shot("dragged")
    assert len(page.evaluate(GRAPH)) == 1
    assert not page.errors


SHOWING = """async (source) => {
    const node = window.LiteGraph.createNode('PreviewImage');
    window.app.graph.add(node);
    const image = new Image();
    image.src = source;
    await image.decode();
    node.imgs = [image];
    const options = [];
    node.getExtraMenuOptions(window.app.canvas, options);
    options.find((option) => option?.content === 'Find models like this').callback();
}"""


def test_models_are_found_that_make_pictures_like_a_nodes(page: Any, server: ComfyUI):
    page.evaluate(SHOWING, "/view?filename=green.png&type=input")
    page.wait_for_selector(".modelsearch .ms-chip img", timeout=60_000)
    page.wait_for_function("() => document.querySelector('.ms-card .ms-name')?.textContent === 'green'", timeout=60_000)


def has_jobs(server: ComfyUI) -> bool:
    try:
        server.get("/api/jobs")
    except HTTPError:
        return False
    return True


MADE = 'button[aria-label^="Assets"], button[aria-label^="Queue"]'


def test_models_are_found_that_make_pictures_like_one_of_the_queue_or_the_assets(page: Any, server: ComfyUI):
    if server.frontend == "newest" and not has_jobs(server):
        pytest.skip("this core has no /api/jobs, from which this frontend has the pictures that it shows")
    saving = {"class_type": "SaveImage", "inputs": {"images": ["0", 0], "filename_prefix": "made"}}
    server.run({"0": {"class_type": "LoadImage", "inputs": {"image": "green.png"}}, "1": saving})
    page.locator(MADE).first.click()
    picture = page.locator('img[src*="made_"]').first
    picture.wait_for(timeout=60_000)
    picture.click(button="right", force=True)
    entry = page.locator(".ms-menu-entry")
    entry.wait_for(timeout=30_000)
    page.shot("picture-menu")
    assert entry.inner_text().strip() == "Find models like this"
    entry.click()
    page.wait_for_selector(".modelsearch .ms-chip img", timeout=60_000)
    page.wait_for_function("() => document.querySelector('.ms-card .ms-name')?.textContent === 'green'", timeout=60_000)
    page.wait_for_selector(".ms-menu-entry", state="detached")
    assert page.locator('[role="menu"]:visible, .p-contextmenu:visible').count() == 0
    assert not page.errors


PAINTING = """() => {
    const graph = window.app.graph;
    const make = (type, x, y, values = {}) => {
        const node = window.LiteGraph.createNode(type);
        node.pos = [x, y];
        graph.add(node);
        for (const widget of node.widgets ?? []) if (widget.name in values) widget.value = values[widget.name];
        return node;
    };
    const wire = (from, slot, to, name) => from.connect(slot, to, to.inputs.findIndex((input) => input.name === name));
    const base = make('CheckpointLoaderSimple', 100, 100, { ckpt_name: 'grey checkpoint.safetensors' });
    const lora = make('LoraLoader', 450, 100, { lora_name: 'blue.safetensors' });
    const wanted = make('CLIPTextEncode', 800, 100, { text: 'a lake at dawn' });
    const unwanted = make('CLIPTextEncode', 800, 350, { text: 'fog' });
    const size = make('EmptyLatentImage', 800, 600, { width: 64, height: 64 });
    const numbers = { seed: 77, steps: 3, cfg: 4.5, sampler_name: 'heun', scheduler: 'karras', denoise: 0.9 };
    const sampler = make('KSampler', 1250, 100, numbers);
    const decode = make('VAEDecode', 1600, 100);
    wire(base, 0, lora, 'model'); wire(base, 1, lora, 'clip');
    wire(lora, 1, wanted, 'clip'); wire(lora, 1, unwanted, 'clip');
    wire(lora, 0, sampler, 'model'); wire(wanted, 0, sampler, 'positive'); wire(unwanted, 0, sampler, 'negative');
    wire(size, 0, sampler, 'latent_image'); wire(sampler, 0, decode, 'samples'); wire(base, 2, decode, 'vae');
}"""


def test_an_audition_is_held_with_the_graphs_own_prompt(page: Any, server: ComfyUI):
    page.evaluate(PAINTING)
    open_tab(page)
    search(page, "red", server.base)
    with page.expect_request("**/prompt") as asked:
        page.locator("[data-key=audition]").click()
    page.wait_for_selector(".ms-toast:has-text('The audition is in the queue')", timeout=60_000)
    page.shot("audition")
    prompt = asked.value.post_data_json
    nodes = {node["class_type"]: (id, node["inputs"]) for id, node in prompt["prompt"].items()}
    base, size = nodes["CheckpointLoaderSimple"][0], nodes["EmptyLatentImage"][0]
    id, given = nodes["ModelSearchAudition"]
    wired = {name: given[name] for name in ("model", "clip", "vae", "latent_image")}
    assert wired == {"model": [base, 0], "clip": [base, 1], "vae": [base, 2], "latent_image": [size, 0]}  # no LoRA
    sampling = {"seed": 77, "steps": 3, "cfg": 4.5, "sampler_name": "heun", "scheduler": "karras", "denoise": 0.9}
    assert {name: given[name] for name in sampling} == sampling
    assert (given["prompt"], given["negative"]) == ("a lake at dawn", "fog")
    assert given["query"] == nodes["ModelSearchFindLora"][1]["query"] == [nodes["ModelSearchQuery"][0], 0]
    assert nodes["ModelSearchQuery"][1]["images"] == [nodes["LoadImage"][0], 0]
    assert prompt["partial_execution_targets"] == [id]
    assert not page.errors


def test_without_a_sampler_an_audition_says_what_is_missing(page: Any, server: ComfyUI):
    open_tab(page)
    search(page, "red", server.base)
    page.locator("[data-key=audition]").click()
    page.wait_for_selector(".ms-toast-error:has-text('No KSampler')", timeout=60_000)
    assert page.evaluate(GRAPH) == []


def test_the_nodes_stand_in_the_library_and_find_is_wired_by_hand(page: Any):
    made = page.evaluate("""() => {
        const find = window.LiteGraph.createNode('ModelSearchFindLora');
        const load = window.LiteGraph.createNode('LoraLoader');
        find.pos = [100, 100]; load.pos = [650, 100];
        window.app.graph.add(find); window.app.graph.add(load);
        const slot = load.inputs.findIndex((input) => input.name === 'lora_name');
        find.connect(0, load, slot);
        return [Boolean(load.inputs[slot].link), find.outputs.map((output) => output.name)];
    }""")
    page.wait_for_timeout(800)
    page.shot("nodes")
    names = ["lora_name", "trigger_words", "lora_tag", "score", "strength", "evidence", "matches", "low_noise_name"]
    assert made == [True, names]
    prompt = page.evaluate("async () => (await window.app.graphToPrompt()).output")
    assert ["1", 0] in [node["inputs"].get("lora_name") for node in prompt.values()]


UNETS = """() => ['high', 'low'].forEach((noise, row) => {
    const unet = window.LiteGraph.createNode('UNETLoader');
    const lora = window.LiteGraph.createNode('LoraLoaderModelOnly');
    unet.pos = [500, 100 + 300 * row]; lora.pos = [900, 100 + 300 * row];
    window.app.graph.add(unet); window.app.graph.add(lora);
    unet.widgets.find(({ name }) => name === 'unet_name').value = `wan2.2_${noise}_noise.safetensors`;
    unet.connect(0, lora, lora.inputs.findIndex(({ name }) => name === 'model'));
})"""
LORA_NODES = "window.app.graph.nodes.filter(({ type }) => type === 'LoraLoaderModelOnly')"
HELD = f"() => {LORA_NODES}.map((node) => node.widgets[0].value)"


def test_a_model_of_two_files_is_inserted_as_two_loaders_and_each_loader_takes_its_own(page: Any, server: ComfyUI):
    loras = server.base / "models" / "loras"
    if not (loras / HIGH).exists():
        wan(loras / HIGH, 1)
        wan(loras / LOW, 2)
        assert server.post("/modelsearch/index", {"action": "start", "quick": True})[0] == 200
    until(server, lambda now: not now["active"])
    open_tab(page)
    page.fill(".modelsearch .ms-input", "walk")
    card = page.locator(".ms-card", has_text="walk").first
    card.hover()
    card.locator("[data-action=insertLoader]").click()
    page.wait_for_selector(f".ms-toast:has-text('{HIGH} for high noise, {LOW} for low noise')", timeout=60_000)
    page.shot("two-files")
    assert page.evaluate(HELD) == [HIGH, LOW]
    first, second = ((x, y, x + w, y + h) for *_, (x, y), (w, h) in page.evaluate(GRAPH))
    assert not overlap(first, second)

    page.evaluate("() => window.app.graph.clear()")
    page.evaluate(UNETS)
    for number, file in enumerate((HIGH, LOW)):
        page.evaluate(f"n => window.app.canvas.selectNodes([{LORA_NODES}[n]])", number)
        page.mouse.move(700, 700)
        card.hover()
        card.locator("[data-action=setSelectedLoader]").click()
        page.wait_for_function(f"([n, file]) => {LORA_NODES}[n].widgets[0].value === file", arg=[number, file])
    assert page.evaluate(HELD) == [HIGH, LOW]


def test_the_key_opens_and_closes_the_tab(page: Any):
    page.mouse.click(700, 300)
    page.keyboard.press("Alt+Shift+F")
    page.wait_for_selector(".modelsearch .ms-input", timeout=60_000)
    page.mouse.click(900, 300)
    page.keyboard.press("Alt+Shift+F")
    page.wait_for_selector(".modelsearch", state="detached")


@pytest.mark.parametrize("path", sorted((ROOT / "example_workflows").glob("*.json")), ids=lambda path: path.stem)
def test_an_example_workflow_loads_and_validates(page: Any, server: ComfyUI, path: Path):
    page.evaluate("(graph) => window.app.loadGraphData(graph)", json.loads(path.read_text("utf-8")))
    page.wait_for_timeout(1000)
    (server.base / "input" / "example.png").write_bytes((server.base / "input" / "red.png").read_bytes())
    prompt = page.evaluate("async () => (await window.app.graphToPrompt()).output")
    status, answer = server.post("/prompt", {"prompt": prompt})
    assert (status, answer.get("node_errors")) == (200, {})
