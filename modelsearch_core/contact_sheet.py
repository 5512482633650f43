"""A picture of an answer: rows of thumbnails with a heading each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

CELL = 96
GAP = 6
TEXT = 15
INK, FAINT, PAPER, MARK = "#1b1b1f", "#6b6b76", "#ffffff", "#1f7a4d"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A picture with up to two short lines below it; `marked` puts a frame around it."""

    image: Image.Image | None
    title: str = ""
    note: str = ""
    marked: bool = False


@dataclass(frozen=True)
class Row:
    heading: str
    cells: Sequence[Cell]


def contact_sheet(rows: Sequence[Row], title: str = "", cell: int = CELL) -> Image.Image:
    """RGB; one line of cells a row, the row's heading above it. `cell`: pixels of a picture's side."""
    columns = max((len(row.cells) for row in rows), default=1)
    row_height = TEXT + cell + 2 * TEXT + 2 * GAP
    top = 2 * TEXT if title else 0
    size = (GAP + columns * (cell + GAP), top + GAP + len(rows) * (row_height + GAP))
    sheet = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(sheet)
    if title:
        pen.text((GAP, GAP), title, fill=INK, font=font(TEXT + 1))
    for number, row in enumerate(rows):
        _draw_row(sheet, pen, row, top + GAP + number * (row_height + GAP), cell)
    return sheet


def _draw_row(sheet: Image.Image, pen: ImageDraw.ImageDraw, row: Row, y: int, side: int) -> None:
    pen.text((GAP, y), row.heading, fill=INK, font=font(12))
    for column, cell in enumerate(row.cells):
        _draw_cell(sheet, pen, cell, (GAP + column * (side + GAP), y + TEXT + GAP), side)


def _draw_cell(sheet: Image.Image, pen: ImageDraw.ImageDraw, cell: Cell, corner: tuple[int, int], side: int) -> None:
    x, y = corner
    if cell.image is not None:
        sheet.paste(fitted(cell.image, side), corner)
    else:
        pen.rectangle((x, y, x + side - 1, y + side - 1), outline=FAINT)
    if cell.marked:
        pen.rectangle((x - 2, y - 2, x + side + 1, y + side + 1), outline=MARK, width=3)
    for line, (text, ink) in enumerate([(cell.title, INK), (cell.note, FAINT)]):
        pen.text((x, y + side + 2 + line * TEXT), shortened(pen, text, side), fill=ink, font=font(11))


def fitted(image: Image.Image, side: int) -> Image.Image:
    """The whole picture in a square."""
    scale = side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    smooth = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
    square = Image.new("RGB", (side, side), "#f0f0f2")
    square.paste(image.convert("RGB").resize(size, smooth), ((side - size[0]) // 2, (side - size[1]) // 2))
    return square


def shortened(pen: ImageDraw.ImageDraw, text: str, width: int) -> str:
    """As much of a small text as fits."""
    while text and pen.textlength(text, font=font(11)) > width:
        text = text[:-2].rstrip("…") + "…" if len(text) > 2 else ""
    return text


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """DejaVu where there is one (matplotlib and most systems have it), else Pillow's own."""
    try:
        return ImageFont.truetype("DejaVuSans.ttf", size)
    except OSError:
        try:
            return ImageFont.load_default(size)
        except TypeError:  # Pillow before 10.1 has one size only
            return ImageFont.load_default()
