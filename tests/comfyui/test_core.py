"""Whatever of ComfyUI's core the pack uses is there: run it on the oldest and the newest core that can be had."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.comfyui.host import ROOT, own_environment
from tests.comfyui.touched import METHODS, touched


def gone(names: Mapping[str, Any]) -> list[str]:
    python = os.environ.get("COMFYUI_PYTHON", sys.executable)
    command = [python, str(Path(__file__).with_name("core_check.py"))]
    given = json.dumps({name: sorted(keywords) for name, keywords in names.items()})
    done = subprocess.run(
        command, cwd=os.environ["COMFYUI_PATH"], env=own_environment(None), input=given, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_nothing_that_the_pack_touches_is_gone(needs_comfyui: None):
    names = touched()
    print("\n".join(f"{name}({', '.join(sorted(keywords))})" if keywords else name for name, keywords in names.items()))
    assert gone(names) == []


def test_what_is_gone_is_named(needs_comfyui: None):
    moved: dict[str, set[str]] = {
        "folder_paths.get_full_path": set(),
        "comfy.moved.away.now": set(),
        "server.PromptServer.instance.prompt_queue.put_aside": set(),
        "comfy.utils.load_torch_file": {"safe_load", "unsafe"},
        "execution.PromptQueue.task_counter": set(),  # set by __init__
        "execution.PromptQueue.out": set(),  # stands there as a part of other words only
    }
    assert gone(moved) == [
        "comfy.moved",
        "comfy.utils.load_torch_file(unsafe=)",
        "execution.PromptQueue.out",
        "server.PromptServer.instance.prompt_queue.put_aside",
    ]


def test_names_and_keywords_are_read_from_the_source():
    found = touched()
    assert {"folder_paths.get_filename_list", "execution.validate_prompt", "nodes.LoraLoader"} <= set(found)
    assert "server.PromptServer.instance.prompt_queue" in found
    assert "comfy.model_management.soft_empty_cache" in found  # imported under another name
    assert "output_vae" in found["comfy.sd.load_checkpoint_guess_config"]
    assert found["comfy.sd.CLIP.encode_from_tokens_scheduled"] == {"show_pbar"}


def test_every_method_that_is_listed_is_used():
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "nodes").glob("*.py"))
    assert [name for names in METHODS.values() for name in names.split() if f".{name}" not in source] == []


def test_every_method_of_the_queue_that_is_used_is_listed():
    source = (ROOT / "nodes" / "queue.py").read_text(encoding="utf-8")
    assert set(re.findall(r"\b_?queue(?:\(\))?\.(\w+)", source)) == set(METHODS["execution.PromptQueue"].split())
