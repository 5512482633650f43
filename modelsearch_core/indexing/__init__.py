"""From a folder of models to a filled catalog."""

from .cheap_evidence import store_previews, store_words
from .indexing import (
    Engine,
    GeneratorFor,
    begin_rounds,
    end_rounds,
    generate_all,
    index,
    outstanding,
    paint_references,
    store_background,
    unpainted,
    update_files,
)
from .progress import Progress, Report, Step, silent
from .settings import IndexSettings
from .wanted import one_by_one

__all__ = [
    "Engine",
    "GeneratorFor",
    "IndexSettings",
    "Progress",
    "Report",
    "Step",
    "begin_rounds",
    "end_rounds",
    "generate_all",
    "index",
    "one_by_one",
    "outstanding",
    "paint_references",
    "silent",
    "store_background",
    "store_previews",
    "store_words",
    "unpainted",
    "update_files",
]
