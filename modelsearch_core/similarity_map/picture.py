"""The map as a picture: each model a thumbnail in a frame of its kind's colour, with its name where there is room."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PIL import Image, ImageDraw

from ..contact_sheet import FAINT, INK, PAPER, fitted, font, shortened
from .mapping import Place, SimilarityMap

FRAMES: Mapping[str, str] = {
    "checkpoint": "#c2571a",
    "lora": "#5b45e6",
    "diffusion_model": "#12805c",
    "pictures": "#8a6d1f",
}
OTHER = "#6b6b76"
LONGEST, NARROWEST = 1600, 640
MARGIN, HEAD, NAME = 24, 60, 16
LARGEST, SMALLEST = 160, 6  # pixels of a tile
NAMED_FROM = 56  # pixels of a side below which names could not be read
FILLED = 0.86  # of a tile by its picture; the rest is the gap

Thumbnail = Callable[[Place], Image.Image | None]


def map_picture(of: SimilarityMap, thumbnail: Thumbnail, longest: int = LONGEST) -> Image.Image:
    """RGB; `longest` pixels wide at most, less for few models."""
    xs, ys = [place.x for place in of.places], [place.y for place in of.places]
    width, height = max(xs) - min(xs) + 1, max(ys) - min(ys) + 1
    pixels = max(SMALLEST, min(LARGEST, (longest - 2 * MARGIN) / width))
    size = (max(NARROWEST, round(width * pixels) + 2 * MARGIN), round(height * pixels) + 2 * MARGIN + HEAD)
    sheet = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(sheet)
    _draw_head(pen, of)
    left = (size[0] - width * pixels) / 2
    for place in of.places:
        corner = round(left + (place.x - min(xs)) * pixels), round(HEAD + MARGIN + (place.y - min(ys)) * pixels)
        _draw_tile(sheet, pen, place, thumbnail(place), corner, pixels)
    return sheet


def _draw_head(pen: ImageDraw.ImageDraw, of: SimilarityMap) -> None:
    told = "" if of.share is None else f"; the two axes hold {of.share:.0%} of how they differ"
    pen.text((MARGIN, 16), f"{len(of.places)} models: near each other what makes similar pictures{told}", INK, font(15))
    x = float(MARGIN)
    for kind in dict.fromkeys(place.kind for place in of.places):
        pen.rectangle((x, 44, x + 10, 54), fill=FRAMES.get(kind, OTHER))
        pen.text((x + 16, 42), kind.replace("_", " "), FAINT, font(12))
        x += 40 + pen.textlength(kind, font(12))


def _draw_tile(
    sheet: Image.Image,
    pen: ImageDraw.ImageDraw,
    place: Place,
    thumbnail: Image.Image | None,
    corner: tuple[int, int],
    pixels: float,
) -> None:
    named = pixels >= NAMED_FROM
    side = max(2, round(FILLED * pixels) - (NAME if named else 0))
    x, y = corner[0] + round((pixels - side) / 2), corner[1]
    frame = max(1, round(side / 40))
    colour = FRAMES.get(place.kind, OTHER)
    pen.rectangle((x - frame, y - frame, x + side + frame - 1, y + side + frame - 1), fill=colour)
    if thumbnail is None:
        pen.rectangle((x, y, x + side - 1, y + side - 1), fill=PAPER)
    else:
        sheet.paste(fitted(thumbnail, side), (x, y))
    if named:
        pen.text(
            (corner[0] + pixels / 2, y + side + frame + 1),
            shortened(pen, place.name, int(pixels) - 4),
            INK,
            font(11),
            "ma",
        )
