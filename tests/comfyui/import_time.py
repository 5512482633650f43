"""Run by a ComfyUI's Python, in its folder: seconds of the processor that importing the pack adds.

`python import_time.py PACK`, where PACK is the folder of the pack.
"""

import asyncio
import importlib.util
import sys
import time
from pathlib import Path

PACK = Path(sys.argv[1])
sys.argv = [sys.argv[0], "--cpu"]
sys.path.insert(0, str(Path.cwd()))

import comfy.options  # noqa: E402  reads the arguments

comfy.options.enable_args_parsing()

importlib.import_module("utils.extra_config")  # first, as in ComfyUI's main, before another module called utils

import server  # noqa: E402

import nodes  # noqa: E402, F401

server.PromptServer(asyncio.new_event_loop())
before, modules = time.process_time(), set(sys.modules)
spec = importlib.util.spec_from_file_location("pack", PACK / "__init__.py", submodule_search_locations=[str(PACK)])
assert spec is not None
assert spec.loader is not None
pack = importlib.util.module_from_spec(spec)
sys.modules["pack"] = pack
spec.loader.exec_module(pack)
new = {name.split(".")[0] for name in set(sys.modules) - modules}
print(f"{time.process_time() - before:.3f} {len(pack.NODE_CLASS_MAPPINGS)} {','.join(sorted(new))}")
