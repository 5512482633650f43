"""ComfyUI's graphs as they are sent to its queue: nodes by id, inputs that are values or links to another's output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard, cast

Node = Mapping[str, Any]
Graph = Mapping[str, Node]

POSITIVE = ("positive", "guider", "conditioning")
TEXTS = ("text", "text_g", "text_l", "clip_l", "t5xxl", "prompt", "string", "value", "positive_prompt", "wildcard_text")
NO_TEXTS = ("negative", "model", "clip", "vae", "latent", "image", "control", "mask")  # begin of inputs not followed
SEEDS = ("seed", "noise_seed")
MOST_NODES = 20_000


def is_graph(document: Any) -> TypeGuard[Graph]:
    if not isinstance(document, dict) or not 0 < len(cast("Node", document)) <= MOST_NODES:
        return False
    return all(
        isinstance(node, dict) and "class_type" in node and isinstance(cast("Node", node).get("inputs"), dict)
        for node in cast("Node", document).values()
    )


def used(graph: Graph) -> Graph:
    """Without nodes that no sampler's picture comes of; all where there is no sampler."""
    found: set[str] = set()
    waiting = _samplers(graph)
    while waiting:
        name = waiting.pop()
        if name not in found and name in graph:
            found.add(name)
            waiting += _links(graph[name])
    return {name: node for name, node in graph.items() if name in found} or graph


def prompt_of(graph: Graph) -> str:
    """What the samplers' positive conditioning was made of, each text once."""
    texts: dict[str, None] = {}
    seen: set[str] = set()  # of all samplers: each node is looked at once
    for name in _samplers(graph):
        inputs = graph[name]["inputs"]
        links = [_target(inputs[key]) for key in POSITIVE if key in inputs]
        texts.update(dict.fromkeys(_texts(graph, [link for link in links if link], seen)))
    return ", ".join(texts)


def seed_of(graph: Graph) -> str:
    """Of the first sampler, or of the noise that it takes."""
    for name in used(graph):
        for key in SEEDS:
            if isinstance(seed := graph[name]["inputs"].get(key), int):
                return str(seed)
    return ""


def _samplers(graph: Graph) -> list[str]:
    """Nodes that take noise and a positive conditioning, themselves or by a guider."""
    return [name for name, node in graph.items() if {"positive", "guider"} & node["inputs"].keys() and _samples(node)]


def _samples(node: Node) -> bool:
    inputs = node["inputs"]
    return "sampler" in str(node["class_type"]).casefold() or any(key in inputs for key in (*SEEDS, "noise", "guider"))


def _texts(graph: Graph, names: list[str], seen: set[str]) -> Iterator[str]:
    """Of the first texts on the way back from these nodes, in their order."""
    waiting = names[::-1]
    while waiting:
        name = waiting.pop()
        if name in seen or name not in graph:
            continue
        seen.add(name)
        inputs = graph[name]["inputs"]
        own = [inputs[key].strip() for key in TEXTS if isinstance(inputs.get(key), str) and inputs[key].strip()]
        yield from own
        if not own:
            links = [_target(value) for key, value in inputs.items() if not key.startswith(NO_TEXTS)]
            waiting += [link for link in reversed(links) if link]


def _links(node: Node) -> Iterator[str]:
    for value in node["inputs"].values():
        if link := _target(value):
            yield link


def _target(value: Any) -> str | None:
    """The node that a link comes from."""
    if isinstance(value, list) and len(cast("list[Any]", value)) == 2 and isinstance(value[1], int):
        return str(cast("list[Any]", value)[0])
    return None
