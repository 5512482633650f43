"""Sketches of what LoRA change, read from their weights once."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ..catalog import Catalog
from ..catalog.weight_sketches import VERSION, Sketch
from ..errors import CatalogFaultError, ModelSearchError
from ..model_files import Kind, ModelFile
from .progress import Progress, Step

log = logging.getLogger(__name__)


def store_sketches(catalog: Catalog, models: Sequence[ModelFile], progress: Progress) -> None:
    """Of LoRA that have none yet. One that cannot be sketched is left out of what weights tell, and of nothing else."""
    known = catalog.sketches.known(VERSION)
    wanted = [model for model in models if model.kind is Kind.LORA and model.fingerprint not in known]
    for done, model in enumerate(wanted, 1):
        progress(Step(stage="sketches", done=done - 1, total=len(wanted), model=model.name))
        _store(catalog, model)
        progress(Step(stage="sketches", done=done, total=len(wanted), model=model.name))


def _store(catalog: Catalog, model: ModelFile) -> None:
    from ..generators.sketches import sketch_of  # brings torch along

    sketch = None
    try:
        sketch = Sketch(*sketch_of(model))
    except CatalogFaultError:  # concerns all models
        raise
    except OSError as error:  # it may be there the next time
        log.info("%s: %s", model.path, error)
        return
    except ModelSearchError as error:
        log.info("%s says nothing by its weights: %s", model.path, error)
    except Exception as error:  # a broken file can raise anything from inside torch
        log.warning("%s says nothing by its weights (%s: %s)", model.path, type(error).__name__, error)
    catalog.sketches.put(model.fingerprint, VERSION, sketch)
