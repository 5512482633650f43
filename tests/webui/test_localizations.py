"""Every word that a WebUI shows of us is in every language."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.webui.host import ROOT

FILES = sorted((ROOT / "localizations").glob("*.json"))
SHARED = {"prompt", "picture"}  # left to the WebUI's own translation


@pytest.fixture
def shown(webui: Any) -> set[str]:
    """Labels of settings and controls, choices, and the script's words in the browser."""
    options = webui.find("modules.shared").opts.data_labels.values()
    labels = {info.label for info in options if info is not None and info.section}
    labels |= set(webui.ours("settings")._options()["engine"][3]["choices"])
    found, _ = webui.ours("controls").controls(str)
    labels |= {control.given["label"] for control in found} | set(found[1].positional[0])
    code = "".join(path.read_text("utf-8") for path in (ROOT / "javascript").glob("*.js"))
    words = set(re.findall(r'modelSearchWord\("([^"]+)"\)', code)) | set(
        re.findall(r'modelSearchButton\(".", "([^"]+)"', code)
    )
    return labels | words - {"Checkpoint"} - SHARED


def test_there_are_languages():
    assert {path.stem for path in FILES} == {"de_DE", "zh_CN"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_all_words_are_translated_and_none_is_left_over(path: Any, shown: set[str]):
    words = json.loads(path.read_text("utf-8"))
    assert shown - SHARED <= words.keys()
    assert words.keys() <= shown | {"Model Search", "Model Search: pick LoRA for this prompt"}
    assert all(text.strip() for text in words.values())
