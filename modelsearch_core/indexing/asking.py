"""Sampling one model after another, each as it is when its turn comes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from ..errors import CatalogFaultError, ModelSearchError
from ..model_files import ModelFile
from ..scores.differences import NO_EFFECT
from .progress import Report, reason_of
from .references import ReferenceSampler
from .sampling import Sampler
from .settings import IndexSettings
from .turns import Turns, WeightsChangedError

MOST_TRIES = 3  # of a file that is written over and over
Have = Mapping[str, dict[str, int]]  # samples by fingerprint, then by probe-set digest

log = logging.getLogger(__name__)


class Asking:
    """Has models sampled; `make` gives the sampler, and another one where a base turns out to be another by now."""

    def __init__(self, turns: Turns, make: Callable[[], Sampler]) -> None:
        self._turns = turns
        self._make = make
        self.sampler = make()

    @property
    def settings(self) -> IndexSettings:
        """How much is asked of each model."""
        return self.sampler.settings

    @settings.setter
    def settings(self, settings: IndexSettings) -> None:
        self.sampler = replace(self.sampler, settings=settings)

    def sample(self, model: ModelFile, have: Have, report: Report) -> tuple[ModelFile, str | None]:
        """The model as it was when it was asked, and why that failed, or None. Here unexpected errors are kept from
        stopping the others."""
        failure = None
        for _ in range(MOST_TRIES):
            try:
                model = self._turns.look(model)
                if self._is_current(model, have):
                    report.unchanged += 1
                    return model, None
                model = self._turns.begin(model)
                self._sample_claimed(model, report)
                return model, None
            except CatalogFaultError:  # concerns all models
                raise
            except WeightsChangedError as error:
                failure = str(error)
            except ModelSearchError as error:
                return model, str(error)
            except Exception as error:  # a broken file can raise anything from inside torch or diffusers
                log.exception("%s could not be sampled", model.path)
                return model, reason_of(error)
        return model, failure

    def _sample_claimed(self, model: ModelFile, report: Report) -> None:
        """Leaves it to the other indexer that is at it. It may have turned out to be another one, or be done by now."""
        catalog = self.sampler.catalog
        with catalog.claims.taken(model.fingerprint) as is_ours:
            if not is_ours:
                report.elsewhere.append(model.path)
            elif self.sampler.is_current(model, catalog.generated(model.fingerprint, self.sampler.encoder.name)):
                report.unchanged += 1
            else:
                self._begin_base(model)
                made = self.sampler.sample(model)
                report.generated.append(model.path)
                if made.strength is not None and made.strength <= NO_EFFECT:
                    report.without_effect.append(model.path)

    def _is_current(self, model: ModelFile, have: Have) -> bool:
        return self.sampler.is_current(model, have.get(model.fingerprint, {}))

    def _begin_base(self, model: ModelFile) -> None:
        base = self.sampler.generator.base_of(model)
        if base is None or (now := self._turns.begin(base)).fingerprint == base.fingerprint:
            return
        self.sampler = replace(self._make(), settings=self.settings)
        found = self.sampler.generator.base_of(model)
        if found is None or found.fingerprint != now.fingerprint:
            raise ModelSearchError(
                f"the weights of the base {base.path} are not those that were indexed; index its folder first"
            )


def paint(sampler: ReferenceSampler, turns: Turns, model: ModelFile) -> bool:
    """Has one model fill out the drawings, as it is now; whether there was anything to do."""
    model = turns.look(model)
    if sampler.is_current(model):
        return False
    model, base = turns.begin(model), sampler.generator.base_of(model)
    if base is not None:
        turns.begin(base)
    return sampler.sample(model)
