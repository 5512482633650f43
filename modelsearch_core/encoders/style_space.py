"""The space in which styles are compared: what a catalog's setting names, and the network that makes its vectors."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ModelSearchError
from .style_head import StyleFile, StyleHead, read_style

if TYPE_CHECKING:
    from .style import StyleEncoder

STYLE_SETTING = "style"  # of the catalog: the trained style encoder's file, seen from the catalog's folder

log = logging.getLogger(__name__)


def space_of(setting: str | None, catalog: Path, encoder: str) -> StyleHead | StyleFile | None:
    """What a catalog names, if it is there and a head was trained on features that can be had."""
    if not setting:
        return None
    try:
        space = read_style(catalog.parent / setting)
        if isinstance(space, StyleFile) and space.head is not None:
            from .csd import same_csd  # brings torch along

            same_csd(space.name, Path(space.head.csd))
    except ModelSearchError as error:
        log.warning("style search goes without a trained encoder: %s", error)
        return None
    return None if isinstance(space, StyleHead) and space.encoder != encoder else space


def open_space(space: StyleFile, device: str = "auto") -> StyleEncoder:
    """The network whose vectors are stored; brings torch along."""
    if space.head is None:
        from .style import open_network

        return open_network(space, device)
    from .csd import open_csd, same_csd

    return open_csd(same_csd(space.name, Path(space.head.csd)), device)
