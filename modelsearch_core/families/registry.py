"""All families, in the order in which they are asked: telling names before what is told by widths, the common first.

What a module of records defines and `_LISTED` does not name is asked first: its tensors tell it from all of these.
"""

from __future__ import annotations

from . import flux, image, recent, stable_diffusion, video
from .record import Family, known

UNKNOWN = "unknown"

_LISTED = (
    *(stable_diffusion.SD15, stable_diffusion.SD2, stable_diffusion.SDXL, stable_diffusion.SDXL_REFINER),
    *(stable_diffusion.SD_MINI, stable_diffusion.SVD, stable_diffusion.KOLORS),
    *(recent.MINIMAX_H3, flux.FLUX3, flux.FLUX2, flux.CHROMA_RADIANCE, flux.CHROMA),
    *(video.HUNYUAN_VIDEO_15, video.HUNYUAN_VIDEO, image.HUNYUAN_IMAGE, recent.JOYIMAGE, flux.OVIS_IMAGE),
    *(flux.LONGCAT, recent.MOTIF_VIDEO, flux.BRIA, flux.FLUX),
    *(stable_diffusion.SD3, image.AURAFLOW, stable_diffusion.STABLE_CASCADE, image.HUNYUAN_DIT, video.MOCHI),
    *(
        image.PIXART,
        recent.SANA_VIDEO,
        image.SANA,
        video.LTX2,
        video.LTXV,
        image.ANIMA,
        video.COSMOS,
        recent.PRX,
        video.WAN,
    ),
    *(recent.HIDREAM_O1, image.HIDREAM, recent.BRIA_FIBO_2, recent.IDEOGRAM4, image.ZETA_CHROMA, image.NEWBIE),
    *(image.Z_IMAGE, recent.BOOGU),
    *(image.OMNIGEN2, image.LUMINA2, image.KREA2, recent.QWEN_IMAGE_21, recent.NUCLEUS, recent.LENS),
    *(recent.MAGE_FLOW, image.QWEN_IMAGE, video.KANDINSKY5, recent.KANDINSKY6, image.GLM_IMAGE),
    *(image.COGVIEW4, recent.COGVIEW3, video.COGVIDEOX),
    *(recent.COSMOS3, recent.ERNIE_IMAGE, recent.PIXELDIT),
)
_FURTHER = tuple(
    family
    for module in (stable_diffusion, flux, image, video, recent)
    for family in vars(module).values()
    if isinstance(family, Family) and family not in _LISTED
)
FAMILIES = {family.name: family for family in (*_FURTHER, *_LISTED)}
ARCHITECTURES = (*FAMILIES, UNKNOWN)
FAMILIES_AND_LINEAGES = (  # what models are asked for by: families, each with the lineages that users know within it
    *(name for each in (*_LISTED, *_FURTHER) for name in (each.name, *(line.name for line in known(each.lineages)))),
    UNKNOWN,
)
