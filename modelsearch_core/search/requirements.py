"""From a query's texts and pictures to the features that are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from PIL import Image

from .. import nonsense
from ..background import form_of
from ..collection import Collection, Entry
from ..drawing import to_sketch_tone
from ..embedding import Encoder, Features, ImageEncoder, unit
from ..errors import NonsenseError, UnknownModelError
from ..prompt_templates import behind
from ..scores.differences import text_difference
from ..sketch_views import COUNT, views
from ..specification import Modality, Requirement
from ..statistics import Statistics
from .query import Query
from .text_features import TextFeatures

Describe = Callable[[Sequence[Image.Image]], list[str]]

SHOWN = (Modality.IMAGE, Modality.SKETCH)
BESIDE_WORDS = 0.5  # by docs/results_trust.md


class Reader:
    """Turns queries into requirements. The encoder is opened, and pictures described, only where a query needs it."""

    def __init__(
        self, statistics: Statistics, open_encoder: Callable[[], Encoder], describe: Describe, texts: TextFeatures
    ) -> None:
        self._statistics = statistics
        self._collection = statistics.collection
        self._open_encoder = open_encoder
        self._describe = describe
        self._texts = texts

    @property
    def _encoder(self) -> Encoder:
        return self._open_encoder()

    def read(
        self,
        query: Query,
        *,
        words_needed: bool = False,
        styles_needed: bool = False,
        spatial: ImageEncoder | None = None,
    ) -> list[Requirement]:
        """One requirement an input, in the order of `Query.weights`; images of one weight are one, so are sketches.
        `spatial` maps where things are in images."""
        refuse_nonsense(query)
        weights = iter(query.weights if query.weights is not None else [1.0] * query.inputs)
        found = [self._text(text, next(weights)) for text in query.text]
        prompt = self._prompt(query, words_needed)
        pictures = self._pictures(query.images, Modality.IMAGE, weights, prompt, spatial)
        styles = self._statistics.styles.vectors_of(query.images) if styles_needed and query.images else None
        found += [replace(picture, style=query.style, styles=styles) for picture in pictures]
        found += self._sketches(query.sketches, weights)
        found += [self._model(name, next(weights)) for name in query.like]
        found = beside_words(found)
        found += [self._unwanted(item, next(weights), spatial) for item in query.without]
        return found

    def read_ahead(self, query: Query) -> None:
        """Encodes the query's texts, together with those of others who ask at the same time; from any thread. Where one
        asks for nothing, `read` refuses all of them."""
        texts = _texts(query)
        if texts and not any(map(nonsense.of_text, texts)):
            self._texts.of([each for text in texts for each in self._asked_with(text)], self._open_encoder)

    def _asked_with(self, text: str) -> list[str]:
        """A text as it is, and as each prompt template puts it."""
        return [text, *(behind(template, text) for template in self._collection.templates)]

    def _text(self, text: str, weight: float) -> Requirement:
        with_query = self._texts.of(self._asked_with(text), self._open_encoder)
        difference = text_difference(self._templates, with_query[1:])
        h = with_query[:1]
        return Requirement(
            modality=Modality.TEXT,
            h=h,
            weight=weight,
            prompt=h[0],
            difference=difference,
            form=form_of(text),
            label=text,
        )

    @cached_property
    def _templates(self) -> Features:
        return self._encoder.encode_texts(self._collection.templates)

    def _pictures(
        self,
        images: Sequence[Image.Image],
        modality: Modality,
        weights: Iterator[float],
        prompt: Features | None,
        spatial: ImageEncoder | None = None,
    ) -> list[Requirement]:
        """One requirement for all pictures of the same weight."""
        groups: dict[float, list[Image.Image]] = {}
        for image in images:
            groups.setdefault(next(weights), []).append(image)
        return [
            Requirement(
                modality=modality,
                h=self._encoder.encode_images(same),
                weight=weight,
                prompt=prompt,
                layouts=None if spatial is None else spatial.encode_images(same),
                label=f"{len(same)} {modality.value}{'s' if len(same) > 1 else ''}",
            )
            for weight, same in groups.items()
        ]

    def _sketches(self, sketches: Sequence[Image.Image], weights: Iterator[float]) -> list[Requirement]:
        """One requirement for all sketches of the same weight, each as several hands would have drawn it."""
        drawn = [view for sketch in sketches for view in views(to_sketch_tone(sketch))]
        each = iter([weight for weight in (next(weights) for _ in sketches) for _ in range(COUNT)])
        found = self._pictures(drawn, Modality.SKETCH, each, None)
        counts = [len(requirement.h) // COUNT for requirement in found]
        return [
            replace(requirement, views=COUNT, label=f"{count} sketch{'es' if count > 1 else ''}")
            for requirement, count in zip(found, counts, strict=True)
        ]

    def _prompt(self, query: Query, words_needed: bool) -> Features | None:
        if query.prompt:
            return self._encoder.encode_texts([query.prompt])[0]
        if not (words_needed and query.images):
            return None
        return unit(self._encoder.encode_texts(self._describe(query.images)).mean(axis=0))

    def _model(self, name: str, weight: float) -> Requirement:
        m = find_entry(self._collection, name)
        h = self._statistics.means[m : m + 1]
        return Requirement(modality=Modality.MODEL, h=h, weight=weight, model=m, label=name)

    def _unwanted(self, item: str | Image.Image, weight: float, spatial: ImageEncoder | None) -> Requirement:
        if isinstance(item, str):
            return self._text(item, -abs(weight))
        return self._pictures([item], Modality.IMAGE, iter([-abs(weight)]), None, spatial)[0]


def beside_words(requirements: list[Requirement]) -> list[Requirement]:
    """With pictures and sketches counting as much as they say where words are asked for, too: what they show is often
    any thing at all, and the words are what is meant."""
    if not any(requirement.modality is Modality.TEXT and requirement.weight > 0 for requirement in requirements):
        return requirements
    return [
        replace(each, weight=BESIDE_WORDS * each.weight) if each.modality in SHOWN else each for each in requirements
    ]


def _texts(query: Query) -> list[str]:
    """What is wanted, then what is not."""
    return [*query.text, *(item for item in query.without if isinstance(item, str))]


def refuse_nonsense(query: Query) -> None:
    """NonsenseError for inputs that ask for nothing, each with its reason."""
    texts = _texts(query)
    pictures = [*query.images, *(item for item in query.without if not isinstance(item, str))]
    said = [
        *map(nonsense.of_text, texts),
        *map(nonsense.of_picture, pictures),
        *map(nonsense.of_sketch, query.sketches),
    ]
    reasons = list(dict.fromkeys(reason for reason in said if reason))
    if reasons:
        raise NonsenseError("; ".join(reasons))


def find_entry(collection: Collection, name: str) -> int:
    """The model of that path, file name, name or title, in any case. UnknownModelError if it is not just one."""
    wanted, entries = name.replace("\\", "/").casefold(), collection.entries
    for names in (_paths, _file_names, _path_ends, _titles):
        found = [m for m, entry in enumerate(entries) if wanted in names(entry)]
        if len(found) == 1:
            return found[0]
        if found:
            choices = ", ".join(str(entries[m].path) for m in found[:5])
            raise UnknownModelError(f"{name!r} fits {len(found)} models: {choices}; name one by its path")
    near = [e.path.stem for e in entries if wanted[:4] and wanted[:4] in e.path.name.casefold()][:5]
    hint = f"; near it: {', '.join(near)}" if near else ""
    raise UnknownModelError(f"{name!r} is no model of the index{hint}; `modelsearch list` shows all")


def _paths(entry: Entry) -> set[str]:
    return {file.name.replace("\\", "/").casefold() for file in entry.files} | {entry.fingerprint}


def _file_names(entry: Entry) -> set[str]:
    return {name.casefold() for path in entry.paths for name in (path.name, path.stem)}


def _path_ends(entry: Entry) -> set[str]:
    """The last two parts of each path, as hosts list a model in a sub-folder, with and without the file's ending."""
    ends = [f"{path.parent.name}/{name}" for path in entry.paths for name in (path.name, path.stem)]
    return {end.casefold() for end in ends}


def _titles(entry: Entry) -> set[str]:
    return {entry.model.title.casefold()}
