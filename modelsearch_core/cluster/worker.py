"""A worker: samples one model after another with the same code as on one machine, into a catalog of its own that it
sends back. Its base stays loaded from one model to the next."""

from __future__ import annotations

import logging
import socket
import tempfile
from pathlib import Path
from typing import Any

from ..catalog import Catalog
from ..drawing import best_drawer
from ..embedding import Encoder
from ..encoders import open_encoder
from ..errors import ModelSearchError
from ..generators.diffusers import DiffusersGenerator
from ..indexing.progress import reason_of
from ..indexing.references import ReferenceSampler
from ..indexing.sampling import Sampler
from .orders import Order, Outcome, Task

log = logging.getLogger(__name__)


class Worker:
    """Used by one driver at a time."""

    def __init__(self) -> None:
        self._order: Order | None = None
        self._encoder: Encoder | None = None
        self._generator: DiffusersGenerator | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="modelsearch-worker-")
        self._catalog = Catalog(Path(self._folder.name) / "catalog.sqlite")

    def begin(self, order: Order) -> str | None:
        """Why this worker cannot take part, or None. What is loaded stays so where it serves the new order, too."""
        if order == self._order:
            return None
        try:
            if self._encoder is None or self._order is None or self._order.encoder_source != order.encoder_source:
                self._encoder = open_encoder(order.encoder_source, device=order.generation.device)
            if self._encoder.name != order.encoder:
                return f"{socket.gethostname()} has another encoder, {self._encoder.name}, than {order.encoder}"
            self._catalog.put_encoder(order.encoder, order.encoder_source, order.dimension)
            generator = DiffusersGenerator(order.candidates, order.generation, order.references)
            if self._generator is not None:
                generator.take_over(self._generator)
            self._generator, self._order = generator, order
        except (ModelSearchError, OSError) as error:
            return f"{socket.gethostname()}: {error}"
        return None

    def sample(self, task: Task) -> Outcome:
        """Never raises for what concerns this model alone."""
        made: list[int] = []
        models = [model.fingerprint for model in (task.model, task.base) if model]
        try:
            self._catalog.take_in(task.known)
            strength = self._asked(task, made)
            parcel = self._catalog.parcel(models, texts_of=self._encoder.name if self._encoder else None)
            return Outcome(parcel=parcel, images=sum(made), strength=strength)
        except ModelSearchError as error:
            return self._failed(task, made, str(error))
        except Exception as error:  # a broken file can raise anything from inside torch or diffusers
            log.exception("%s could not be sampled", task.model.path)
            return self._failed(task, made, reason_of(error))
        finally:
            for fingerprint in models:
                self._catalog.forget(fingerprint)

    def close(self) -> None:
        """Leaves nothing on this machine's disk."""
        self._catalog.close()
        self._folder.cleanup()

    def _failed(self, task: Task, made: list[int], reason: str) -> Outcome:
        """With what its base has made for it, which is of use to others."""
        parcel = self._catalog.parcel([task.base.fingerprint]) if task.base else {}
        return Outcome(parcel=parcel, images=sum(made), error=reason)

    def _asked(self, task: Task, made: list[int]) -> float | None:
        """The strength of what a LoRA does, where it is asked by prompts."""
        assert self._order and self._encoder and self._generator, "begin comes first"
        probe_set = self._generator.plan(task.model, self._order.probes)
        if probe_set.digest != task.digest:
            raise ModelSearchError(
                f"{socket.gethostname()} would ask {task.model.name} something else than was planned (device "
                f"precision {probe_set.precision}, base {(probe_set.base or 'none')[:8]}); see that all machines have "
                "the same models, decoders and kind of device"
            )
        what: dict[str, Any] = {
            "catalog": self._catalog,
            "encoder": self._encoder,
            "generator": self._generator,
            "on_images": made.append,
        }
        if (references := self._order.references) is not None:
            ReferenceSampler(**what, references=references, refresh=self._order.settings.refresh).sample(task.model)
            return None
        sampler = Sampler(**what, draw=best_drawer(), probes=self._order.probes, settings=self._order.settings)
        return sampler.sample(task.model).strength
