"""Sketches of what LoRA change, read from their weights once; of DoRA, whose base's weights count, once a base."""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from ..catalog import Catalog
from ..catalog.weight_sketches import VERSION, Sketch
from ..errors import CatalogFaultError, ModelSearchError
from ..generators.bases import Bases
from ..model_files import Kind, ModelFile
from .progress import Progress, Step

if TYPE_CHECKING:
    from ..generators.base_weights import BaseWeights

log = logging.getLogger(__name__)


DORA = "dora"  # a LoRA's `network`
NONE = ""


def store_sketches(catalog: Catalog, models: Sequence[ModelFile], progress: Progress) -> None:
    """Of LoRA that have none yet, and of DoRA for which the catalog has another base now. One that cannot be sketched
    is left out of what weights tell, and of nothing else."""
    known = catalog.sketches.known(VERSION)
    loras = [model for model in models if model.kind is Kind.LORA]
    bases = _bases(catalog, [model for model in loras if model.network == DORA])
    wanted = [model for model in loras if model.fingerprint not in known or _has_another(model, bases, known)]
    for done, model in enumerate(wanted, 1):
        progress(Step(stage="sketches", done=done - 1, total=len(wanted), model=model.name))
        _store(catalog, model, bases.get(model.fingerprint))
        progress(Step(stage="sketches", done=done, total=len(wanted), model=model.name))


def _bases(catalog: Catalog, doras: Sequence[ModelFile]) -> dict[str, ModelFile | None]:
    """The base of each DoRA, by its fingerprint; None where there is none."""
    if not doras:
        return {}
    bases, found = Bases(catalog.models()), dict[str, ModelFile | None]()
    for model in doras:
        try:
            found[model.fingerprint] = bases.of(model)
        except ModelSearchError:
            found[model.fingerprint] = None
    return found


def _has_another(model: ModelFile, bases: Mapping[str, ModelFile | None], known: Mapping[str, str | None]) -> bool:
    if model.fingerprint not in bases:
        return False
    base = bases[model.fingerprint]
    return known[model.fingerprint] != (base.fingerprint if base else NONE)


def _store(catalog: Catalog, model: ModelFile, base: ModelFile | None) -> None:
    sketch = None
    try:
        sketch = _sketch(model, base)
    except CatalogFaultError:  # concerns all models
        raise
    except OSError as error:  # it may be there the next time
        log.info("%s: %s", model.path, error)
        return
    except ModelSearchError as error:
        log.info("%s says nothing by its weights: %s", model.path, error)
    except Exception as error:  # a broken file can raise anything from inside torch
        log.warning("%s says nothing by its weights (%s: %s)", model.path, type(error).__name__, error)
    if sketch is None and model.network == DORA:
        sketch = Sketch((), np.zeros((0, 1), np.float32), base.fingerprint if base else NONE)
    catalog.sketches.put(model.fingerprint, VERSION, sketch)


def _sketch(model: ModelFile, base: ModelFile | None) -> Sketch:
    from ..generators.sketches import sketch_of  # brings torch along

    if model.network != DORA:
        names, s, _ = sketch_of(model)
        return Sketch(names, s)
    with _opened(base) as (weights, fingerprint):
        names, s, without = sketch_of(model, weights)
    if without:
        log.info("%s is compared without the magnitude of %d of its %d layers", model.path, without, len(names))
    return Sketch(names, s, fingerprint, without)


@contextmanager
def _opened(base: ModelFile | None) -> Generator[tuple[BaseWeights | None, str]]:
    """What can be mapped of the base, and whose it is; of one that cannot be read now, nothing and nobody's, so that
    it is tried again."""
    from ..generators.base_weights import BaseWeights  # brings torch along

    weights = None
    if base is not None:
        try:
            weights = BaseWeights(base.path)
        except Exception as error:  # a broken header can raise anything
            log.info("%s: %s", base.path, error)
    if weights is None or base is None:
        yield None, NONE
        return
    with weights:
        yield weights, base.fingerprint
