"""How likely an answer is the very model that is meant, by what held-out queries of its modality taught."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..ranking import rank
from ..scores import calibration, confidence
from ..scores.calibration import NullDistribution
from ..scores.confidence import Confidence
from ..specification import Modality, Requirement

# Learned from questions about every second model of the procedural zoo, and from a quarter as many that no model here
# is about (`python -m benchmarks.honesty.fitting`); the others' figures are in docs/results_trust.md.
LEARNED = {
    Modality.TEXT: Confidence(-1.58, 0.23, 0.43),
    Modality.IMAGE: Confidence(-1.14, 0.25, 0.40),
    Modality.SKETCH: Confidence(-2.91, 0.32, 1.66),
}
FIRST = (Modality.IMAGE, Modality.TEXT, Modality.SKETCH)  # whose experience counts where inputs are mixed


def confidence_of(
    requirements: Sequence[Requirement], z: NDArray[np.floating], order: NDArray[np.intp], null: NullDistribution
) -> NDArray[np.floating]:
    """Of the models at these places among all that were judged, z (C,): each against the best of the others, and none
    surer than it is relevant."""
    known = z[~np.isnan(z)]
    best = known[rank(known, 2)]
    if not len(best):
        return np.zeros(len(order))
    second = best[1] if len(best) > 1 else np.nan
    rival = np.where(z[order] >= best[0], second, best[0])
    sure = confidence.probability(_of(requirements), confidence.features(z[order], rival, null))
    return np.minimum(sure, calibration.relevance(z[order], null))


def _of(requirements: Sequence[Requirement]) -> Confidence:
    modalities = {requirement.modality for requirement in requirements if requirement.weight > 0}
    return next((LEARNED[modality] for modality in FIRST if modality in modalities), LEARNED[Modality.IMAGE])
