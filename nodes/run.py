"""One order, carried out: a scan in a thread, then one model a prompt, at the end of ComfyUI's queue."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from ..modelsearch_core.catalog import Catalog
from ..modelsearch_core.embedding import Encoder
from ..modelsearch_core.errors import MissingWeightsError, ModelSearchError
from ..modelsearch_core.indexing import (
    Engine,
    IndexSettings,
    Report,
    Step,
    begin_rounds,
    end_rounds,
    index,
    one_by_one,
    update_files,
)
from ..modelsearch_core.model_files import ModelFile
from ..modelsearch_core.panel import Order, State, looked_at
from ..modelsearch_core.search.preparing import prepare
from . import places, remembering
from .announcing import Announcer
from .pacing import Pace
from .settings import Settings

NODE = "ModelSearchIndexOne"
TAKEN_OUT = "Indexing was taken out of the queue; it goes on when you resume it."
MOMENT = 0.2  # seconds between two looks whether the user's prompts are through


class RunEnded(Exception):  # noqa: N818  no error
    """The run ends here."""


class Calm:
    """Since when the user's prompts are through."""

    def __init__(self) -> None:
        self._busy_at = 0.0

    def since(self) -> float:
        """Of `time.monotonic`; now while there are prompts."""
        from .queue import others

        if others():
            self._busy_at = time.monotonic()
        return self._busy_at


class Run:
    """Lives in the indexer's thread; `want` may be called from any other."""

    def __init__(
        self,
        order: Order,
        chosen: Settings,
        announcer: Announcer,
        calm: Calm,
        open_encoder: Callable[..., Encoder],
        *,
        retries: bool,
    ) -> None:
        self.order, self.wanted = order, State.RUNNING
        self.outcome = ""  # of the prompt in the queue, in the words of the worker
        self.prompts_only: dict[str, str] = {}  # LoRA that cannot be asked with drawings, and why
        self._chosen, self._retries = chosen, retries
        self._announcer, self._calm, self._open_encoder = announcer, calm, open_encoder
        self._condition = threading.Condition()
        self._pace = Pace()
        self._prompt = ""

    def want(self, state: State) -> None:
        with self._condition:
            if self.wanted is State.CANCELLED:
                return
            self.wanted = state
            prompt = self._prompt
            self._condition.notify_all()
        if prompt and state is not State.RUNNING:
            from .queue import drop

            drop(prompt)
        self._announcer.tell(State.CANCELLING if state is State.CANCELLED else state)

    def carry_out(self) -> None:
        """RunEnded where it was cancelled."""
        self._scan()
        if self.order.quick:
            return
        self._generate()
        if self.order.style:
            self._paint()
        with Catalog(places.catalog_path()) as catalog:
            prepare(catalog)

    def _scan(self) -> None:
        """Files, words, previews: on the processor, in this thread. No weights are downloaded unasked: without an
        encoder, a quick order ends with the files."""
        from .engine import source_of

        folders = list(self.order.paths) or list(places.model_folders())
        if not folders:
            raise ModelSearchError("ComfyUI has no folder with models yet")
        with Catalog(places.catalog_path()) as catalog:
            update_files(catalog, folders, IndexSettings(), Report(), self._step)
            source = source_of(catalog)
            may_download = self.order.download or not self.order.quick
            try:
                self._encoder = self._open_encoder(source, may_download=may_download)
            except MissingWeightsError:
                if may_download:
                    raise
                return  # names, tags and previews are known without it
            engine = Engine(encoder=self._encoder, encoder_source=source, generator_for=_no_generator, draw=_as_it_is)
            pictures = looked_at(self.order, places.picture_folders)
            index(
                catalog,
                folders,
                engine,
                IndexSettings(quick=True, pictures=pictures, sketches=not self.order.quick),
                self._step,
            )

    def _generate(self) -> None:
        from .engine import models_to_do

        self._hold()
        with Catalog(places.catalog_path()) as catalog:
            models = models_to_do(catalog, self._encoder, self._chosen, self._wanted, retry=self._retries)
            first, *others = begin_rounds(catalog, self._wanted, sum(map(self._is_meant, models)))
        self._each("generate", models, first.samples)
        for part in others:
            with Catalog(places.catalog_path()) as catalog:
                models = models_to_do(catalog, self._encoder, self._chosen, part, retry=False)
            self._each("generate", models, part.samples)
        with Catalog(places.catalog_path()) as catalog:
            end_rounds(catalog, self._encoder, self._wanted)

    def _paint(self) -> None:
        """Drawings, where they are not painted yet."""
        from .engine import models_to_paint

        self._hold()
        with Catalog(places.catalog_path()) as catalog:
            models, prompts_only = models_to_paint(
                catalog, self._encoder, self._chosen, self._wanted, retry=self._retries
            )
        self.prompts_only = {model.title: why for model, why in prompts_only.items() if self._is_meant(model)}
        self._each("references", models, self._samples)

    @property
    def _samples(self) -> int | None:
        return self.order.samples or self._chosen.samples or None

    @property
    def _wanted(self) -> IndexSettings:
        return IndexSettings(samples=self._samples, refresh=self.order.refresh)

    def _is_meant(self, model: ModelFile) -> bool:
        paths = self.order.paths
        return not paths or any(path == model.path or path in model.path.parents for path in paths)

    def _each(self, stage: str, found: Sequence[ModelFile], samples: int | None) -> None:
        models = [model for model in found if self._is_meant(model)]
        failures = self._announcer.progress.failures
        with Catalog(places.catalog_path(), read_only=True) as catalog:
            for done, model in enumerate(one_by_one(catalog, models)):
                self._announcer.report(stage=stage, done=done, total=len(models), model=model.title, failures=failures)
                remembering.mark(model.fingerprint)
                failures += self._one(model, samples, style=stage == "references")
        remembering.mark("")
        self._announcer.report(stage=stage, done=len(models), total=len(models), failures=failures)

    def _one(self, model: ModelFile, samples: int | None, *, style: bool) -> int:
        """One model to its end, in as many prompts as it is interrupted; 1 if it failed."""
        inputs = {"model": model.fingerprint, "samples": samples or 0, "refresh": self.order.refresh}
        while True:
            self._hold()
            outcome = self._prompted({**inputs, "style": style})
            if outcome in ("done", "failed"):
                return int(outcome == "failed")
            if outcome in ("cancelled", "gone") and self.wanted is State.RUNNING:
                self._announcer.report(message=TAKEN_OUT)
                self.want(State.PAUSED)
            elif outcome not in ("cancelled", "gone", "yielded"):
                raise ModelSearchError(outcome)

    def _prompted(self, inputs: dict[str, Any]) -> str:
        """What became of one prompt, in the worker's words, or `gone` if it did not run."""
        from . import queue

        self.outcome = "gone"
        self._prompt = queue.put({"1": {"class_type": NODE, "inputs": inputs}})
        queue.wait_for(self._prompt)
        self._prompt = ""
        return self.outcome

    def _hold(self) -> None:
        """Waits while paused, and while the user's own prompts run; then until the queue was quiet for a while."""
        from .engine import release

        while True:
            if self.wanted is State.CANCELLED:
                raise RunEnded
            quiet = time.monotonic() - self._calm.since()
            if self.wanted is State.RUNNING and quiet >= self._chosen.quiet:
                self._announcer.tell(State.RUNNING)
                return
            self._rest()
            release()

    def _step(self, step: Step) -> None:
        """Of the scan: makes way for the user's prompts."""
        from .queue import others

        self._announcer.report(stage=step.stage, done=step.done, total=step.total, model=step.model)
        self._pace.rest()
        while self.wanted is not State.CANCELLED and (self.wanted is State.PAUSED or others()):
            self._rest()
        if self.wanted is State.CANCELLED:
            raise RunEnded
        self._announcer.tell(State.RUNNING)

    def _rest(self) -> None:
        self._announcer.tell(State.PAUSED if self.wanted is State.PAUSED else State.WAITING)
        with self._condition:
            self._condition.wait(MOMENT)


def _no_generator(_: Sequence[ModelFile]) -> Any:
    raise ValueError("a quick look generates nothing")


def _as_it_is(image: Any) -> Any:
    return image
