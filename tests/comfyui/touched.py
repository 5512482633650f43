"""What the pack touches in ComfyUI's core, read from its source: names, and the keywords that they are called with."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORE = ("comfy", "execution", "folder_paths", "nodes", "server")

# Of objects that the core hands over, whose classes the source does not name.
METHODS = {
    "comfy.model_patcher.ModelPatcher": (
        "add_object_patch clone get_model_object load_device memory_required set_model_attn1_patch "
        "set_model_attn1_replace set_model_unet_function_wrapper"
    ),
    "comfy.sd.CLIP": "encode_from_tokens_scheduled tokenize",
    "comfy.sd.VAE": "decode encode spacial_compression_decode",
    "comfy.model_base.BaseModel": "process_latent_in",
    "comfy.model_sampling.ModelSamplingDiscreteFlow": "multiplier set_parameters",
    "execution.PromptQueue": (
        "currently_running delete_queue_item get_current_queue_volatile get_tasks_remaining history mutex put task_done"
    ),
}


def touched() -> dict[str, set[str]]:
    """Keywords by dotted name, of `nodes/` and the pack's root."""
    found: dict[str, set[str]] = {}
    for tree in _trees():
        for name, keywords in _of(tree):
            found.setdefault(name, set()).update(keywords)
    for owner, names in METHODS.items():
        found.update({f"{owner}.{name}": methods_called(name) for name in names.split()})
    return found


def methods_called(name: str) -> set[str]:
    """Keywords that a method of that name is called with, whatever it belongs to."""
    calls = (node for tree in _trees() for node in ast.walk(tree) if isinstance(node, ast.Call))
    ours = (call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == name)
    return {keyword.arg for call in ours for keyword in call.keywords if keyword.arg}


def _trees() -> list[ast.Module]:
    paths = (ROOT / "__init__.py", *sorted((ROOT / "nodes").glob("*.py")))
    return [ast.parse(path.read_text(encoding="utf-8")) for path in paths]


def _of(tree: ast.Module) -> Iterator[tuple[str, set[str]]]:
    aliases = dict(_imported(tree))
    for name in aliases.values():
        yield name, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            keywords = {keyword.arg for keyword in node.keywords if keyword.arg}
            yield from ((name, keywords) for name in _name(node.func, aliases))
        elif isinstance(node, ast.Attribute):
            yield from ((name, set[str]()) for name in _name(node, aliases))


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(name here, dotted name there)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                if each.name.split(".")[0] in CORE:
                    package = each.name.split(".")[0]
                    yield (each.asname, each.name) if each.asname else (package, package)
        elif isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] in CORE:
            yield from ((each.asname or each.name, f"{node.module}.{each.name}") for each in node.names)


def _name(node: ast.expr, aliases: Mapping[str, str]) -> Iterator[str]:
    """The dotted name, where it begins with something of the core's. Names after an instance's are not looked into."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name) and node.id in aliases:
        yield ".".join([aliases[node.id], *reversed(parts)])
