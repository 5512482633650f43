"""TAESD where hosts keep it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderTiny

from modelsearch_core.families import FAMILIES
from modelsearch_core.generators.decoders import decoder_for, load_decoder
from tests.making import stable_diffusion as sd


@pytest.fixture(scope="module")
def tiny() -> Any:
    torch.manual_seed(0)
    return AutoencoderTiny()


def as_hosts_have_it(tiny: Any) -> dict[str, torch.Tensor]:
    """TAESD's own numbering starts with a clamp."""
    names = ((name.removeprefix("layers.").split(".", 1), t) for name, t in tiny.decoder.state_dict().items())
    return {f"{int(number) + 1}.{rest}": tensor for (number, rest), tensor in names}


@pytest.mark.parametrize("form", ["safetensors", "pth", "folder"])
def test_every_form_decodes_alike(tmp_path: Path, tiny: Any, form: str) -> None:
    if form == "folder":
        tiny.save_pretrained(tmp_path / "taesd")
    elif form == "pth":
        torch.save(as_hosts_have_it(tiny), tmp_path / "taesd_decoder.pth")
    else:
        sd.save(tmp_path / "taesd_decoder.safetensors", as_hosts_have_it(tiny))
    found = decoder_for("sd15", [tmp_path / "nowhere", tmp_path])
    assert found is not None and len(found.fingerprint) == 32
    latents = torch.randn(1, 4, 4, 4)
    with torch.no_grad():
        assert load_decoder(found, torch.float32, "cpu").decode(latents).sample.equal(tiny.decode(latents).sample)


def test_each_architecture_has_its_own(tmp_path: Path, tiny: Any) -> None:
    sd.save(tmp_path / "taesdxl_decoder.safetensors", as_hosts_have_it(tiny))
    assert decoder_for("sdxl", [tmp_path]) is not None
    assert decoder_for("sd15", [tmp_path]) is None and decoder_for("sd_mini", [tmp_path]) is None
    names = {family.small_decoder for family in FAMILIES.values() if family.classic}
    assert names == {"taesd", "taesdxl", "taesd_mini"}
