"""Run by a ComfyUI's Python, in its folder: which of the names on standard input the core lacks, and which keywords its
functions do not take, as JSON."""

import asyncio
import contextlib
import importlib
import inspect
import json
import re
import sys
from pathlib import Path

wanted = json.load(sys.stdin)
sys.argv = [sys.argv[0], "--cpu"]
sys.path.insert(0, str(Path.cwd()))

import comfy.options  # noqa: E402  reads the arguments

comfy.options.enable_args_parsing()

importlib.import_module("utils.extra_config")  # first, as main.py does: packages bring a module `utils`, too

import execution  # noqa: E402
import server  # noqa: E402

loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
server.PromptServer.instance = server.PromptServer(loop)
server.PromptServer.instance.prompt_queue = execution.PromptQueue(server.PromptServer.instance)


def is_set_on_instances(owner, name):
    """Whether a class or one of its parents says `self.name = `."""
    sources = (inspect.getsource(each) for each in inspect.getmro(owner)[:-1]) if inspect.isclass(owner) else ()
    return any(re.search(rf"\bself\.{name}\b\s*(:[^=]+)?=[^=]", source) for source in sources)


def found(name):
    """The object of a dotted name; AttributeError with the first part that is gone."""
    parts = name.split(".")
    at = importlib.import_module(parts[0])
    for n, part in enumerate(parts[1:], 2):
        if not hasattr(at, part) and inspect.ismodule(at):
            with contextlib.suppress(ImportError):
                importlib.import_module(".".join(parts[:n]))
        if not hasattr(at, part) and not is_set_on_instances(at, part):
            raise AttributeError(".".join(parts[:n]))
        at = getattr(at, part, None)
    return at


def refused(name, keywords):
    """Those keywords that it does not take."""
    if not keywords:
        return []
    takes = inspect.signature(found(name)).parameters
    if any(each.kind is each.VAR_KEYWORD for each in takes.values()):
        return []
    return [keyword for keyword in keywords if keyword not in takes]


gone = []
for name, keywords in wanted.items():
    try:
        gone += [f"{name}({keyword}=)" for keyword in refused(name, keywords)]
        found(name)
    except (AttributeError, ImportError) as error:
        gone.append(str(error))
print(json.dumps(sorted(set(gone))))
