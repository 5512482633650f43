"""What trainers write into a safetensors header: `modelspec.*` (Stability's ModelSpec) and kohya's `ss_*`."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, cast

from .annotations import MOST_WORDS, Annotations, clean_text, clean_words, first_of
from .names import base_name, telling_title

NEARLY_ALL = 0.9  # of the captions: a tag as frequent as that may be the trigger
MOST_CANDIDATES = 3
LONGEST_TRIGGER = 40
MOST_TRIGGERS = 8  # in a trigger phrase that is taken as it is; some tools fill in every tag of the training set
MOST_COUNTED = 2**53
MOST_UNCOUNTED = 24  # where nothing is known of how often each was used
_BUNDLE = "bundle_emb."
_BUNDLED = re.compile(r"^bundle_emb\.(.+?)\.(?:string_to_param|emb_params|clip_[lg]|t5xxl)\b")
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


def header_annotations(metadata: Mapping[str, str], names: Collection[str] = ()) -> Annotations:
    """What the header says; ModelSpec, which people write for others to read, before kohya's training log. Among the
    `names` of tensors are those of embeddings that are packed along (`bundle_emb`), which work by their names alone."""
    bundle = names if _BUNDLE in "".join(names) else ()
    packed = dict.fromkeys(found[1] for name in bundle if (found := _BUNDLED.match(name)))
    bundled = Annotations(trigger_words=clean_words(list(packed)))
    return first_of([_modelspec(metadata), bundled, _training(metadata)])


def _modelspec(metadata: Mapping[str, str]) -> Annotations:
    return Annotations(
        title=telling_title(metadata.get("modelspec.title")),
        trigger_words=_trigger_phrase(metadata),
        tags=clean_words(metadata.get("modelspec.tags")),
        description=clean_text(metadata.get("modelspec.description")),
    )


def _trigger_phrase(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The author's trigger words. Of a list of all tags, those that were on most captions."""
    words = clean_words(metadata.get("modelspec.trigger_phrase"))
    if len(words) <= MOST_TRIGGERS:
        return words
    counts = {tag.casefold(): count for tag, count in _total(_frequencies(metadata)).items()}
    if 2 * len(counts.keys() & {word.casefold() for word in words}) < len(words):
        return words if len(words) <= MOST_UNCOUNTED else words[:1]
    often = max(counts.values()) / 2
    usual = [word for word in words if counts.get(word.casefold(), 0) >= often and _may_be_trigger(word)]
    return tuple(usual[:MOST_TRIGGERS])


def _training(metadata: Mapping[str, str]) -> Annotations:
    frequency = _frequencies(metadata)
    counts = _total(frequency)
    bases = (base_name(metadata.get(key)) for key in _BASE_KEYS)
    return Annotations(
        title=telling_title(metadata.get("ss_output_name")),
        trigger_words=_universal_tags(counts, _caption_count(metadata)) or _concepts(frequency),
        tags=clean_words([tag for tag, _ in counts.most_common(2 * MOST_WORDS)]),
        description=clean_text(metadata.get("ss_training_comment")),
        base_hint=next((base for base in bases if base), None),
    )


def _frequencies(metadata: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Folder -> tag -> count, of `ss_tag_frequency`: JSON within JSON, sometimes broken, or without the folders."""
    folders = _json_object(metadata.get("ss_tag_frequency"))
    flat = _counts(folders)
    if flat and not any(map(_FOLDER.match, flat)):
        return {"": flat}
    return {name: _counts(cast("dict[str, Any]", tags)) for name, tags in folders.items() if isinstance(tags, dict)}


def _counts(tags: dict[str, Any]) -> dict[str, float]:
    return {tag.strip(): count for tag, count in tags.items() if _is_count(count) and tag.strip()}


def _is_count(value: object) -> bool:
    """Some trainers write 20.0."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < MOST_COUNTED


def _total(frequency: Mapping[str, Mapping[str, float]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for tags in frequency.values():
        counts.update(cast("Mapping[str, int]", tags))
    return counts


def _caption_count(metadata: Mapping[str, str]) -> float:
    folders = _json_object(metadata.get("ss_dataset_dirs")).values()
    entries = [cast("dict[str, Any]", folder) for folder in folders if isinstance(folder, dict)]
    counts = [entry.get("img_count") for entry in entries]
    return sum(cast("float", count) for count in counts if _is_count(count))


def _universal_tags(counts: Counter[str], captions: float) -> tuple[str, ...]:
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
