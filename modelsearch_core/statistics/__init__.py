"""What is derived of a collection: read from columns where the catalog has them, worked out of the rows where not."""

from .statistics import Statistics

__all__ = ["Statistics"]
