"""The scores of a gallery's models for queries of one modality, by the name of a method. Higher is better for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..embedding import Features, unit
from ..errors import ModelSearchError
from ..ranking import from_distance
from ..scores import content, differences, gaussian, kernel_mean
from ..scores.matching import Matrix, learned_first_moment, learned_gaussian
from ..specification import Modality, Requirement
from .banks import Bank
from .gallery import Gallery
from .matching import Matching

Scores = NDArray[np.floating]  # (T, M)
PROBE_TEMPERATURE = 0.05  # of the probes' weights when a picture is compared with what the base makes


@dataclass(frozen=True, kw_only=True)
class Asked:
    """T separate queries of one modality, with what some methods want besides."""

    modality: Modality
    h: Features  # (T, D)
    prompts: Features | None = None  # (T, D)
    differences: Features | None = None  # (T, D)
    styles: Features | None = None  # (T, d), style vectors
    layouts: Features | None = None  # (T, F), maps of pictures
    models: NDArray[np.intp] | None = None  # (T,), where models ask

    @classmethod
    def of(cls, requirement: Requirement) -> Asked:
        """One requirement's inputs as separate queries."""
        T = len(requirement.h)

        def spread(row: Features | None) -> Features | None:
            return None if row is None else np.repeat(row[None], T, axis=0)

        return cls(
            modality=requirement.modality,
            h=requirement.h,
            prompts=spread(requirement.prompt),
            differences=spread(requirement.difference),
            styles=requirement.styles,
            layouts=requirement.layouts,
            models=None if requirement.model is None else np.array([requirement.model]),
        )

    @classmethod
    def of_bank(cls, bank: Bank, modality: Modality) -> Asked:
        models = bank.owner if modality is Modality.MODEL else None
        return cls(
            modality=modality,
            h=bank.h,
            prompts=bank.prompts,
            differences=bank.differences,
            styles=bank.styles,
            layouts=bank.layouts,
            models=models,
        )


class Experts:
    """Every method that a gallery can answer by; what a method works out about the gallery is kept."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery

    def __call__(self, method: str, asked: Asked) -> Scores:
        """(T, M)"""
        return METHODS[method](self, asked)

    @property
    def _samples(self) -> tuple[Features, NDArray[np.intp]]:
        return self._gallery.samples.Z, self._gallery.samples.offsets

    def first_moment(self, asked: Asked) -> Scores:
        return content.first_moment(self._gallery.means, asked.h)

    def monte_carlo(self, asked: Asked) -> Scores:
        return content.monte_carlo(*self._samples, asked.h)

    def best_k(self, asked: Asked) -> Scores:
        return content.best_k(*self._samples, asked.h)

    def second_moment(self, asked: Asked) -> Scores:
        return content.second_moment(*self._samples, asked.h)

    @cached_property
    def _gaussians(self) -> gaussian.Gaussians:
        return gaussian.fit(*self._samples)

    def gaussian(self, asked: Asked) -> Scores:
        return gaussian.log_density(self._gaussians, asked.h)

    @cached_property
    def _drawn_means(self) -> Features:
        drawings = self._gallery.drawings
        return unit(content.means(drawings.Z, drawings.offsets))

    def drawn_first_moment(self, asked: Asked) -> Scores:
        """1st Moment over the features of the samples' line drawings: a sketch meets its like."""
        return content.first_moment(self._drawn_means, asked.h)

    @cached_property
    def _kernels(self) -> kernel_mean.Kernels:
        return kernel_mean.kernels(*self._samples)

    def kernel_mean(self, asked: Asked) -> Scores:
        return self._kernel_mean(asked.h, self._prompt_cosines(asked))

    def prompted_kernel_mean(self, asked: Asked) -> Scores:
        """Samples count by a softmax of how like their prompts are to the picture's: none counts against a model."""
        cosines = self._prompt_cosines(asked)
        return self._kernel_mean(asked.h, kernel_mean.sharpened_weights(cosines, self._gallery.samples.offsets))

    def _prompt_cosines(self, asked: Asked) -> kernel_mean.Weights:
        """(T, N)"""
        return kernel_mean.prompt_weights(self._gallery.prompts, asked.h if asked.prompts is None else asked.prompts)

    def _kernel_mean(self, h: Features, w: kernel_mean.Weights) -> Scores:
        Z, offsets = self._samples
        similarity = kernel_mean.self_similarity(self._kernels, offsets, w)
        return from_distance(kernel_mean.kernel_mean_distances(Z, offsets, w, h, similarity=similarity))

    @cached_property
    def _reduced(self) -> tuple[Features, Features]:
        return kernel_mean.reduce_to_one(*self._samples)

    def rkme_clip(self, asked: Asked) -> Scores:
        return from_distance(kernel_mean.rkme_distance(*self._reduced, asked.h))

    @cached_property
    def _reduced_side_by_side(self) -> tuple[Features, Features]:
        Z, offsets = self._samples
        return kernel_mean.reduce_to_one(kernel_mean.side_by_side(Z, self._gallery.prompts), offsets)

    def rkme_concat(self, asked: Asked) -> Scores:
        prompts = asked.h if asked.prompts is None else asked.prompts
        queries = kernel_mean.side_by_side(asked.h, prompts)
        return from_distance(kernel_mean.rkme_distance(*self._reduced_side_by_side, queries))

    @cached_property
    def _directions(self) -> NDArray[np.floating]:
        """(M, D): what a model adds to what its base, else the collection, makes of the same probes."""
        Z, offsets = self._samples
        return differences.direction(differences.differences(Z, self._gallery.references.Z), offsets)

    def paired_difference(self, asked: Asked) -> Scores:
        if asked.models is not None:
            return differences.difference_score(self._directions, self._directions[asked.models])
        if asked.differences is not None:
            return differences.difference_score(self._directions, asked.differences)
        return self._picture_difference(asked.h)

    def _picture_difference(self, h: Features) -> Scores:
        """Each model's base would have made another picture of the same content, so Δ_q differs by base."""
        scores = np.empty((len(h), len(self._gallery)))
        for reference in self._gallery.references.groups:
            cosine = h @ reference.prompts.T
            delta = differences.image_difference(h, reference.Z, cosine, PROBE_TEMPERATURE)
            scores[:, reference.models] = differences.difference_score(self._directions[reference.models], delta)
        return scores

    def learned_first_moment(self, asked: Asked) -> Scores:
        """1st Moment through the matrix that was learned for the modality; plain where none was better."""
        A, drawn = self._matrix(asked, "first_moment"), asked.modality is Modality.SKETCH
        means = self._drawn_means if drawn else self._gallery.means
        return content.first_moment(means, asked.h) if A is None else learned_first_moment(A, means, asked.h)

    def learned_gaussian(self, asked: Asked) -> Scores:
        """The density through the matrix that was learned for the modality; plain where none was better."""
        B = self._matrix(asked, "gaussian")
        gaussians = self._drawn_gaussians if asked.modality is Modality.SKETCH else self._gaussians
        return gaussian.log_density(gaussians, asked.h) if B is None else learned_gaussian(B, gaussians, asked.h)

    def drawn_gaussian(self, asked: Asked) -> Scores:
        """The density of the features of the samples' line drawings."""
        return gaussian.log_density(self._drawn_gaussians, asked.h)

    @cached_property
    def _drawn_gaussians(self) -> gaussian.Gaussians:
        drawings = self._gallery.drawings
        return gaussian.fit(drawings.Z, drawings.offsets)

    def _matrix(self, asked: Asked, score: str) -> Matrix | None:
        """Models ask as pictures do: by their means."""
        modality = Modality.IMAGE if asked.modality is Modality.MODEL else asked.modality
        return self._matching.matrix(modality, score)

    @property
    def _matching(self) -> Matching:
        if self._gallery.matching is None:
            raise ModelSearchError("nothing was learned of this collection yet; run `modelsearch train matching`")
        return self._gallery.matching

    def style(self, asked: Asked) -> Scores:
        """Mean style distance to the model's reference pictures; words and sketches are compared as ever, with them."""
        styles = self._gallery.styles
        if asked.models is not None:
            return from_distance(styles.model_distances(asked.models))
        if asked.modality is Modality.IMAGE:
            return from_distance(styles.distances(asked.h, asked.styles))
        return content.first_moment(styles.plain_means, asked.h)

    def spatial(self, asked: Asked) -> Scores:
        """1st Moment of maps of where things are."""
        layouts = self._gallery.mapped_layouts
        if asked.models is not None:
            return layouts.model_scores(asked.models)
        if asked.layouts is None:
            raise ModelSearchError(
                f"a {asked.modality.value} does not say where things are as a picture does; ask `spatial` by image or "
                "by a model of the index, or take another method"
            )
        return layouts.scores(asked.layouts)


METHODS: dict[str, Callable[[Experts, Asked], Scores]] = {
    "first_moment": Experts.first_moment,
    "monte_carlo": Experts.monte_carlo,
    "best_k": Experts.best_k,
    "gaussian": Experts.gaussian,
    "second_moment": Experts.second_moment,
    "kernel_mean": Experts.kernel_mean,
    "prompted_kernel_mean": Experts.prompted_kernel_mean,
    "rkme_clip": Experts.rkme_clip,
    "rkme_concat": Experts.rkme_concat,
    "paired_difference": Experts.paired_difference,
    "drawn_first_moment": Experts.drawn_first_moment,
    "drawn_gaussian": Experts.drawn_gaussian,
    "style": Experts.style,
    "spatial": Experts.spatial,
    "learned_first_moment": Experts.learned_first_moment,
    "learned_gaussian": Experts.learned_gaussian,
}
MAPPED = {"spatial"}  # which answers once `modelsearch index --spatial` has run
LEARNED = {"learned_first_moment", "learned_gaussian"}  # which answer once `modelsearch train matching` has run
