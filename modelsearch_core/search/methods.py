"""Every method by which models are compared with queries, in one table. Higher is better for all.

A method that reads columns judges all models of a collection at once; one that reads samples or drawings judges the
models whose rows are at hand.

Formulas, sources, constants: docs/methods.md 2 to 9.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..collection import Samples
from ..embedding import Features, unit
from ..errors import ModelSearchError
from ..ranking import from_distance
from ..scores import content, differences, gaussian, kernel_mean
from ..scores.coarse import Coarse
from ..scores.matching import Matrix, learned_first_moment, learned_gaussian
from ..specification import Modality
from ..statistics import Statistics
from ..statistics.matching import Matching
from .banks import Queries

Scores = NDArray[np.floating]  # (T, C)
PROBE_TEMPERATURE = 0.05  # of the probes' weights when a picture is compared with what the base makes


class Reads(str, Enum):
    """What a method looks at of each model."""

    COLUMNS = "columns"  # means, directions: of all models at once
    SAMPLES = "samples"
    DRAWINGS = "drawings"
    STYLES = "styles"
    LAYOUTS = "layouts"


class Wants(str, Enum):
    """What a collection must have been through before a method answers."""

    LEARNING = "learning"  # `modelsearch train matching`
    MAPS = "maps"  # `modelsearch index --spatial`
    SKETCHES = "sketches"  # any indexing: of LoRA


@dataclass(frozen=True, kw_only=True)
class Method:
    """`by_words`: counts samples by their prompts, so that a picture is put in words first. `coarse`: it can be told
    nearly without samples."""

    name: str
    scores: Callable[[Judges, Queries], Scores]
    reads: Reads
    coarse: bool = False
    wants: Wants | None = None
    by_words: bool = False

    @property
    def reads_rows(self) -> bool:
        return self.reads in (Reads.SAMPLES, Reads.DRAWINGS)

    def of_all(self, *, coarsely: bool) -> bool:
        """Whether all models are judged at once, as it is or nearly."""
        return self.reads is Reads.COLUMNS or (coarsely and self.coarse and self.reads_rows)


class Judges:
    """The methods over some models (C,) of a collection; what a method works out about these is kept.

    `coarsely`: no sample is read; those methods that can do without say nearly what they would have said. `again`: what
    is read is kept for a while, for the next question.
    """

    def __init__(
        self, statistics: Statistics, models: NDArray[np.intp], *, coarsely: bool = False, again: bool = False
    ) -> None:
        self._statistics = statistics
        self.coarsely = coarsely
        self._again = again
        self._collection = statistics.collection
        self.models = models
        self._all = len(models) == len(self._collection) and bool((models == self._collection.all).all())

    def keeping(self, kept: NDArray[np.bool_]) -> Judges:
        """The same models by those of their samples (N,) only; columns are as they are."""
        return _Keeping(self, kept)

    def __call__(self, method: str, queries: Queries) -> Scores:
        """(T, C)"""
        return METHODS[method].scores(self, queries)

    def _mine(self, rows: NDArray[np.floating]) -> NDArray[np.floating]:
        """Of (M, …), those of the models."""
        return rows if self._all else rows[self.models]

    @cached_property
    def samples(self) -> Samples:
        whole = self._all and self._collection.is_small
        return self._collection.pooled if whole else self._collection.pooled_rows(self.models, again=self._again)

    @cached_property
    def drawings(self) -> Samples:
        whole = self._all and self._collection.is_small
        return self._collection.drawings if whole else self._collection.drawn_rows(self.models, again=self._again)

    @property
    def _rows(self) -> tuple[Features, NDArray[np.int64]]:
        return self.samples.Z, self.samples.offsets

    def first_moment(self, queries: Queries) -> Scores:
        return content.first_moment(self._mine(self._statistics.means), queries.h)

    def monte_carlo(self, queries: Queries) -> Scores:
        return self._coarse.monte_carlo(queries.h) if self.coarsely else content.monte_carlo(*self._rows, queries.h)

    def best_k(self, queries: Queries) -> Scores:
        return self._coarse.best_k(queries.h) if self.coarsely else content.best_k(*self._rows, queries.h)

    def second_moment(self, queries: Queries) -> Scores:
        return content.second_moment(*self._rows, queries.h)

    @cached_property
    def _coarse(self) -> Coarse:
        assert self._statistics.coarse is not None
        return self._statistics.coarse if self._all else self._statistics.coarse.some(self.models)

    @cached_property
    def _densities(self) -> gaussian.Factored | Coarse:
        return self._coarse if self.coarsely else self._statistics.densities(self.samples)

    def gaussian(self, queries: Queries) -> Scores:
        return self._densities.log_density(queries.h)

    def drawn_first_moment(self, queries: Queries) -> Scores:
        """1st Moment over the features of the samples' line drawings: a sketch meets its like."""
        return content.first_moment(self._mine(self._statistics.drawn_means), queries.h)

    @cached_property
    def _drawn_densities(self) -> gaussian.Factored | Coarse:
        if not self.coarsely:
            return self._statistics.densities(self.drawings)
        assert self._statistics.coarse_drawn is not None
        return self._statistics.coarse_drawn if self._all else self._statistics.coarse_drawn.some(self.models)

    def drawn_gaussian(self, queries: Queries) -> Scores:
        """The density of the features of the samples' line drawings."""
        return self._drawn_densities.log_density(queries.h)

    @cached_property
    def _kernels(self) -> kernel_mean.Kernels:
        return kernel_mean.kernels(*self._rows)

    @cached_property
    def _prompts(self) -> Features:
        """(N, D), behind the samples."""
        whole = self._all and self._collection.is_small
        return self._collection.prompts if whole else self._collection.prompts_of(self.models, self.samples)

    def _query_prompts(self, queries: Queries) -> Features:
        """(T, D): what was told of the pictures; else the pictures themselves."""
        if queries.prompts is not None:
            return queries.prompts
        return queries.h if queries.prompt_texts is None else self._collection.prompt_features(queries.prompt_texts)

    def kernel_mean(self, queries: Queries) -> Scores:
        return self._kernel_mean(queries.h, self._prompt_cosines(queries))

    def prompted_kernel_mean(self, queries: Queries) -> Scores:
        """Samples count by a softmax of how like their prompts are to the picture's: none counts against a model."""
        cosines = self._prompt_cosines(queries)
        return self._kernel_mean(queries.h, kernel_mean.sharpened_weights(cosines, self.samples.offsets))

    def _prompt_cosines(self, queries: Queries) -> kernel_mean.Weights:
        """(T, N)"""
        return kernel_mean.prompt_weights(self._prompts, self._query_prompts(queries))

    def _kernel_mean(self, h: Features, w: kernel_mean.Weights) -> Scores:
        Z, offsets = self._rows
        similarity = kernel_mean.self_similarity(self._kernels, offsets, w)
        return from_distance(kernel_mean.kernel_mean_distances(Z, offsets, w, h, similarity=similarity))

    @cached_property
    def _reduced(self) -> tuple[Features, Features]:
        return kernel_mean.reduce_to_one(*self._rows)

    def rkme_clip(self, queries: Queries) -> Scores:
        return from_distance(kernel_mean.rkme_distance(*self._reduced, queries.h))

    @cached_property
    def _reduced_side_by_side(self) -> tuple[Features, Features]:
        Z, offsets = self._rows
        return kernel_mean.reduce_to_one(kernel_mean.side_by_side(Z, self._prompts), offsets)

    def rkme_concat(self, queries: Queries) -> Scores:
        both = kernel_mean.side_by_side(queries.h, self._query_prompts(queries))
        return from_distance(kernel_mean.rkme_distance(*self._reduced_side_by_side, both))

    def paired_difference(self, queries: Queries) -> Scores:
        directions = self._mine(self._statistics.unit_directions)
        if queries.models is not None:
            return content.first_moment(directions, self._statistics.unit_directions[queries.models])
        if queries.differences is not None:
            return content.first_moment(directions, unit(queries.differences))
        return self._picture_difference(queries.h)

    def _picture_difference(self, h: Features) -> Scores:
        """Each model's base would have made another picture of the same content, so Δ_q differs by base."""
        scores = np.empty((len(h), len(self._collection)))
        for reference in self._statistics.references:
            cosine = h @ reference.prompts.T
            delta = differences.image_difference(h, reference.Z, cosine, PROBE_TEMPERATURE)
            directions = self._statistics.directions[reference.models]
            scores[:, reference.models] = differences.difference_score(directions, delta)
        return scores[:, self.models]

    def weights(self, queries: Queries) -> Scores:
        """Cosine of what two LoRA change, without a picture of either; NaN for what is no LoRA of the family."""
        if queries.models is None:
            raise ModelSearchError("only a LoRA of the index has weights to compare; ask `weights` by --like MODEL")
        return self._statistics.weights.cosines(queries.models, self.models)

    def learned_first_moment(self, queries: Queries) -> Scores:
        """1st Moment through the matrix that was learned for the modality; plain where none was better."""
        A, drawn = self._matrix(queries, "first_moment"), queries.modality is Modality.SKETCH
        means = self._mine(self._statistics.drawn_means if drawn else self._statistics.means)
        return content.first_moment(means, queries.h) if A is None else learned_first_moment(A, means, queries.h)

    def learned_gaussian(self, queries: Queries) -> Scores:
        """The density through the matrix that was learned for the modality; plain where none was better."""
        B = self._matrix(queries, "gaussian")
        densities = self._drawn_densities if queries.modality is Modality.SKETCH else self._densities
        return densities.log_density(queries.h) if B is None else learned_gaussian(B, densities, queries.h)

    def _matrix(self, queries: Queries, score: str) -> Matrix | None:
        """Models ask as pictures do: by their means."""
        modality = Modality.IMAGE if queries.modality is Modality.MODEL else queries.modality
        return self._matching.matrix(modality, score)

    @property
    def _matching(self) -> Matching:
        if self._statistics.matching is None:
            raise ModelSearchError("nothing was learned of this collection yet; run `modelsearch train matching`")
        return self._statistics.matching

    def style(self, queries: Queries) -> Scores:
        """Mean style distance to the model's reference pictures; words and sketches are compared as ever, with them."""
        styles = self._statistics.styles
        if queries.models is not None:
            found = from_distance(styles.model_distances(queries.models))
        elif queries.modality is Modality.IMAGE:
            if not self.coarsely:
                return from_distance(styles.distances(queries.h, queries.styles, self.models))
            found = from_distance(styles.nearly(queries.h, queries.styles))
        else:
            found = content.first_moment(styles.plain_means, queries.h)
        return found[:, self.models]

    def spatial(self, queries: Queries) -> Scores:
        """1st Moment of maps of where things are."""
        layouts = self._statistics.mapped_layouts
        if queries.models is not None:
            return layouts.model_scores(queries.models)[:, self.models]
        if queries.layouts is None:
            raise ModelSearchError(
                f"a {queries.modality.value} does not say where things are as a picture does; ask `spatial` by image "
                "or by a model of the index, or take another method"
            )
        return layouts.scores(queries.layouts)[:, self.models]


class _Keeping(Judges):
    def __init__(self, whole: Judges, kept: NDArray[np.bool_]) -> None:
        super().__init__(whole._statistics, whole.models)
        self._whole, self._kept = whole, kept

    @cached_property
    def samples(self) -> Samples:
        return self._whole.samples.keeping(self._kept)

    @cached_property
    def drawings(self) -> Samples:
        of_own = self._whole.samples.numbers >= 0  # nobody has drawn what users have made
        return self._whole.drawings.keeping(self._kept[of_own])

    @cached_property
    def _prompts(self) -> Features:
        return self._whole._prompts[self._kept]


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(name="first_moment", scores=Judges.first_moment, reads=Reads.COLUMNS),
        Method(name="monte_carlo", scores=Judges.monte_carlo, reads=Reads.SAMPLES, coarse=True),
        Method(name="best_k", scores=Judges.best_k, reads=Reads.SAMPLES, coarse=True),
        Method(name="gaussian", scores=Judges.gaussian, reads=Reads.SAMPLES, coarse=True),
        Method(name="second_moment", scores=Judges.second_moment, reads=Reads.SAMPLES),
        Method(name="kernel_mean", scores=Judges.kernel_mean, reads=Reads.SAMPLES, by_words=True),
        Method(name="prompted_kernel_mean", scores=Judges.prompted_kernel_mean, reads=Reads.SAMPLES, by_words=True),
        Method(name="rkme_clip", scores=Judges.rkme_clip, reads=Reads.SAMPLES),
        Method(name="rkme_concat", scores=Judges.rkme_concat, reads=Reads.SAMPLES, by_words=True),
        Method(name="paired_difference", scores=Judges.paired_difference, reads=Reads.COLUMNS),
        Method(name="drawn_first_moment", scores=Judges.drawn_first_moment, reads=Reads.COLUMNS),
        Method(name="drawn_gaussian", scores=Judges.drawn_gaussian, reads=Reads.DRAWINGS, coarse=True),
        Method(name="style", scores=Judges.style, reads=Reads.STYLES, coarse=True),
        Method(name="spatial", scores=Judges.spatial, reads=Reads.LAYOUTS, wants=Wants.MAPS),
        Method(name="weights", scores=Judges.weights, reads=Reads.COLUMNS, wants=Wants.SKETCHES),
        Method(
            name="learned_first_moment", scores=Judges.learned_first_moment, reads=Reads.COLUMNS, wants=Wants.LEARNING
        ),
        Method(
            name="learned_gaussian",
            scores=Judges.learned_gaussian,
            reads=Reads.SAMPLES,
            wants=Wants.LEARNING,
            coarse=True,
        ),
    )
}
AUTO_METHOD = "auto"  # adds up those that suit a modality
ALL_METHODS = (AUTO_METHOD, *METHODS)


def refuse_unknown(method: str) -> None:
    """ValueError that names the methods there are."""
    if method not in ALL_METHODS:
        raise ValueError(f"{method!r} is no method; choose one of {', '.join(ALL_METHODS)}")
