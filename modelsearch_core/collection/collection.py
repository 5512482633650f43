"""What a catalog holds under one encoder.

M models, one for each fingerprint with evidence. Who they are, and what each was asked, is read at once and in one
moment; samples, words and pictures' features are read when an answer comes down to them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..catalog import Catalog, compared
from ..catalog.catalog import Packed
from ..catalog.compared import Compared
from ..catalog.packing import Packing, first_rows
from ..catalog.statistics import Key
from ..embedding import Encoder, Features, unit
from ..errors import OutdatedError
from ..many_objects import without_collection
from ..model_files import Kind
from ..probes import ProbeSet
from ..prompt_templates import templates
from ..specification import Evidence, Specification
from . import author_words
from .entries import EVIDENCE_ORDER, Entry, entries_of, files_of, newest
from .kept_rows import KeptRows
from .pooled import Pooling
from .samples import NO_ROWS, Samples, stacked, unpacked

KINDS = tuple(Kind)
RESIDENT = 2**26  # numbers of samples that are kept once they were read, 256 MB

Groups = NDArray[np.intp]
Models = NDArray[np.integer] | Sequence[int]
Masks = Sequence[NDArray[np.bool_]]  # (S,) of each model


class Collection:
    """Read-only. `before` is an older reading of the same catalog; what has not changed of its files is taken over."""

    def __init__(self, catalog: Catalog, encoder: str, dimension: int, *, before: Collection | None = None) -> None:
        self.catalog = catalog
        self.encoder = encoder
        self.dimension = dimension
        with without_collection():
            with catalog.moment():
                self.state = catalog.state()
                self.measured = catalog.measured(encoder)
                self.probe_sets = catalog.probe_sets()
                self.files = files_of(catalog, None if before is None else before.files)
            self.entries: list[Entry] = entries_of(self.files, self.measured)
        self._kept: Masks | None = None
        self._picture_prompts: dict[Key, dict[int, str]] = {}  # of users' pictures, as far as they were asked for
        same = before is not None and before.encoder == encoder
        self._kept_rows = before._kept_rows if before is not None and same else KeptRows()
        earlier = None if before is None else before.__dict__.get("words")
        self._read_before = [] if before is None or earlier is None else before.worded(), earlier
        self.open_encoder: Callable[[], Encoder | None] | None = None  # for what was not encoded; None: not open yet

    def __len__(self) -> int:
        return len(self.entries)

    def keeping(self, kept: Masks) -> Collection:
        """The same with those samples of each model only: nothing else is in what is worked out of it."""
        part = object.__new__(Collection)
        part.__dict__.update({name: self.__dict__[name] for name in _SHARED})
        part._kept, part.open_encoder, part._read_before = kept, None, ([], None)
        return part

    @property
    def is_whole(self) -> bool:
        """Whether what the catalog derived of it holds; of a part, everything is worked out anew."""
        return self._kept is None

    # who they are

    @cached_property
    def row_of(self) -> dict[str, int]:
        """m by fingerprint."""
        return {fingerprint: m for m, (fingerprint, _) in enumerate(self.keys)}

    @cached_property
    def keys(self) -> list[Key]:
        """(fingerprint, digest) of each: what its rows are found by."""
        return [entry.measured[:2] for entry in self.entries]

    @cached_property
    def groups(self) -> Groups:
        """(M,): one number for each evidence level and kind, within which scores are comparable."""
        places = (EVIDENCE_ORDER.index(entry.evidence) for entry in self.entries)
        return np.array(
            [place * len(KINDS) + KINDS.index(e.kind) for place, e in zip(places, self.entries, strict=True)], np.intp
        )

    @cached_property
    def levels(self) -> Groups:
        """(M,): which evidence each rests on, by its place in EVIDENCE_ORDER: 0 is the best. A set of pictures is all
        that there is of its model, and as good as generated."""
        are_sets = self.groups % len(KINDS) == KINDS.index(Kind.PICTURES)
        return np.where(are_sets, 0, self._evidences)

    @cached_property
    def only_words(self) -> NDArray[np.bool_]:
        """(M,): models of which nothing but the author's words is known."""
        return self._evidences == EVIDENCE_ORDER.index(Evidence.METADATA)

    @cached_property
    def unseen(self) -> NDArray[np.bool_]:
        """(M,): models of which there is no picture."""
        return ~np.array([evidence.is_seen for evidence in EVIDENCE_ORDER])[self._evidences]

    @property
    def _evidences(self) -> Groups:
        """(M,): places in EVIDENCE_ORDER."""
        return self.groups // len(KINDS)

    @cached_property
    def facets(self) -> dict[tuple[str, str], tuple[float, float]]:
        """(strength, consistency) by `Entry.key`, of LoRA that were compared with their base."""
        return {
            (fingerprint, digest): (strength, consistency)
            for fingerprint, digest, *_, strength, consistency in self.measured
            if strength is not None and consistency is not None
        }

    @cached_property
    def usual_change(self) -> float:
        """The median of how much LoRA change their base's pictures."""
        return float(np.median([strength for strength, _ in self.facets.values()]))

    # what they were asked

    def prompt(self, m: int, number: int) -> str:
        """What model m was asked by probe `number`; empty for evidence that nobody asked for."""
        probe_set = self.probe_set(m) if number >= 0 else None
        return self._picture_prompt(m, number) if probe_set is None else probe_set.prompt(number)

    def _picture_prompt(self, m: int, number: int) -> str:
        """What a user's picture was asked for, as its file says; `number` as in its rows, or below 0 as in `pooled`."""
        entry = self.entries[m]
        pictures = entry.measured if entry.evidence is Evidence.PICTURES else entry.pictures
        if pictures is None:
            return ""
        if pictures.key not in self._picture_prompts:
            rows = self.catalog.pictures.chosen(*pictures.key)
            self._picture_prompts[pictures.key] = {row.number: row.prompt for row in rows}
        return self._picture_prompts[pictures.key].get(number if number >= 0 else -1 - number, "")

    def probe_set(self, m: int) -> ProbeSet | None:
        """How model m was asked; None for evidence that nobody asked for."""
        return self.probe_sets.get(self.entries[m].digest)

    def reference_probe_set(self, fingerprint: str) -> ProbeSet | None:
        """How a model was asked with drawings last, if it was."""
        of = newest(self.measured, Evidence.REFERENCE).get(fingerprint)
        return self.probe_sets.get(of.digest) if of else None

    @cached_property
    def recipe_counts(self) -> Counter[str]:
        """How many models were asked by each recipe."""
        return Counter(recipe for recipe in self.recipe_digests if recipe is not None)

    @cached_property
    def recipe_digests(self) -> list[str | None]:
        """How each was asked, its trigger words aside; None for what nobody asked for."""
        return self.probe_sets.recipe_digests(digest for _, digest in self.keys)

    @cached_property
    def templates(self) -> list[str]:
        """Prompts that most of the collection was asked with, to put a text behind; the default ones where indexing
        has not measured what unrelated texts add to these."""
        counts = self.recipe_counts
        usual = templates(self.probe_sets.of_recipe(counts.most_common(1)[0][0]).probes) if counts else templates()
        return usual if compared.is_known(self.catalog, self.encoder, usual) else templates()

    @cached_property
    def background(self) -> Compared:
        """Of an index from before, of those texts that it knows."""
        return compared.compared(self.catalog, self.encoder, self.dimension, self.templates)

    def prompt_features(self, prompts: Sequence[str]) -> Features:
        """(n, D) unit text features of prompts; those that indexing has not encoded (with a model's own trigger words)
        are encoded now where an encoder is open, else a zero row."""
        found = dict(self.catalog.text_features(self.encoder, sorted(set(prompts))))
        unknown = sorted({prompt for prompt in prompts if prompt and prompt not in found})
        if unknown and self.open_encoder is not None and (encoder := self.open_encoder()) is not None:
            found |= zip(unknown, encoder.encode_texts(unknown), strict=True)
        nothing = np.zeros(self.dimension, np.float16)
        rows = np.array([found.get(prompt, nothing) for prompt in prompts], np.float32)
        return unit(rows.reshape(len(prompts), self.dimension))

    def prompts_of(self, models: Models, samples: Samples) -> Features:
        """(N, D): unit text features of the prompts behind these models' samples; zero rows where there is none."""
        owners = np.asarray(models)[samples.owners()]
        asked = [self.prompt(int(m), int(n)) for m, n in zip(owners, samples.numbers, strict=True)]
        features = self.prompt_features(asked)
        bare = np.flatnonzero(~features.any(axis=1))
        plain = [self.plain_prompt(int(owners[i]), int(samples.numbers[i])) for i in bare]
        features[bare] = self.prompt_features(plain)
        return features

    def plain_prompt(self, m: int, number: int) -> str:
        """Without the model's trigger words."""
        recipe = self.probe_sets.recipe(self.entries[m].digest) if number >= 0 else None
        return (
            self._picture_prompt(m, number)
            if recipe is None
            else self.probe_sets.of_recipe(recipe.digest).probes[number].prompt
        )

    # rows of samples

    @cached_property
    def all(self) -> NDArray[np.intp]:
        """Every model's number."""
        return np.arange(len(self))

    @cached_property
    def is_small(self) -> bool:
        """Whether all pictures are kept once they were read."""
        return sum(entry.pictured for entry in self.entries) * self.dimension <= RESIDENT

    def specifications(self, models: Models, *, drawn: bool = True) -> list[Specification]:
        """These models' own rows, `drawn` or not, which are half of them: as many as were listed, as
        an index that is written meanwhile adds some. OutdatedError where one was forgotten or has fewer."""
        keys = [self.entries[m].key for m in models]
        found = self.catalog.specifications(self.encoder, keys, drawn=drawn)
        self._refuse_missing(models, keys, found)
        whole = [self._as_listed(m, found[key]) for m, key in zip(models, keys, strict=True)]
        if self._kept is None:
            return whole
        return [_part(of, self._kept[m]) for of, m in zip(whole, models, strict=True)]

    def _refuse_missing(self, models: Models, keys: Sequence[Key], found: Container[Key]) -> None:
        missing = next((m for m, key in zip(models, keys, strict=True) if key not in found), None)
        if missing is not None:
            raise self._measured_anew(missing)

    def _as_listed(self, m: int, of: Specification) -> Specification:
        listed = self.entries[m].samples
        if len(of.Z) < listed:
            raise self._measured_anew(m)
        return _part(of, np.arange(len(of.Z)) < listed)

    def _measured_anew(self, m: int) -> OutdatedError:
        return OutdatedError(f"{self.entries[m].path} was measured anew meanwhile; search again")

    def specification(self, m: int) -> Specification:
        """Model m's own rows."""
        return self.specifications([m])[0]

    def rows(self, models: Models, *, again: bool = False) -> Samples:
        """The samples of these models. Where they are likely to be asked for `again`, they are kept for a while."""
        if self.is_whole:
            return self._unpacked(models, drawn=False, again=again)
        return stacked([(s.Z, s.numbers) for s in self.specifications(models)], self.dimension)

    def drawn_rows(self, models: Models, *, again: bool = False) -> Samples:
        """Features of the samples' line drawings; a model without any has its samples instead."""
        if self.is_whole:
            return self._unpacked(models, drawn=True, again=again)
        found = self.specifications(models)
        return stacked([(s.Z if s.drawings is None else s.drawings, s.numbers) for s in found], self.dimension)

    def _unpacked(self, models: Models, *, drawn: bool, again: bool) -> Samples:
        def read(places: Sequence[int]) -> list[Packed]:
            return self._packed([int(models[place]) for place in places], drawn=drawn)

        if not again:
            return unpacked(read(range(len(models))), self.dimension)
        names = [(*self.entries[m].key, self.entries[m].measured.stamp, drawn) for m in models]
        return unpacked(self._kept_rows.get(names, read), self.dimension)

    def _packed(self, models: Models, *, drawn: bool) -> list[Packed]:
        keys = [self.entries[m].key for m in models]
        found = self.catalog.packed_rows(self.encoder, keys, drawn=drawn)
        self._refuse_missing(models, keys, found)
        return [self._packed_as_listed(m, found[key]) for m, key in zip(models, keys, strict=True)]

    def _packed_as_listed(self, m: int, of: Packed) -> Packed:
        """So that samples and drawings, which are read one after the other, are as many."""
        listed, there = self.entries[m].samples, len(of.numbers) // 4
        if there < listed:
            raise self._measured_anew(m)
        if there == listed:
            return of
        blob = first_rows(of.blob, listed, self.dimension, Packing(of.packing))
        return Packed(of.numbers[: 4 * listed], of.packing, blob, None)

    @cached_property
    def samples(self) -> Samples:
        """All samples of all models."""
        return self.rows(self.all)

    @cached_property
    def drawings(self) -> Samples:
        return self.drawn_rows(self.all)

    def pooled_rows(self, models: Models, *, again: bool = False) -> Samples:
        """All pictures of these models: their samples and, behind them, their users' own, numbered −1, −2, …"""
        return self._with_pictures(self.rows(models, again=again), models, again=again)

    @cached_property
    def pooled(self) -> Samples:
        """All pictures of all models."""
        return self._with_pictures(self.samples, self.all)

    def _with_pictures(self, own: Samples, models: Models, *, again: bool = False) -> Samples:
        pictures = [self.entries[m].pictures for m in models]
        wanted = [of for of in pictures if of is not None]
        if not wanted:
            return own

        def read(places: Sequence[int]) -> list[Packed]:
            keys = [wanted[place].key for place in places]
            found = self.catalog.packed_rows(self.encoder, keys)
            return [found.get(key, NO_ROWS) for key in keys]

        names = [(*of.key, of.stamp) for of in wanted]
        rows = iter(self._kept_rows.get(names, read) if again else read(range(len(wanted))))
        more = unpacked([NO_ROWS if of is None else next(rows) for of in pictures], self.dimension)
        return self._pooling(own, more, models, keep=self.is_whole)

    @cached_property
    def _pooling(self) -> Pooling:
        return Pooling()

    @cached_property
    def prompts(self) -> Features:
        """(N, D), of all pictures."""
        return self.prompts_of(self.all, self.pooled)

    def base_specification(self, m: int) -> Specification | None:
        """The features of the base's pictures for the same probes, of a LoRA; without their drawings."""
        recipe = self.probe_sets.recipe(self.entries[m].digest)
        if recipe is None or recipe.base is None:
            return None
        key = recipe.base, recipe.base_digest
        return self.catalog.specifications(self.encoder, [key], drawn=False).get(key)

    # beside what an entry rests on

    @cached_property
    def words(self) -> Samples:
        """Of the authors' words; a model without any has no row."""
        worded, read = self._read_before
        who = self.worded()
        if read is not None and worded == who:
            return read
        stored = author_words.stored(self.catalog, self.encoder, who, self._words_of) if self.is_whole else None
        return self._words_of(range(len(self))) if stored is None else stored

    def store_words(self) -> None:
        """All in one go for whoever opens the catalog next, while indexing."""
        author_words.store(self.catalog, self.encoder, self.worded(), self._words_of(range(len(self))))

    @property
    def words_are_stored(self) -> bool:
        return author_words.is_stored(self.catalog, self.encoder)

    def _words_of(self, models: Sequence[int]) -> Samples:
        return self.beside(Evidence.METADATA, models=models)

    @cached_property
    def reference_samples(self) -> Samples:
        """Of the pictures made of the reference set's drawings; a model without any has no row."""
        return self.beside(Evidence.REFERENCE)

    def style_samples(self, encoder: str, models: Models | None = None) -> Samples:
        """Of the same pictures, as a style encoder sees them."""
        return self.beside(Evidence.REFERENCE, encoder, models)

    def beside(self, evidence: Evidence, encoder: str | None = None, models: Models | None = None) -> Samples:
        """The newest rows of that evidence, of all models or these; by another encoder if one is named."""
        measured = self.measured if encoder is None else self.catalog.measured(encoder)
        keys = {fingerprint: of.key for fingerprint, of in newest(measured, evidence).items()}
        entries = self.entries if models is None else [self.entries[m] for m in models]
        wanted = [keys[entry.fingerprint] for entry in entries if entry.fingerprint in keys]
        found = self.catalog.packed_rows(encoder or self.encoder, wanted)
        rows = [found.get(keys.get(entry.fingerprint, ("", ""))) or NO_ROWS for entry in entries]
        dimension = self.dimension if encoder is None else self.catalog.dimension_of(encoder) or self.dimension
        return unpacked(rows, dimension)

    def worded(self) -> list[tuple[str, int]]:
        """What `words` depends on: every model in order, and when its words were read last."""
        told = {each.fingerprint: each.stamp for each in self.measured if each.evidence is Evidence.METADATA}
        return [(fingerprint, told.get(fingerprint, -1)) for fingerprint, _ in self.keys]


_SHARED = ("catalog", "encoder", "dimension", "state", "measured", "probe_sets", "files", "entries", "_picture_prompts")


def _part(of: Specification, kept: NDArray[np.bool_]) -> Specification:
    if kept.all():
        return of
    drawings = None if of.drawings is None else of.drawings[kept]
    return replace(of, Z=of.Z[kept], numbers=of.numbers[kept], drawings=drawings)
