"""From a folder of models to a filled catalog."""

from .indexing import Engine, GeneratorFor, index
from .progress import Progress, Report, Step, silent
from .settings import IndexSettings

__all__ = ["Engine", "GeneratorFor", "IndexSettings", "Progress", "Report", "Step", "index", "silent"]
