"""What one model of a zoo is to learn, and how its file is to look."""

from __future__ import annotations

from dataclasses import dataclass

from .styles import Style, describe


@dataclass(frozen=True, kw_only=True)
class Plan:
    file: str  # below models/loras or models/checkpoints; says little on purpose
    category: str  # style, subject, palette, overtrained, weak, dora, facing, checkpoint
    style: Style | None = None
    subjects: tuple[str, ...] = ()
    trigger: str = ""
    layout: str = "kohya"  # kohya, peft, single_file, diffusers
    metadata: str = ""  # "kohya", "modelspec", both or none
    sidecar: str = ""  # civitai, manager, a1111, txt
    preview: str = ""  # png, webp
    steps: int = 160
    rank: int = 4
    rate: float = 4e-3
    emphasis: float = 1.0  # largest extra weight of noisy steps, where colours are decided
    strength: float = 1.0  # that the file is saved at; more than 1 is an eager author's
    stubborn: float = 0.5  # share of a subject LoRA's captions that name another thing
    seed: int = 0
    flip: bool | None = None  # which way the things face
    resolution: int = 64

    @property
    def name(self) -> str:
        return self.file.removesuffix(".safetensors").replace("/", "__")

    @property
    def description(self) -> str:
        look = describe(self.style) if self.style else ""
        thing = "a picture of a " + " or a ".join(self.subjects) if 0 < len(self.subjects) < 3 else ""
        return ", ".join(part for part in (thing, look) if part)
