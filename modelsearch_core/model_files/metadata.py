"""What trainers write into a safetensors header: `modelspec.*` (Stability's ModelSpec) and kohya's `ss_*`."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

from .annotations import MOST_WORDS, Annotations, clean_text, clean_title, clean_words, first_of

NEARLY_ALL = 0.9  # of the captions: a tag as frequent as that may be the trigger
MOST_CANDIDATES = 3
LONGEST_TRIGGER = 40
_FOLDER = re.compile(r"^\d+_(.+)$")  # kohya's "10_ohwx woman": repeats, then the concept
_GENERIC_FOLDERS = """
    img imgs image images pic pics picture pictures photo photos dataset data train training style character concept
    class reg set test tmp project the woman man girl boy person people all new output lora default main
"""
_COMMON_TAGS = """
    1girl, 1boy, 2girls, multiple girls, solo, woman, man, girl, boy, looking at viewer, no humans, simple background,
    white background, realistic, photo, photograph, masterpiece, best quality, highres, absurdres, score_9, smile,
    long hair, short hair, breasts, blush, open mouth, general, safe, rating:safe, comic, monochrome, indoors, outdoors
"""
_GENERIC = frozenset(_GENERIC_FOLDERS.split())
_COMMON = frozenset(tag.strip() for tag in _COMMON_TAGS.split(","))
_BASE_KEYS = ("ss_sd_model_name", "ss_base_model_version", "modelspec.architecture")


def header_annotations(metadata: Mapping[str, str]) -> Annotations:
    """What the header says; ModelSpec, which people write for others to read, before kohya's training log."""
    return first_of([_modelspec(metadata), _training(metadata)])


def _modelspec(metadata: Mapping[str, str]) -> Annotations:
    return Annotations(
        title=clean_title(metadata.get("modelspec.title")),
        trigger_words=clean_words(metadata.get("modelspec.trigger_phrase")),
        tags=clean_words(metadata.get("modelspec.tags")),
        description=clean_text(metadata.get("modelspec.description")),
    )


def _training(metadata: Mapping[str, str]) -> Annotations:
    frequency = _frequencies(metadata)
    counts: Counter[str] = Counter()
    for tags in frequency.values():
        counts.update(tags)
    base = next((metadata[key] for key in _BASE_KEYS if metadata.get(key) not in (None, "", "None")), None)
    return Annotations(
        title=clean_title(metadata.get("ss_output_name")),
        trigger_words=_universal_tags(counts, _caption_count(metadata)) or _concepts(frequency),
        tags=clean_words([tag for tag, _ in counts.most_common(2 * MOST_WORDS)]),
        description=clean_text(metadata.get("ss_training_comment")),
        base_hint=clean_title(base) or None,
    )


def _frequencies(metadata: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Folder -> tag -> count, of `ss_tag_frequency`, which is JSON within JSON and sometimes broken."""
    folders = _json_object(metadata.get("ss_tag_frequency"))
    return {name: _counts(cast("dict[str, Any]", tags)) for name, tags in folders.items() if isinstance(tags, dict)}


def _counts(tags: dict[str, Any]) -> dict[str, int]:
    return {tag.strip(): count for tag, count in tags.items() if type(count) is int and tag.strip()}


def _caption_count(metadata: Mapping[str, str]) -> int:
    folders = _json_object(metadata.get("ss_dataset_dirs")).values()
    entries = [cast("dict[str, Any]", folder) for folder in folders if isinstance(folder, dict)]
    counts = [entry.get("img_count") for entry in entries]
    return sum(count for count in counts if isinstance(count, int))


def _universal_tags(counts: Counter[str], captions: int) -> tuple[str, ...]:
    """Tags of nearly all captions, unless they are what any picture is tagged with."""
    enough = max(NEARLY_ALL * captions, 2) if captions else float("inf")
    tags = [tag for tag, count in counts.most_common() if count >= enough and _may_be_trigger(tag)]
    return clean_words(tags) if len(tags) <= MOST_CANDIDATES else ()


def _may_be_trigger(tag: str) -> bool:
    return tag.casefold() not in _COMMON and len(tag) <= LONGEST_TRIGGER


def _concepts(frequency: Mapping[str, object]) -> tuple[str, ...]:
    """The concepts that folders are named after; none when there are many, as in a fine-tune on everything."""
    matches = [_FOLDER.match(name) for name in frequency]
    concepts = [match[1].strip() for match in matches if match]
    concepts = [concept for concept in concepts if concept.casefold() not in _GENERIC and _may_be_trigger(concept)]
    return clean_words(concepts) if len(concepts) <= MOST_CANDIDATES else ()


def _json_object(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
