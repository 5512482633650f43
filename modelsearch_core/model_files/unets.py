"""U-Nets of Stable Diffusion, told by the width of the text features that they attend to."""

from __future__ import annotations

from ..families import FAMILIES, UNKNOWN, No, Unet

NARROWEST = 768  # of a released model; what is narrower is a toy
_UNETS: dict[str, Unet] = {
    family.name: family.unet for family in FAMILIES.values() if not isinstance(family.unet, No) and family.unet.context
}


def context_architecture(width: int | None, labels: int | None = None) -> str:
    """The family whose text features are `width` wide; `labels`, where they are known, are never another's."""
    if width is None:
        return UNKNOWN
    if 1 < width < NARROWEST:
        return "sd_mini"
    fitting = [name for name, unet in _UNETS.items() if unet.context == width]
    if labels is not None:
        fitting = [name for name in fitting if _UNETS[name].labels in (labels, None)]
        fitting.sort(key=lambda name: _UNETS[name].labels != labels)
    return next(iter(fitting), UNKNOWN)
