"""Which model a picture means by a name: as hosts match them, by file name, then by alias, then by hash.

A file's hashes are not worked out here, which would read it all; they are known where its trainer wrote them into its
header, or a tool into a file beside it.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from ..errors import ModelSearchError
from ..model_files import Kind, ModelFile
from ..model_files.header import parse_header
from ..model_files.opening import open_regular, read_bounded
from ..picture_metadata import Mention

ENDING = re.compile(r"\.(safetensors|sft|ckpt|pt|pth|bin|gguf)$", re.IGNORECASE)
HASH = re.compile(r"(?:0x|sha256:)?([0-9a-f]{8,128})", re.IGNORECASE)
SHORTEST_HASH = 8  # digits that A1111 has written first; now ten of a checkpoint, twelve of a LoRA
HEADER_NAMES = ("ss_output_name", "modelspec.title")
HEADER_HASHES = ("sshs_model_hash", "sshs_legacy_hash", "modelspec.hash_sha256")
SIDECARS = (".civitai.info", ".metadata.json", ".cm-info.json", ".rgthree-info.json", ".json", ".api_info.json")
LARGEST_SIDECAR = 8 * 2**20  # bytes

By = dict[str, set[str]]  # fingerprints by a name or a hash


class Names:
    """Of these models; copies of one have its fingerprint and count as one."""

    def __init__(self, models: Sequence[ModelFile]) -> None:
        self._models = models
        self._found: dict[tuple[str, Kind | None, str], str | None] = {}

    def find(self, mention: Mention) -> str | None:
        """The fingerprint of the model that is meant; None where none is, or it might be several."""
        key = mention.name, mention.kind, mention.hash
        if key not in self._found:
            self._found[key] = self._find(mention)
        return self._found[key]

    def _find(self, mention: Mention) -> str | None:
        is_lora = mention.kind is Kind.LORA
        name = mention.name.replace("\\", "/").casefold().strip()
        several: set[str] = set()
        for known in self._by_name(is_lora, name):
            if len(known) == 1:
                return next(iter(known))
            several = several or known
        by_hash = self._by_hash(is_lora, mention.hash)
        left = by_hash & several if several else by_hash
        return next(iter(left)) if len(left) == 1 else None

    def _by_name(self, is_lora: bool, name: str) -> Iterator[set[str]]:
        """Of a longer part of the path first: names may come with folders, of the machine that made the picture too."""
        parts = name.split("/")
        for start in range(max(0, len(parts) - 3), len(parts)):
            end = ENDING.sub("", "/".join(parts[start:]))
            if known := self._file_names[is_lora].get(end):
                yield known
        if known := self._aliases[is_lora].get(ENDING.sub("", parts[-1])):
            yield known

    def _by_hash(self, is_lora: bool, digits: str) -> set[str]:
        wanted = _digits(digits)
        if len(wanted) < SHORTEST_HASH:
            return set()
        near = self._hashes[is_lora].get(wanted[:SHORTEST_HASH], {})
        return {fingerprint for known, fingerprint in near if known.startswith(wanted) or wanted.startswith(known)}

    @cached_property
    def _file_names(self) -> Mapping[bool, By]:
        def ends(model: ModelFile) -> Iterator[str]:
            parts = [*model.path.parts[-3:-1], model.name]
            yield from ("/".join(parts[start:]).casefold() for start in range(len(parts)))

        return self._table(ends)

    @cached_property
    def _aliases(self) -> Mapping[bool, By]:
        return self._table(
            lambda model: {model.title.casefold(), *(n.casefold() for n in self._declared[model.path][0])}
        )

    @cached_property
    def _hashes(self) -> Mapping[bool, dict[str, set[tuple[str, str]]]]:
        found: dict[bool, dict[str, set[tuple[str, str]]]] = {True: defaultdict(set), False: defaultdict(set)}
        for model in self._models:
            for known in self._declared[model.path][1]:
                found[model.kind is Kind.LORA][known[:SHORTEST_HASH]].add((known, model.fingerprint))
        return found

    @cached_property
    def _declared(self) -> Mapping[Path, tuple[set[str], set[str]]]:
        """(aliases, hashes) by path; read only where a file's name was not enough."""
        return {model.path: declared_by(model.path) for model in self._models}

    def _table(self, names: Callable[[ModelFile], Any]) -> Mapping[bool, By]:
        found: dict[bool, By] = {True: defaultdict(set), False: defaultdict(set)}
        for model in self._models:
            for name in names(model):
                if name:
                    found[model.kind is Kind.LORA][name].add(model.fingerprint)
        return found


def bare(name: str) -> str:
    """Without folders and ending, for people."""
    return ENDING.sub("", name.replace("\\", "/").rsplit("/", 1)[-1])


def declared_by(path: Path) -> tuple[set[str], set[str]]:
    """The aliases and hashes that a file's header, and the files beside it, tell."""
    aliases, hashes = _of_header(path)
    for suffix in SIDECARS:
        try:
            sidecar = json.loads(read_bounded(path.with_name(path.stem + suffix), LARGEST_SIDECAR))
        except (OSError, ValueError, RecursionError, ModelSearchError):
            continue
        hashes |= set(_hashes_in(sidecar, path.stem.casefold(), 0))
    return aliases, {digits for each in hashes if len(digits := _digits(each)) >= SHORTEST_HASH}


def _of_header(path: Path) -> tuple[set[str], set[str]]:
    if path.suffix.lower() not in (".safetensors", ".sft"):
        return set(), set()
    try:
        with open_regular(path) as file:
            metadata = parse_header(file).metadata
    except (OSError, ModelSearchError):
        return set(), set()
    aliases = {metadata[name] for name in HEADER_NAMES if metadata.get(name)}
    return aliases, {metadata[name] for name in HEADER_HASHES if metadata.get(name)}


def _hashes_in(value: Any, stem: str, depth: int) -> Iterator[str]:
    """Of what hubs tell of a file: only of this one, where they tell of several."""
    if depth > 6:
        return
    if isinstance(value, list):
        entries = [cast("dict[str, Any]", each) for each in cast("list[Any]", value) if isinstance(each, dict)]
        own = [each for each in entries if ENDING.sub("", str(each.get("name", ""))).casefold() == stem]
        for each in own or (entries if len(entries) == 1 else []):
            yield from _hashes_in(each, stem, depth + 1)
    elif isinstance(value, dict):
        for key, each in cast("dict[str, Any]", value).items():
            if key.casefold() in ("sha256", "autov1", "autov2", "autov3") and isinstance(each, str):
                yield each
            elif isinstance(each, (dict, list)):
                yield from _hashes_in(each, stem, depth + 1)


def _digits(text: str) -> str:
    found = HASH.fullmatch(text.strip())
    return found[1].casefold() if found else ""
