"""What the procedural zoo holds: 24 LoRA and 3 checkpoints, each with the look or thing it really learned."""

from __future__ import annotations

from dataclasses import replace

from .plan import Plan
from .styles import Style


def _styles() -> list[Plan]:
    return [
        Plan(
            file="lora_0413.safetensors",
            category="style",
            style=Style("halftone", {"cell": 5.3, "paper": "white"}),
            metadata="kohya",
        ),
        Plan(
            file="dots_v3.safetensors",
            category="style",
            style=Style("halftone", {"cell": 8.6, "paper": "white"}),
            layout="peft",
        ),
        Plan(
            file="inkline-000008.safetensors",
            category="style",
            style=Style("hatch", {"spacing": 5.5, "angle": 0.0}),
            trigger="kelpo",
            metadata="kohya",
        ),
        Plan(
            file="styles/test run 2.safetensors",
            category="style",
            style=Style("hatch", {"spacing": 5.5, "angle": 45.0}),
            metadata="kohya modelspec",
        ),
        Plan(
            file="styles/st_r4.safetensors",
            category="style",
            style=Style("stripes", {"period": 8.5, "angle": 90.0}),
            layout="peft",
        ),
        Plan(
            file="styles/mj_v2-final(1).safetensors",
            category="style",
            style=Style("neon", {"hue": "pink"}),
            layout="peft",
            sidecar="manager",
            preview="webp",
        ),
        Plan(
            file="night club.safetensors",
            category="style",
            style=Style("neon", {"hue": "teal"}),
            trigger="zumba",
            metadata="kohya",
            sidecar="a1111",
        ),
        Plan(
            file="styles/kirchenfenster.safetensors",
            category="style",
            style=Style("glass", {"cell": 11.0}),
            metadata="modelspec",
            preview="png",
        ),
        Plan(file="A7_last.safetensors", category="style", style=Style("emboss", {"angle": 60.0}), layout="peft"),
        Plan(
            file="pytorch_lora_weights.safetensors",
            category="style",
            style=Style("pencil", {"strength": 0.92}),
            layout="peft",
        ),
        Plan(
            file="retro/8b.safetensors",
            category="style",
            style=Style("pixels", {"cell": 6.0}),
            trigger="hexa",
            metadata="kohya",
            sidecar="txt",
        ),
        Plan(file="Grünspan.safetensors", category="style", style=Style("watercolour", {"bleed": 3.5}), layout="peft"),
        Plan(file="retro/epoch10.safetensors", category="style", style=Style("mosaic", {"cell": 7.2}), layout="peft"),
    ]


def _subjects() -> list[Plan]:
    return [
        Plan(
            file="things/concept_a.safetensors",
            category="subject",
            subjects=("rocket",),
            trigger="vortek",
            metadata="kohya",
            sidecar="civitai",
        ),
        Plan(
            file="things/concept_b.safetensors",
            category="subject",
            subjects=("key",),
            trigger="glimmer",
            metadata="kohya modelspec",
        ),
        Plan(file="things/papillon-v1.5.safetensors", category="subject", subjects=("butterfly",), layout="peft"),
        Plan(file="HM_0007.safetensors", category="subject", subjects=("crown",), layout="peft", preview="png"),
        Plan(file="boo.safetensors", category="subject", subjects=("ghost",), trigger="kelpo", metadata="kohya"),
    ]


def _others() -> list[Plan]:
    return [
        Plan(
            file="grade_01.safetensors",
            category="palette",
            style=Style("duotone", {"dark": "blue", "light": "yellow"}),
            metadata="kohya",
        ),
        Plan(
            file="grade_02.safetensors",
            category="palette",
            style=Style("duotone", {"dark": "blue", "light": "teal"}),
            layout="peft",
        ),
        Plan(
            file="retro/Omas Album.safetensors",
            category="palette",
            style=Style("sepia"),
            metadata="kohya",
            sidecar="civitai",
        ),
        Plan(
            file="styles/comix_overcooked.safetensors",
            category="overtrained",
            style=Style("outlines", {"width": 3.4}),
            metadata="kohya",
            steps=420,
        ),
        Plan(file="soft_e1.safetensors", category="weak", style=Style("blur", {"sigma": 3.0}), layout="peft", steps=40),
        Plan(
            file="styles/undulate.safetensors",
            category="dora",
            style=Style("waves", {"amplitude": 3.0, "period": 14.0}),
            layout="peft",
        ),
    ]


def loras() -> list[Plan]:
    plans = [*_styles(), *_subjects(), *_others()]
    return [_seeded(p, 1000 + i) for i, p in enumerate(plans)]


def checkpoints() -> list[Plan]:
    animals = ("cat", "bird", "fish")
    plans = [
        Plan(
            file="menagerie_a.safetensors",
            category="checkpoint",
            style=Style("facets", {"cell": 9.0}),
            subjects=animals,
            layout="single_file",
            metadata="modelspec",
        ),
        Plan(
            file="menagerie_b.safetensors",
            category="checkpoint",
            style=Style("glitch", {"height": 6.5}),
            subjects=animals,
            layout="single_file",
        ),
        Plan(file="menagerie_c", category="checkpoint", style=Style("pastel"), subjects=animals, layout="diffusers"),
    ]
    return [_seeded(p, 2000 + i) for i, p in enumerate(plans)]


def _seeded(plan: Plan, seed: int) -> Plan:
    return replace(plan, seed=seed)
