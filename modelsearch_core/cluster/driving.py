"""The one program that writes: hands models to workers, stores what comes back, a model in one transaction.

A worker that is lost costs the model that it was at, which another one takes. A model that takes `MOST_DEATHS` workers
along is recorded as failed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from ..catalog import Catalog
from ..errors import CatalogFaultError, ModelSearchError, UnsupportedReferenceError
from ..generators import GeneratorSettings
from ..indexing import Engine, GeneratorFor, IndexSettings, Progress, Report, Step
from ..indexing.indexing import begin_rounds, distinct, end_rounds, generated_samples
from ..indexing.ordering import in_order
from ..indexing.progress import reason_of
from ..indexing.references import ReferenceSampler
from ..indexing.sampling import Sampler
from ..indexing.turns import Turns, WeightsChangedError
from ..model_files import Kind, ModelFile
from .orders import Order, Outcome, PathMap, Task
from .queue import Queue
from .work import Renderings, Samples, Work

POLL = 0.25  # seconds between two looks at who watches
RENEWAL = 60.0  # seconds between two signs of life
MOST_DEATHS = 3
PATIENCE = 120.0  # seconds without any worker; a node takes a while to come back


class Pool(Protocol):
    """Workers, wherever they are. They join and leave as they like."""

    @property
    def device(self) -> str:
        """What all of them generate on: cuda, mps, cpu."""
        ...

    def begin(self, order: Order) -> None:
        """From now on every worker that joins gets it first."""
        ...

    def free(self) -> Sequence[str]:
        """Names of those that have nothing to do."""
        ...

    def start(self, worker: str, task: Task) -> None: ...

    def ended(self, seconds: float) -> Sequence[tuple[str, Outcome | None]]:
        """Who has come back with what, waiting that long for the first; None from one that is gone."""
        ...

    def expects_workers(self) -> bool:
        """Whether somebody is on the way who has not been free yet."""
        ...

    def refused(self) -> Mapping[str, str]:
        """Who cannot take part and why, each told once."""
        ...


class OnCluster:
    """Takes the place of `generate_all`, and `paint` that of `paint_references`."""

    def __init__(self, pool: Pool, planner_for: GeneratorFor, generation: GeneratorSettings, path_map: PathMap) -> None:
        """`planner_for` plans here, for the pool's device, what workers generate with the settings `generation`."""
        self._pool, self._planner_for, self._generation, self._map = pool, planner_for, generation, path_map

    def __call__(
        self,
        catalog: Catalog,
        models: Sequence[ModelFile],
        engine: Engine,
        settings: IndexSettings,
        report: Report,
        progress: Progress,
    ) -> None:
        known = distinct([*models, *catalog.models()])
        planner = self._planner_for(known)
        left = in_order(catalog, engine.encoder, models, planner)
        new = len({model.fingerprint for model in models} - generated_samples(catalog, engine.encoder).keys())
        for part in begin_rounds(catalog, settings, new):
            report.unchanged = 0
            order = self._order(engine, part, known)
            sampler = Sampler(
                catalog=catalog,
                encoder=engine.encoder,
                generator=planner,
                draw=engine.draw,
                probes=order.probes,
                settings=part,
                on_images=lambda _: None,
            )
            self._pool.begin(order)
            _Run(self._pool, Samples(sampler, report), self._map, progress).all(left)
            left = [model for model in left if model.path not in report.failed]
        if len(models) > 1:
            end_rounds(catalog, engine.encoder, settings)
        report.settle()

    def paint(
        self,
        catalog: Catalog,
        models: Sequence[ModelFile],
        engine: Engine,
        settings: IndexSettings,
        report: Report,
        progress: Progress,
    ) -> None:
        """Has every LoRA fill out the drawings of the reference set, where it has not yet."""
        assert engine.references is not None
        known = distinct([*models, *catalog.models()])
        planner = self._planner_for(known)
        sampler = ReferenceSampler(
            catalog=catalog,
            encoder=engine.encoder,
            generator=planner,
            references=engine.references,
            refresh=settings.refresh,
            on_images=lambda _: None,
        )
        order = self._order(engine, settings, known)
        self._pool.begin(replace(order, probes=engine.references.probes, references=engine.references))
        loras = in_order(catalog, engine.encoder, [m for m in models if m.kind is Kind.LORA], planner)
        _Run(self._pool, Renderings(sampler, report), self._map, progress).all(loras)

    def _order(self, engine: Engine, settings: IndexSettings, known: Sequence[ModelFile]) -> Order:
        return Order(
            encoder_source=self._map.source(engine.encoder_source),
            encoder=engine.encoder.name,
            dimension=engine.encoder.dimension,
            probes=tuple(engine.probes(settings.probes)),
            settings=settings,
            generation=self._map.generation(self._generation),
            candidates=tuple(map(self._map.model, known)),
        )


class _Run:
    """The models of one run."""

    def __init__(self, pool: Pool, work: Work, path_map: PathMap, progress: Progress) -> None:
        self._pool, self._work, self._map, self._progress = pool, work, path_map, progress
        self._catalog, self._report = work.catalog, work.report
        self._files = [file for file in self._catalog.files() if isinstance(file, ModelFile)]
        self._turns = Turns(self._catalog, self._files, lambda: self._tell())
        self._running: dict[str, tuple[ModelFile, ModelFile]] = {}  # (as listed, as it is now) by worker
        self._deaths: Counter[str] = Counter()
        self._done = self._total = 0
        self._renewed = self._seen = time.monotonic()

    def all(self, models: Sequence[ModelFile]) -> None:
        self._total = len(models)
        self._queue = Queue(models, self._base_of)
        try:
            while len(self._queue) or self._running:
                self._hand_out()
                for worker, outcome in self._pool.ended(POLL):
                    self._take_back(worker, outcome)
                self._look_after()
        finally:
            for _, model in self._running.values():
                self._release(model)

    def _hand_out(self) -> None:
        for worker in self._pool.free():
            while (listed := self._queue.take(worker)) is not None:
                task = self._task_of(listed)
                if task is not None:
                    self._running[worker] = listed, task[0]
                    self._pool.start(worker, task[1])
                    break
                self._queue.done(listed)

    def _task_of(self, listed: ModelFile) -> tuple[ModelFile, Task] | None:
        """The model as it is now and what is asked of it; None where there is nothing to do, or it cannot be done."""
        model = listed
        try:
            model = self._turns.look(model)
            if self._work.is_current(model):
                return self._unchanged(model)
            model = self._turns.begin(model)
            if not self._catalog.claims.take(self._work.claim_on(model)):
                self._work.elsewhere(model)
                return self._ended(model)
            try:
                if self._work.is_done(model):
                    self._release(model)
                    return self._unchanged(model)
                return model, self._planned(model)
            except BaseException:
                self._release(model)
                raise
        except CatalogFaultError:  # concerns all models
            raise
        except UnsupportedReferenceError as error:  # its samples stand for its style
            self._report.prompts_only[model.path] = str(error)
            self._ended(model)
        except ModelSearchError as error:
            self._failed(model, str(error))
        except Exception as error:  # a broken file can raise anything
            self._failed(model, reason_of(error))
        return None

    def _planned(self, model: ModelFile) -> Task:
        digest, base = self._work.plan(model).digest, self._work.base_of(model)
        if base is not None and self._turns.begin(base).fingerprint != base.fingerprint:
            raise ModelSearchError(f"the base {base.path} was written over; index its folder again")
        known = self._catalog.parcel([each.fingerprint for each in (model, base) if each])
        return Task(model=self._map.model(model), base=base and self._map.model(base), digest=digest, known=known)

    def _take_back(self, worker: str, outcome: Outcome | None) -> None:
        if outcome is None:
            self._queue.leave(worker)
        if worker not in self._running:
            return
        listed, model = self._running.pop(worker)
        if outcome is None:
            self._lost(listed, model)
            return
        try:
            self._store(model, outcome)
        finally:
            self._release(model)
        self._queue.done(listed)

    def _store(self, model: ModelFile, outcome: Outcome) -> None:
        self._report.images += outcome.images
        error = outcome.error
        try:
            self._turns.check(model)
            if outcome.parcel:
                self._catalog.take_in(outcome.parcel)
        except WeightsChangedError as changed:
            error = str(changed)
        if error is not None:
            self._failed(model, error, outcome.images)
            return
        self._work.done(model, outcome)
        self._ended(model, outcome.images)

    def _lost(self, listed: ModelFile, model: ModelFile) -> None:
        self._release(model)
        self._deaths[listed.fingerprint] += 1
        if self._deaths[listed.fingerprint] < MOST_DEATHS:
            self._queue.give_back(listed)
            return
        self._failed(model, f"{MOST_DEATHS} workers ended while they were at it; often their memory was used up")
        self._queue.done(listed)

    def _look_after(self) -> None:
        """Who watches may stop the run here; who was refused is told; claims are renewed."""
        now = time.monotonic()
        for worker, reason in self._pool.refused().items():
            self._progress(self._step(model=worker, failure=reason))
        if self._running or self._pool.free() or self._pool.expects_workers():
            self._seen = now
        if now - self._seen > PATIENCE:
            raise ModelSearchError(
                f"no worker is left in the cluster since {PATIENCE:.0f} s; start one, and the same command goes on"
            )
        if now - self._renewed > RENEWAL:
            self._catalog.claims.renew()
            self._renewed = now
        self._tell()

    def _tell(self) -> None:
        self._progress(self._step(model=", ".join(model.name for _, model in self._running.values())))

    def _step(self, *, model: str, images: int = 0, failure: str | None = None) -> Step:
        done, total = self._done, self._total
        return Step(stage=self._work.stage, done=done, total=total, model=model, images=images, failure=failure)

    def _unchanged(self, model: ModelFile) -> None:
        self._work.unchanged(model)
        self._ended(model)

    def _failed(self, model: ModelFile, reason: str, images: int = 0) -> None:
        self._work.failed(model, reason)
        self._ended(model, images, reason)

    def _ended(self, model: ModelFile, images: int = 0, failure: str | None = None) -> None:
        self._done += 1
        self._progress(self._step(model=model.name, images=images, failure=failure))

    def _release(self, model: ModelFile) -> None:
        self._catalog.claims.release(self._work.claim_on(model))

    def _base_of(self, model: ModelFile) -> ModelFile | None:
        try:
            return self._work.base_of(model)
        except ModelSearchError:
            return None  # planning it will say why
