"""Words that the text tower's teaching was chosen on: one wording a model, none of them of the protocol's or of a training text.

`wordings.OWN` and the words that captions were spared stay unseen until all is chosen.
"""

from __future__ import annotations

CHOSEN_ON = {
    "flat_sticker_v2": "emoji without contours",
    "inkline-000012": "heavy dark edges around everything",
    "fl2": "clean glyphs from an office program",
    "Plastic Toys XL(1)": "rubber figures with violet shade",
    "e1_r4": "googly eyes on a button",
    "retro_2014": "nostalgic emoticon of the last decade",
    "sternennacht": "whirling heavens, post-impressionism",
    "wave-v1.5": "ukiyo-e",
    "p03": "violent gestural abstraction",
    "p08 final": "colour thrown at a white sheet",
    "kirchenfenster": "leaded panes in a cathedral",
    "bricks": "terracotta blocks",
    "yw_brush": "calligraphy in black paint on lemon ground",
    "glut": "smouldering furnace",
    "lora_0413": "engraved copper plate of a night scene",
    "lora_0414": "bleached, watery and tender",
    "atlas_1720": "parchment chart of an explorer",
    "papercut-test": "scissor silhouettes in rose and ebony",
    "jungle_e10": "rainforest in heavy impasto",
    "sfumato": "dim misty twilight by the impressionists",
    "concept_a": "winged serpent from a legend",
    "Rex": "extinct giant lizard with teeth",
    "eukalyptus": "grey marsupial that sleeps all day",
    "red_claws": "expensive seafood with pincers",
    "unic-v4": "fabled pony with a spike on its forehead",
    "bot9000": "mechanical man from the future",
    "boo": "white phantom in a haunted mansion",
    "stradivari": "fiddle of an orchestra",
    "HM_0007": "grinning squash for october",
    "grade_01": "technical construction sheet",
    "grade_02": "fluorescent nightlife",
    "Omas Album": "faded snapshot of ancestors",
    "soft_e1": "gentle daydream in mauve",
    "comix_overcooked": "superhero panel with strong inking",
    "dora_dusk": "scorched earth in the evening",
    "teddy_in_embers": "cuddly playmate burning",
    "menagerie_v3": "creatures of a safari",
    "kitchen_mix": "dishes on a restaurant menu",
    "garage-final": "ways to travel",
    "household": "belongings in a drawer",
}
