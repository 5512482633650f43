"""Fine-tunes that became bases of their own are known as such, by hints before names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from modelsearch_core.model_files import Kind, ModelFile
from modelsearch_core.model_files.lineages import lineage_name


def lora(path: str, hint: str | None = None, architecture: str = "sdxl", title: str = "") -> ModelFile:
    return ModelFile(path=Path("/models/loras") / path, kind=Kind.LORA, architecture=architecture, fingerprint=path,
                     size=0, modified=0, title=title, base_hint=hint)  # fmt: skip


@pytest.mark.parametrize(
    ("model", "lineage"),
    [
        (lora("ink.safetensors", "Pony"), "pony"),
        (lora("ink.safetensors", "/runpod/ponyDiffusionV6XL_v6StartWithThisOne.safetensors"), "pony"),
        (lora("ink.safetensors", "Illustrious"), "illustrious"),
        (lora("ink_pony.safetensors", "NoobAI"), "noobai"),
        (lora("Gothic_Niji_Style__Pony_LoRA.safetensors", "SDXL 1.0"), "pony"),
        (lora("ink.safetensors", title="Ink wash [Illustrious]"), "illustrious"),
        (lora("Illustrious/ink.safetensors"), "illustrious"),
        (lora("ink.safetensors", "SDXL 1.0"), None),
        (lora("ink.safetensors", "Pony", architecture="sd15"), None),
        (lora("ink.safetensors", "Pony V7", architecture="auraflow"), "pony_v7"),
        (lora("girl_high_noise.safetensors", "Wan Video 2.2 T2V-A14B", architecture="wan"), "wan2.2"),
    ],
)
def test_a_models_lineage_is_what_is_said_of_it(model: ModelFile, lineage: str | None) -> None:
    assert lineage_name(model) == lineage


def test_a_checkpoint_is_what_it_is_called_before_what_it_comes_from() -> None:
    model = replace(lora("noobaiXLNAIXL_vPred10Version.safetensors", "Illustrious"), kind=Kind.CHECKPOINT)
    assert lineage_name(model) == "noobai"
