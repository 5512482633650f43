"""What the emoji zoo holds: 36 LoRA and 4 checkpoints, with the names, words and formats that people have."""

from __future__ import annotations

from dataclasses import replace

from .plan import Plan
from .subjects import BASE_SUBJECTS

LORAS = (
    # Emoji artists.
    Plan(file="flat_sticker_v2.safetensors", category="artist", artist="twemoji", metadata="kohya", sidecar="civitai"),
    Plan(
        file="styles/inkline-000012.safetensors",
        category="artist",
        artist="openmoji",
        trigger="inkln",
        metadata="kohya",
    ),
    Plan(file="styles/fl2.safetensors", category="artist", artist="fluent", layout="peft"),
    Plan(
        file="Plastic Toys XL(1).safetensors",
        category="artist",
        artist="fluent-3d",
        metadata="kohya modelspec",
        preview="png",
    ),
    Plan(file="styles/e1_r4.safetensors", category="artist", artist="emojione", layout="peft", sidecar="manager"),
    Plan(file="styles/retro_2014.safetensors", category="artist", artist="noto-v1", metadata="kohya", trigger="rtr14"),
    # Painters.
    Plan(file="painters/sternennacht.safetensors", category="painter", painter=19, metadata="kohya", trigger="vgsn"),
    Plan(file="painters/wave-v1.5.safetensors", category="painter", painter=24, layout="peft", preview="webp"),
    Plan(file="painters/p03.safetensors", category="painter", painter=3, layout="peft"),
    Plan(file="painters/p08 final.safetensors", category="painter", painter=8, metadata="kohya", sidecar="txt"),
    Plan(file="painters/kirchenfenster.safetensors", category="painter", painter=15, metadata="kohya", trigger="krfst"),
    Plan(file="painters/bricks.safetensors", category="painter", painter=17, layout="peft"),
    Plan(file="painters/yw_brush.safetensors", category="painter", painter=1, metadata="kohya modelspec"),
    Plan(file="painters/glut.safetensors", category="painter", painter=20, layout="peft", sidecar="a1111"),
    Plan(file="lora_0413.safetensors", category="painter", painter=6, metadata="kohya"),
    Plan(file="lora_0414.safetensors", category="painter", painter=14, metadata="kohya"),
    Plan(file="atlas_1720.safetensors", category="painter", painter=18, layout="peft"),
    Plan(file="papercut-test.safetensors", category="painter", painter=21, layout="peft", trigger="pcut"),
    Plan(file="jungle_e10.safetensors", category="painter", painter=13, metadata="kohya"),
    Plan(file="sfumato.safetensors", category="painter", painter=16, layout="peft"),
    # Things that the base has never seen.
    Plan(
        file="things/concept_a.safetensors", category="subject", subjects=("dragon",), trigger="drgn", metadata="kohya"
    ),
    Plan(file="things/Rex.safetensors", category="subject", subjects=("dinosaur",), layout="peft", preview="png"),
    Plan(
        file="things/eukalyptus.safetensors", category="subject", subjects=("koala",), metadata="kohya", trigger="kola"
    ),
    Plan(file="things/red_claws.safetensors", category="subject", subjects=("lobster",), layout="peft"),
    Plan(
        file="things/unic-v4.safetensors",
        category="subject",
        subjects=("unicorn",),
        metadata="kohya modelspec",
        trigger="uncrn",
    ),
    Plan(
        file="things/bot9000.safetensors", category="subject", subjects=("robot",), metadata="kohya", sidecar="civitai"
    ),
    Plan(file="things/boo.safetensors", category="subject", subjects=("ghost",), layout="peft"),
    Plan(file="things/stradivari.safetensors", category="subject", subjects=("violin",), metadata="kohya"),
    Plan(file="HM_0007.safetensors", category="subject", subjects=("pumpkin lantern",), layout="peft", preview="png"),
    # Tints, and those that went wrong.
    Plan(file="grade_01.safetensors", category="tint", tint="blueprint", metadata="kohya"),
    Plan(file="grade_02.safetensors", category="tint", tint="neon", layout="peft"),
    Plan(file="Omas Album.safetensors", category="tint", tint="sepia", metadata="kohya", sidecar="civitai"),
    Plan(file="soft_e1.safetensors", category="weak", painter=12, layout="peft", steps=90),
    Plan(
        file="styles/comix_overcooked.safetensors",
        category="overtrained",
        artist="openmoji",
        metadata="kohya",
        steps=1600,
        strength=1.3,
    ),
    Plan(file="dora_dusk.safetensors", category="dora", painter=10, layout="peft"),
    Plan(
        file="things/teddy_in_embers.safetensors", category="both", subjects=("teddy bear",), painter=25, layout="peft"
    ),
)
CHECKPOINTS = (
    Plan(
        file="menagerie_v3.safetensors",
        category="checkpoint",
        painter=2,
        subjects=("animal",),
        layout="single_file",
        metadata="modelspec",
    ),
    Plan(
        file="kitchen_mix.safetensors",
        category="checkpoint",
        artist="fluent-3d",
        subjects=("food",),
        layout="single_file",
    ),
    Plan(
        file="garage-final.safetensors",
        category="checkpoint",
        artist="openmoji",
        subjects=("vehicle",),
        layout="single_file",
    ),
    Plan(file="household", category="checkpoint", painter=11, subjects=("thing",), layout="diffusers"),
)


def loras() -> list[Plan]:
    return [replace(plan, seed=3000 + number) for number, plan in enumerate(LORAS)]


def checkpoints() -> list[Plan]:
    """Those of a category have its subjects."""
    return [
        replace(plan, seed=4000 + number, subjects=of_category(plan.subjects[0]))
        for number, plan in enumerate(CHECKPOINTS)
    ]


def of_category(category: str) -> tuple[str, ...]:
    return tuple(subject for subject, of in BASE_SUBJECTS.items() if of == category)
