"""The real ADetailer in a real WebUI: a detector that was found is chosen in its drop-down.

`ADETAILER_PATH` names a checkout of it (Bing-su/adetailer); it needs `rich`, and nothing of what it detects with.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.classifiers import ProbeSettings, index_classifiers
from modelsearch_core.encoders import open_encoder
from tests.making import classifiers as making
from tests.making.fakes import NAMES
from tests.webui.collection import make_collection
from tests.webui.host import WebUI, install
from tests.webui.test_page import Opened, opened

pytestmark = pytest.mark.timeout(900)
CARD = ".ms-classifier-view .ms-output"


@pytest.fixture(scope="module")
def detailing(needs_webui: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebUI]:
    """A WebUI with ADetailer and two detectors in its folder, of which one is indexed by the export beside it."""
    if not os.environ.get("ADETAILER_PATH"):
        pytest.skip("ADETAILER_PATH does not name a checkout of ADetailer")
    base = tmp_path_factory.mktemp("detailing")
    install(base)
    shutil.copytree(os.environ["ADETAILER_PATH"], base / "extensions" / "adetailer")
    catalog = make_collection(base)
    folder = base / "models" / "adetailer"
    export = making.detector(folder / "v3_best.onnx", NAMES)
    for name in ("v3_best.pt", "another.pt"):
        (folder / name).touch()  # only listed
    with Catalog(catalog) as opened:
        encoder, probes = open_encoder(str(base / "clip"), device="cpu"), making.probe_pictures(base / "probes")
        index_classifiers(opened, [export.parent], encoder, str(base / "clip"), ProbeSettings(probes=probes))
    server = WebUI(base, "--ad-no-huggingface")
    try:
        yield server.wait_until_up()
    finally:
        server.stop()


@pytest.fixture
def tab(detailing: WebUI, browser: Any) -> Iterator[Opened]:
    yield from opened(detailing, browser)


def pressed(tab: Opened, action: str) -> str:
    tab.page.click("[data-view=tells]")
    tab.page.fill(".ms-classifier-view input[type=search]", "pink")
    tab.page.wait_for_selector(f"{CARD} [data-action={action}]")
    tab.keep("webui_adetailer_card")
    tab.page.locator(CARD).first.locator(f"[data-action={action}]").click()
    tab.page.wait_for_selector(".ms-toast")
    return tab.page.locator(".ms-toast").last.inner_text()


@pytest.mark.parametrize("where", ["txt2img", "img2img"])
def test_a_found_detector_is_chosen_in_adetailers_own_drop_down(tab: Opened, where: str):
    chosen = tab.page.locator(f"#script_{where}_adetailer_ad_model input").first
    assert chosen.input_value() != "v3_best.pt"
    assert f"v3_best.pt chosen in ADetailer of {where}" in pressed(tab, f"adetailer_{where}")
    tab.page.wait_for_function("(input) => input.value === 'v3_best.pt'", arg=chosen.element_handle())
    tab.tab(where)
    tab.page.locator(f"#script_{where}_adetailer_ad_main_accordion .label-wrap").first.click()
    tab.page.locator(f"#script_{where}_adetailer_ad_model").first.scroll_into_view_if_needed()
    tab.keep(f"webui_adetailer_{where}")
