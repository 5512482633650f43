"""Who may talk to the panel: pages of its own origin, under a name that cannot be an attacker's.

A page of another site reaches a local server by its address, or, after rebinding its own name to 127.0.0.1 (DNS
rebinding), by that name. The first has a foreign `Origin`, the second a foreign `Host`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

LOOPBACK_NAMES = ("localhost",)


def may_enter(headers: Mapping[str, str], own_names: Collection[str] = ()) -> bool:
    """Whether a request with these headers is ours. `own_names`: names besides loopback and bare addresses."""
    host = headers.get("Host", "")
    if not _is_own(_name(host), own_names):
        return False
    if headers.get("Sec-Fetch-Site", "none") == "cross-site":
        return False
    origin = headers.get("Origin")
    return origin is None or _netloc(origin) == host.casefold()


def _netloc(origin: str) -> str | None:
    """None for what is no address, such as `http://[`."""
    try:
        return urlsplit(origin).netloc.casefold()
    except ValueError:
        return None


def _is_own(name: str, own_names: Collection[str]) -> bool:
    """An address cannot be rebound, a name can."""
    if name in LOOPBACK_NAMES or name in own_names:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _name(netloc: str) -> str:
    try:
        return (urlsplit(f"//{netloc}").hostname or "").casefold()
    except ValueError:
        return ""
