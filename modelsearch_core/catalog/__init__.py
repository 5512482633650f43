"""Where everything that was measured is kept: one SQLite file."""

from .catalog import Catalog

__all__ = ["Catalog"]
