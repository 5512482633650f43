"""The arrays of a catalog that answers come from, each read when it is first needed.

M models, one for each fingerprint with evidence; N samples of all of them one after another, model m's in rows
offsets[m] to offsets[m+1].
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..background import background_texts
from ..carriers import carriers, one_each
from ..catalog import Catalog
from ..embedding import Features, unit
from ..errors import ModelSearchError
from ..model_files import Kind, ModelFile
from ..probes import ProbeSet
from ..specification import Evidence, Specification
from .layouts import Layouts, layouts_of
from .matching import MATCHING_SETTING, Matching, matching_of
from .references import References, references
from .styles import STYLE_SETTING, Styles, space_of

EVIDENCE_ORDER = (Evidence.GENERATED, Evidence.PREVIEW, Evidence.METADATA)
Groups = NDArray[np.intp]


@dataclass(frozen=True)
class Entry:
    """A model, its best evidence, and where else the same weights lie."""

    model: ModelFile
    digest: str
    evidence: Evidence
    samples: int
    copies: tuple[ModelFile, ...]

    @property
    def key(self) -> tuple[str, str]:
        return self.model.fingerprint, self.digest


@dataclass(frozen=True)
class Samples:
    """Rows of all models in one array."""

    Z: Features  # (N, D) float32
    offsets: NDArray[np.intp]  # (M+1,)
    numbers: NDArray[np.int32]  # (N,), the probe of each row

    def owners(self) -> NDArray[np.intp]:
        """(N,): the model of each row."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))


class Gallery:
    """What a catalog holds under one encoder, as arrays."""

    def __init__(self, catalog: Catalog, encoder: str, dimension: int) -> None:
        self.encoder = encoder
        self.dimension = dimension
        self._catalog = catalog
        self.entries = _entries(catalog, encoder)

    def __len__(self) -> int:
        return len(self.entries)

    @cached_property
    def means(self) -> Features:
        """(M, D) unit means of the samples."""
        means = self._catalog.means(self.encoder)
        return unit(np.stack([means[entry.key] for entry in self.entries])).astype(np.float32)

    @cached_property
    def facets(self) -> dict[tuple[str, str], tuple[float, float]]:
        """(strength, consistency) by `Entry.key`, of LoRA that were compared with their base."""
        return self._catalog.facets(self.encoder)

    @cached_property
    def usual_change(self) -> float:
        """The median of how much LoRA change their base's pictures."""
        return float(np.median([strength for strength, _ in self.facets.values()]))

    @cached_property
    def groups(self) -> Groups:
        """(M,): one number for each evidence level and kind, within which scores are comparable."""
        kinds = list(Kind)
        numbers = [
            EVIDENCE_ORDER.index(entry.evidence) * len(kinds) + kinds.index(entry.model.kind) for entry in self.entries
        ]
        return np.array(numbers, np.intp)

    @cached_property
    def only_words(self) -> NDArray[np.bool_]:
        """(M,): models of which nothing but the author's words is known."""
        return np.array([entry.evidence is Evidence.METADATA for entry in self.entries], bool)

    @cached_property
    def samples(self) -> Samples:
        """All samples of all models."""
        return _stack([(s.Z, s.numbers) for s in self._specifications], self.dimension)

    @cached_property
    def drawings(self) -> Samples:
        """Features of the samples' line drawings; a model without any has its samples instead."""
        rows = [(s.Z if s.drawings is None else s.drawings, s.numbers) for s in self._specifications]
        return _stack(rows, self.dimension)

    @cached_property
    def reference_samples(self) -> Samples:
        """Of the pictures made of the reference set's drawings; a model without any has no rows."""
        return self._beside(Evidence.REFERENCE)

    def style_samples(self, encoder: str) -> Samples:
        """Of the same pictures, as a style encoder sees them."""
        return self._beside(Evidence.REFERENCE, encoder)

    def reference_probe_set(self, fingerprint: str) -> ProbeSet | None:
        """How a model was asked with drawings last, if it was."""
        digest = _newest(self._catalog, self.encoder, Evidence.REFERENCE).get(fingerprint)
        return self.probe_sets.get(digest) if digest else None

    @cached_property
    def styles(self) -> Styles:
        """The space in which styles are compared."""
        return Styles(self, space_of(self._catalog.setting(STYLE_SETTING), self._catalog.path, self.encoder))

    @cached_property
    def matching(self) -> Matching | None:
        """What was learned of how queries and models belong together."""
        return matching_of(self._catalog.setting(MATCHING_SETTING), self._catalog.path, self.encoder)

    @cached_property
    def layouts(self) -> Layouts | None:
        """Where things are in the models' pictures, if indexing has mapped any."""
        return layouts_of(self._catalog, [entry.key for entry in self.entries])

    @property
    def mapped_layouts(self) -> Layouts:
        """The same where they are needed. ModelSearchError that names the way to have them."""
        if self.layouts is None:
            raise ModelSearchError(
                f"{self._catalog.path} has no maps of where things are; run `modelsearch index FOLDER --spatial`, "
                "which makes them of the pictures that are there"
            )
        return self.layouts

    @cached_property
    def words(self) -> Samples:
        """(rows, offsets) of the authors' words; a model without any has no rows."""
        return self._beside(Evidence.METADATA)

    def _beside(self, evidence: Evidence, encoder: str | None = None) -> Samples:
        """The newest rows of that evidence, beside what an entry rests on; by another encoder if one is named."""
        encoder = encoder or self.encoder
        keys = _newest(self._catalog, encoder, evidence)
        found = [self._catalog.specification(f, keys[f], encoder) if f in keys else None for f in self._fingerprints]
        dimension = next((s.Z.shape[1] for s in found if s), self.dimension)
        empty = np.empty((0, dimension), np.float32), np.empty(0, np.int32)
        return _stack([(s.Z, s.numbers) if s else empty for s in found], dimension)

    @property
    def _fingerprints(self) -> list[str]:
        return [entry.model.fingerprint for entry in self.entries]

    @cached_property
    def probe_sets(self) -> dict[str, ProbeSet]:
        return self._catalog.probe_sets()

    @cached_property
    def prompts(self) -> Features:
        """(N, D): unit text features of the prompts behind the samples; zero rows where there is no prompt."""
        owners = self.samples.owners()
        return self.prompt_features(
            [self.prompt(int(m), int(n)) for m, n in zip(owners, self.samples.numbers, strict=True)]
        )

    def prompt(self, m: int, number: int) -> str:
        """What model m was asked by probe `number`; empty for evidence that nobody asked for."""
        probe_set = self.probe_sets.get(self.entries[m].digest)
        return "" if probe_set is None else probe_set.prompt(number)

    def prompt_features(self, prompts: Sequence[str]) -> Features:
        """(n, D) unit text features of prompts that indexing has encoded; a zero row for any other."""
        found = self._catalog.text_features(self.encoder, sorted(set(prompts)))
        nothing = np.zeros(self.dimension, np.float16)
        rows = np.array([found.get(prompt, nothing) for prompt in prompts], np.float32)
        return unit(rows.reshape(len(prompts), self.dimension))

    @cached_property
    def references(self) -> References:
        """What each sample is compared with."""
        return references(self)

    def base_specification(self, entry: Entry) -> Specification | None:
        """The features of the base's pictures for the same probes, of a LoRA."""
        probe_set = self.probe_sets.get(entry.digest)
        if probe_set is None or probe_set.base is None:
            return None
        return self._read(probe_set.base, probe_set.for_base().digest)

    @cached_property
    def carriers(self) -> list[str]:
        """Prompts that most of the collection was asked with, to put a text behind; the default ones where indexing
        has not measured what unrelated texts add to these."""
        counts = Counter(entry.digest for entry in self.entries if entry.digest in self.probe_sets)
        usual = carriers(self.probe_sets[counts.most_common(1)[0][0]].probes) if counts else carriers()
        _, first = one_each(background_texts()[:1], usual)[0]
        return usual if self._catalog.text_features(self.encoder, [first]) else carriers()

    @cached_property
    def background(self) -> tuple[Features, Features]:
        """Unit features (B, D) of generic texts, and what each adds to a carrier, (B, D)."""
        texts = background_texts()
        pairs = one_each(texts, self.carriers)
        found = self._catalog.text_features(self.encoder, [*texts, *(text for pair in pairs for text in pair)])
        known = [(text, *pair) for text, pair in zip(texts, pairs, strict=True) if {text, *pair} <= found.keys()]
        h = [found[text] for text, _, _ in known]
        added = [found[behind].astype(np.float32) - found[carrier] for _, carrier, behind in known]
        shape = (len(known), self.dimension)
        return np.array(h, np.float32).reshape(shape), np.array(added, np.float32).reshape(shape)

    def specification(self, m: int) -> Specification:
        """Model m's own rows; reads no other model's."""
        return self._specifications[m] if "_specifications" in self.__dict__ else self._best(self.entries[m])

    @cached_property
    def _specifications(self) -> list[Specification]:
        return [self._best(entry) for entry in self.entries]

    def _best(self, entry: Entry) -> Specification:
        found = self._read(*entry.key)
        if found is None:
            raise ModelSearchError(f"{entry.model.path} was forgotten meanwhile; search again")
        return found

    def _read(self, fingerprint: str, digest: str) -> Specification | None:
        return self._catalog.specification(fingerprint, digest, self.encoder)


def _entries(catalog: Catalog, encoder: str) -> list[Entry]:
    best: dict[str, tuple[int, int, str, Evidence, int]] = {}
    for age, (fingerprint, digest, evidence, samples) in enumerate(catalog.specification_keys(encoder)):
        if evidence is Evidence.REFERENCE:
            continue
        candidate = (-EVIDENCE_ORDER.index(evidence), age, digest, evidence, samples)
        best[fingerprint] = max(best.get(fingerprint, candidate), candidate)
    copies: dict[str, list[ModelFile]] = defaultdict(list)
    for model in catalog.models():
        copies[model.fingerprint].append(model)
    return [
        Entry(models[0], best[fingerprint][2], best[fingerprint][3], best[fingerprint][4], tuple(models[1:]))
        for fingerprint, models in copies.items()
        if fingerprint in best
    ]


def _newest(catalog: Catalog, encoder: str, evidence: Evidence) -> dict[str, str]:
    keys = catalog.specification_keys(encoder)
    return {fingerprint: digest for fingerprint, digest, found, _ in keys if found is evidence}


def _stack(rows: Sequence[tuple[Features, NDArray[np.int32]]], dimension: int) -> Samples:
    lengths = [len(Z) for Z, _ in rows]
    Z = np.concatenate([np.empty((0, dimension), np.float16), *(Z for Z, _ in rows)]).astype(np.float32)
    numbers = np.concatenate([np.empty(0, np.int32), *(numbers for _, numbers in rows)])
    return Samples(unit(Z), np.concatenate([[0], np.cumsum(lengths)]).astype(np.intp), numbers)
