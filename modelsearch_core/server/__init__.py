"""The panel on its own: `modelsearch serve`. Needs aiohttp, the extra `server`."""

from __future__ import annotations

from ..errors import ModelSearchError

try:
    import aiohttp as _aiohttp
except ImportError as error:
    raise ModelSearchError(
        'the server needs aiohttp, which is not installed; run `pip install "aiohttp>=3.14.4"`, or install.py'
    ) from error

from .access import Access
from .app import Server, make_app
from .local_host import LocalHost
from .mounting import mount

__all__ = ["Access", "LocalHost", "Server", "make_app", "mount"]

del _aiohttp
