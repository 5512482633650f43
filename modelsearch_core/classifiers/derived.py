"""What answers about outputs are measured by, derived once of the outputs and of how an encoder sees the probes."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..background import background_texts
from ..catalog import Catalog
from ..embedding import Encoder, Features
from ..scores.calibration import NullDistribution, location_and_scale, null_distribution
from ..scores.logits import hubness, truncated_distance
from .concepts import BACKGROUND_CONCEPTS, background_features, described, text_features
from .indexing import background_z
from .labels import UNTRIED, agreement
from .outputs import Outputs
from .probe_pictures import probe_features, standardised_cosines

SAMPLE = 4000  # outputs that background concepts are compared with, to know what an ordinary distance is

Array = NDArray[np.floating]


class Derived:
    """Each thing when it is first asked for."""

    def __init__(self, catalog: Catalog, outputs: Outputs, encoder: Encoder) -> None:
        self._catalog, self.outputs, self.encoder = catalog, outputs, encoder

    @cached_property
    def agreements(self) -> NDArray[np.float64]:
        """(models,) how far each file's labels are borne out; NaN without labels, `UNTRIED` of one never asked."""
        found = np.full(len(self.outputs.models), np.nan)
        for m, model in enumerate(self.outputs.models):
            rows = np.array([row for row in model.rows if self.outputs.label_of[row] >= 0], int)
            if len(rows):
                found[m] = self._agreement(rows) if model.asked else UNTRIED
        return found

    def _agreement(self, rows: NDArray[np.int_]) -> float:
        z_labels = standardised_cosines(self.features, self.label_features[self.outputs.label_of[rows]])
        return max(0.0, agreement(self.outputs.top(rows), z_labels, self.z_background))

    @cached_property
    def trust(self) -> NDArray[np.float32]:
        """(L,) how far the label of an output counts: as its file's are borne out, 0 without labels."""
        return np.nan_to_num(self.agreements).astype(np.float32)[self.outputs.owner]

    @cached_property
    def features(self) -> Features:
        return probe_features(self._catalog, self.outputs.probes, self.encoder)

    @cached_property
    def z_background(self) -> Features:
        return background_z(self._catalog, self.outputs.probes, self.encoder, keep=False)

    @property
    def background_names(self) -> list[str]:
        return background_texts(BACKGROUND_CONCEPTS)

    @cached_property
    def _known_hubs(self) -> dict[str, tuple[Array, Array]]:
        known = self._catalog.classifiers.hubs(self.outputs.probes.digest, self.encoder.name)
        return {fingerprint: (hubs.hubs, hubs.best) for fingerprint, hubs in known.items()}

    @cached_property
    def hubs(self) -> Array:
        """(L,); computed here for a model whose indexing was interrupted."""
        hubs = np.zeros(len(self.outputs), np.float32)
        for model in self.outputs.models:
            if model.asked:
                rows = np.arange(model.rows.start, model.rows.stop)
                known = self._known_hubs.get(model.file.fingerprint)
                hubs[rows] = (
                    known[0] if known else hubness(truncated_distance(self.outputs.top(rows), self.z_background))
                )
        return hubs

    @cached_property
    def heard_hubs(self) -> Array:
        """(L,) `hubs`, −inf where there are no responses that tell probes apart."""
        return np.where(self.outputs.has_responses, self.hubs, -np.inf).astype(np.float32)

    @cached_property
    def ordinary(self) -> tuple[float, float]:
        """Location and scale of calibrated nearness to background concepts, from a sample of outputs."""
        rows = np.flatnonzero(self.outputs.has_responses)
        rows = rows[np.sort(np.random.default_rng(0).permutation(len(rows))[:SAMPLE])]
        if not len(rows):
            return 0.0, 1.0
        near = self.hubs[rows] - truncated_distance(self.outputs.top(rows), self.z_background[::5])
        return location_and_scale(near)

    @cached_property
    def best(self) -> NullDistribution:
        """How good the best output of a background concept is."""
        best = [known[1] for known in self._known_hubs.values()]
        location, scale = self.ordinary
        if not best:
            return NullDistribution(0.0, 1.0)
        nearest = np.min(best, axis=0)
        return null_distribution(((-nearest - location) / scale)[:, None])

    @cached_property
    def label_features(self) -> Features:
        if not self.outputs.labels:
            return np.zeros((0, self.encoder.dimension), np.float32)
        return text_features(self._catalog, self.encoder, [described(t) for t in self.outputs.labels], keep=False)

    @cached_property
    def ordinary_words(self) -> tuple[float, float]:
        background = background_features(self._catalog, self.encoder, keep=False)
        sample = np.random.default_rng(0).permutation(len(self.outputs.labels))[:SAMPLE]
        fit = self.label_features[sample] @ background.T
        return location_and_scale(fit)
