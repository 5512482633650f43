"""All models that a generator knows, indexed once: planning a run takes as long among ten models as among thousands."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ModelSearchError
from ..model_files import ModelFile
from .accelerators import Accelerators
from .bases import Bases


class KnownModels:
    """Bases and few-step LoRA among `models`, and each by its fingerprint. LoRA are put on `carriers`, which are the
    `models` unless given; `chosen` is the base that the user wants."""

    def __init__(
        self,
        models: Sequence[ModelFile],
        *,
        carriers: Sequence[ModelFile] | None = None,
        chosen: ModelFile | None = None,
    ) -> None:
        self.models = [*models, *([chosen] if chosen else [])]
        self.bases = Bases(self.models if carriers is None else carriers, chosen)
        self.accelerators = Accelerators(self.models)
        self._by_fingerprint = {model.fingerprint: model for model in reversed(self.models)}

    def __getitem__(self, fingerprint: str) -> ModelFile:
        """Raises ModelSearchError for one that is not there."""
        if fingerprint not in self._by_fingerprint:
            raise ModelSearchError(
                f"the base or few-step LoRA {fingerprint[:8]} that the probes ask for is not among the "
                f"{len(self.models)} models at hand; index its folder too"
            )
        return self._by_fingerprint[fingerprint]
