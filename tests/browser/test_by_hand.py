"""What a model is, said by hand in its detail view."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.browser.test_detail import opened_model
from tests.indexing.folders import make_folder
from tests.server.running import running
from tests.server.test_server import Client


def test_trigger_words_and_base_are_set_and_forgotten(opened: Any, tmp_path: Path):
    make_folder(tmp_path / "models", ["base checkpoint", "second checkpoint", "red", "blue"])
    with running("tests.server.colour_server", tmp_path) as address:
        Client(address).indexed()
        page = opened(address)
        page.wait_for_selector(".ms-card:not(.ms-loading)")
        opened_model(page, "red")
        page.click("[data-action=correct]")
        page.wait_for_selector(".ms-by-hand form")
        assert page.evaluate("() => document.activeElement.name") == "architecture"
        bases = page.locator(".ms-by-hand select[name=base] option").all_inner_texts()
        assert bases[1:] == ["base checkpoint.safetensors (sd15)", "second checkpoint.safetensors (sd15)"]
        page.select_option(".ms-by-hand select[name=base]", label=bases[2])
        page.fill(".ms-by-hand input[name=trigger_words]", "ohwx, hat")
        page.click("[data-action=saveByHand]")
        page.wait_for_selector(".ms-by-hand p:has-text('base model, trigger words')")
        assert page.locator(".ms-side button.ms-word").all_inner_texts() == ["ohwx", "hat"]
        page.click("[data-action=correct]")
        page.wait_for_selector(".ms-by-hand form")
        chosen = page.eval_on_selector(".ms-by-hand select[name=base]", "(select) => select.value")
        assert chosen.endswith("second checkpoint.safetensors")
        page.click("[data-action=forgetByHand]")
        page.wait_for_function(
            "() => !document.querySelector('.ms-by-hand p') && document.querySelector('[data-action=correct]')"
        )
        assert page.locator(".ms-side button.ms-word").count() == 0
