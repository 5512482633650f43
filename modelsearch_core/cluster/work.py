"""What workers are asked of each model: pictures of the probes, or of the reference set's drawings."""

from __future__ import annotations

from typing import Protocol

from ..catalog import Catalog
from ..indexing import Report
from ..indexing.indexing import generated_samples
from ..indexing.references import ReferenceSampler
from ..indexing.sampling import Sampler
from ..model_files import ModelFile
from ..probes import ProbeSet
from ..scores.differences import NO_EFFECT
from .orders import Outcome


class Work(Protocol):
    """Of one run. What it says in the report is what the same work on one machine says."""

    @property
    def stage(self) -> str: ...

    @property
    def catalog(self) -> Catalog: ...

    @property
    def report(self) -> Report: ...

    def is_current(self, model: ModelFile) -> bool:
        """Whether there is nothing to do, as far as was known when the run began."""
        ...

    def is_done(self, model: ModelFile) -> bool:
        """Whether somebody has done it meanwhile; of a model that is claimed."""
        ...

    def claim_on(self, model: ModelFile) -> str: ...

    def base_of(self, model: ModelFile) -> ModelFile | None: ...

    def plan(self, model: ModelFile) -> ProbeSet: ...

    def unchanged(self, model: ModelFile) -> None: ...

    def elsewhere(self, model: ModelFile) -> None: ...

    def done(self, model: ModelFile, outcome: Outcome) -> None:
        """What came back is stored."""
        ...

    def failed(self, model: ModelFile, reason: str) -> None: ...


class Samples:
    """Pictures of the probes, with `sampler`, which plans here what workers do."""

    stage = "generate"

    def __init__(self, sampler: Sampler, report: Report) -> None:
        self.catalog, self.report = sampler.catalog, report
        self._sampler = sampler
        self._have = generated_samples(sampler.catalog, sampler.encoder)

    def is_current(self, model: ModelFile) -> bool:
        return self._sampler.is_current(model, self._have.get(model.fingerprint, {}))

    def is_done(self, model: ModelFile) -> bool:
        return self._sampler.is_current(model, self.catalog.generated(model.fingerprint, self._sampler.encoder.name))

    def claim_on(self, model: ModelFile) -> str:
        return model.fingerprint

    def base_of(self, model: ModelFile) -> ModelFile | None:
        return self._sampler.generator.base_of(model)

    def plan(self, model: ModelFile) -> ProbeSet:
        return self._sampler.generator.plan(model, self._sampler.probes)

    def unchanged(self, model: ModelFile) -> None:
        self.report.unchanged += 1

    def elsewhere(self, model: ModelFile) -> None:
        self.report.elsewhere.append(model.path)

    def done(self, model: ModelFile, outcome: Outcome) -> None:
        self.report.generated.append(model.path)
        if outcome.strength is not None and outcome.strength <= NO_EFFECT:
            self.report.without_effect.append(model.path)

    def failed(self, model: ModelFile, reason: str) -> None:
        self.catalog.put_failure(model.fingerprint, reason)
        self.report.failed[model.path] = reason


class Renderings:
    """What LoRA make of drawings, with `sampler`, which plans here what workers do."""

    stage = "references"

    def __init__(self, sampler: ReferenceSampler, report: Report) -> None:
        self.catalog, self.report = sampler.catalog, report
        self._sampler = sampler

    def is_current(self, model: ModelFile) -> bool:
        return self._sampler.is_current(model)

    is_done = is_current

    def claim_on(self, model: ModelFile) -> str:
        return self._sampler.claim_on(model)

    def base_of(self, model: ModelFile) -> ModelFile | None:
        return self._sampler.generator.base_of(model)

    def plan(self, model: ModelFile) -> ProbeSet:
        return self._sampler.generator.plan(model, self._sampler.references.probes)

    def unchanged(self, model: ModelFile) -> None:
        """Is not told."""

    def elsewhere(self, model: ModelFile) -> None:
        """Is not told."""

    def done(self, model: ModelFile, outcome: Outcome) -> None:
        self._sampler.put_inputs()
        self.report.rendered.append(model.path)

    def failed(self, model: ModelFile, reason: str) -> None:
        self.report.failed.setdefault(model.path, reason)
