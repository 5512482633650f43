"""Style vectors of pictures that are in the catalog already, by a style encoder that has its own network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..catalog import Catalog
from ..embedding import ImageEncoder
from ..encoders.style_head import StyleFile
from ..encoders.style_space import STYLE_SETTING, open_space, space_of
from ..specification import Evidence, Specification


def store_style_vectors(
    catalog: Catalog, encoder: str, style: ImageEncoder, source: str, on_model: Callable[[int, int], None] | None = None
) -> int:
    """Encodes the reference pictures that `encoder` has seen and `style` has not; how many models that were."""
    catalog.put_encoder(style.name, source, style.dimension)
    wanted = _references(catalog, encoder) - _references(catalog, style.name)
    for done, (fingerprint, digest) in enumerate(sorted(wanted), 1):
        seen = catalog.specification(fingerprint, digest, encoder)
        if seen is not None:
            _store(catalog, style, seen)
        if on_model:
            on_model(done, len(wanted))
    return len(wanted)


def _store(catalog: Catalog, style: ImageEncoder, seen: Specification) -> None:
    pictures = catalog.sample_images(seen.fingerprint, seen.digest)
    vectors = style.encode_images([pictures[int(number)] for number in seen.numbers])
    catalog.put_specification(replace(seen, encoder=style.name, Z=vectors, drawings=None))


def _references(catalog: Catalog, encoder: str) -> set[tuple[str, str]]:
    keys = catalog.specification_keys(encoder)
    return {(fingerprint, digest) for fingerprint, digest, evidence, _ in keys if evidence is Evidence.REFERENCE}


def encode_renderings(catalog: Catalog, encoder: str, device: str = "auto") -> None:
    """Has a network of its own for styles look at what was painted; a head on the encoder's features needs none."""
    space = space_of(catalog.setting(STYLE_SETTING), catalog.beside, encoder)
    if isinstance(space, StyleFile):
        store_style_vectors(catalog, encoder, open_space(space, device), str(space.path))
