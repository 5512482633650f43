"""Which family a graph's models are of: of a MODEL that is wired in, or of the file that the graph's loader names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import folder_paths

from ..modelsearch_core.errors import UnreadableModelError
from ..modelsearch_core.model_files import read_model_file
from ..modelsearch_core.model_files.architecture import recognise
from ..modelsearch_core.model_files.networks import UNKNOWN
from .places import FOLDERS

Prompt = Mapping[str, Mapping[str, Any]]
NAMES = {"ckpt_name": "checkpoint", "unet_name": "diffusion_model"}  # inputs of loaders, whoever made them
MODEL = "model"  # the input of a loader of LoRA that its base comes in by


def family_of(model: Any) -> str | None:
    """Of a MODEL, by the names and shapes of its weights; None for one that is not known."""
    weights = model.model.diffusion_model.named_parameters()
    try:
        found = recognise({name: tuple(weight.shape) for name, weight in weights}).architecture
    except UnreadableModelError:
        return None
    return None if found == UNKNOWN else found


def family_of_graph(node: str) -> str | None:
    """Of the checkpoint or diffusion model under whatever takes a LoRA from this node of the prompt that runs."""
    from .queue import running  # has ComfyUI's server

    return family_under(running(), node)


def family_under(prompt: Prompt, node: str) -> str | None:
    """None where no file is named."""
    for path in _files_under(prompt, node):
        found = _family(path, path.stat().st_mtime_ns)
        if found is not None:
            return found
    return None


def _files_under(prompt: Prompt, node: str) -> Iterator[Path]:
    for user in _below(prompt, node):
        for source in _above(prompt, user):
            for name, value in prompt[source].get("inputs", {}).items():
                path = _path(name, value)
                if path is not None:
                    yield path


def _path(name: str, value: Any) -> Path | None:
    if name not in NAMES or not isinstance(value, str):
        return None
    found = folder_paths.get_full_path(FOLDERS[NAMES[name]], value)
    return Path(found) if found else None


@lru_cache(maxsize=64)
def _family(path: Path, modified: int) -> str | None:
    try:
        found = read_model_file(path).architecture
    except UnreadableModelError:
        return None
    return None if found == UNKNOWN else found


def _below(prompt: Prompt, node: str) -> Iterator[str]:
    """Nodes that take something from this one, or from what takes it, the nearest first."""
    seen, here = {node}, [node]
    while here:
        here = [each for each in prompt if each not in seen and any(link in here for _, link in _links(prompt, each))]
        seen.update(here)
        yield from here


def _above(prompt: Prompt, node: str) -> Iterator[str]:
    """Nodes on the way that a node's model comes from, the nearest first."""
    seen: set[str] = set()
    here = [node]
    while here:
        found = [link for each in here for name, link in _links(prompt, each) if name == MODEL]
        here = [each for each in dict.fromkeys(found) if each in prompt and each not in seen]
        seen.update(here)
        yield from here


def _links(prompt: Prompt, node: str) -> Iterator[tuple[str, str]]:
    """(input, the node that it comes from)."""
    for name, value in prompt[node].get("inputs", {}).items():
        if isinstance(value, (list, tuple)) and len(value) == 2:
            yield name, str(value[0])
