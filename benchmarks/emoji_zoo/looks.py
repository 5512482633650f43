"""What the looks are called: emoji artists' and painters', as somebody would describe their pictures."""

from __future__ import annotations

ARTISTS: dict[str, tuple[str, ...]] = {
    "noto": ("a glossy icon", "a cartoon with soft shading"),
    "noto-v1": ("an old cartoon in warm colours", "a retro sticker"),
    "fluent": ("simple flat shapes in bright colours", "a flat modern icon"),
    "fluent-3d": ("shiny plastic with purple shadows", "a smooth 3d toy"),
    "twemoji": ("flat colours without any outline", "a flat paper sticker"),
    "emojione": ("a flat cartoon with big eyes", "a clean flat illustration"),
    "openmoji": ("thick black outlines", "a comic drawing with black contours"),
}
PAINTERS: tuple[tuple[str, ...], ...] = (
    ("a soft pastel in pale blue and orange", "chalk on blue grey paper"),
    ("bold black bars on yellow and white", "a rough brush drawing in black and yellow"),
    ("dark ink wash on pale grey", "charcoal with a little orange"),
    ("wild strokes of red, blue and black", "an abstract painting of dark blue and red slabs"),
    ("dark red and orange crayon", "wax crayon in wine red"),
    ("muted brown with glowing edges", "a rough painting in brown and teal"),
    ("a dark navy etching with golden dots", "scratches on dark blue"),
    ("large fields of black, yellow and blue", "blurred shapes of black, gold and deep blue"),
    ("splashes of magenta, yellow and turquoise on white", "loose watercolour splashes on white paper"),
    ("a crimson and teal woodcut", "white lines on teal and red"),
    ("a dim red brown sketch", "rust coloured dusk"),
    ("pencil on sand coloured paper", "a sketch on old paper"),
    ("a dreamy lilac and yellow pastel", "hazy spring colours"),
    ("thick green, yellow and red paint", "jungle colours with dark lines"),
    ("a faded watercolour in pale blue and peach", "a light pastel wash"),
    ("pale stained glass with coloured lines", "a mosaic of white pieces"),
    ("foggy blue grey with dabs of purple", "an impressionist evening in slate blue"),
    ("woven bricks of red, orange and blue", "a red brick pattern"),
    ("a brown ink engraving on khaki", "an old map drawing in brown"),
    ("swirls of deep blue and yellow", "a starry night painting with swirling strokes"),
    ("deep red and black", "glowing embers in the dark"),
    ("paper cuttings in black, pink and pale blue", "bold cubist pieces"),
    ("grey and black with spots of red", "surreal dark shapes on grey blue"),
    ("a foggy glow in the dusk", "a murky dark painting"),
    ("navy ink on cream, like a japanese print", "a woodblock print of waves"),
    ("dark with fiery orange and turquoise contours", "rough bright edges on dark grey"),
)
UNSEEN_ARTISTS = ("emojione",)  # by the CLIP
UNSEEN_PAINTERS = (4, 9, 21)
UNSEEN_SUBJECTS = ("koala", "lobster", "hedgehog", "violin", "waffle")
