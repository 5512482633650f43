"""What `modelsearch index --spatial` adds: an encoder of where things are."""

from __future__ import annotations

import argparse
import sys

from ..catalog import Catalog
from ..embedding import ImageEncoder
from ..indexing.thumbnails import SHORT_SIDE


def spatial_encoder_of(args: argparse.Namespace, catalog: Catalog) -> tuple[ImageEncoder | None, str]:
    """The encoder and what opens it again, where it is wanted; that of the catalog's maps unless another is named."""
    named = getattr(args, "spatial_encoder", None)
    if not (named or getattr(args, "spatial", False)):
        return None, ""
    from ..encoders.spatial import DEFAULT, open_spatial_encoder  # brings torch along

    known = catalog.spatial.encoders()
    source = named or (known[0][1] if known else DEFAULT)
    encoder = open_spatial_encoder(source, device=args.device)
    if encoder.side > SHORT_SIDE:
        print(
            f"{source} looks at {encoder.side} pixels; pictures are kept with {SHORT_SIDE}: enlarged", file=sys.stderr
        )
    return encoder, source
