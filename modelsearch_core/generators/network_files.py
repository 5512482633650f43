"""LoRA files: which tensors belong to which layer, in every way of writing that users have.

kohya (`lora_unet_…`, `lora_te_…`), diffusers with PEFT (`unet.….lora_A.weight`), older diffusers
(`unet.….processor.to_q_lora.down.weight`), PEFT alone (`base_model.model.…`), ComfyUI (`diffusion_model.…`),
SimpleTuner (`lycoris_…`) and cloneofsimo/lora (`unet:7:down`).
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from pathlib import Path
from typing import Any, cast

import torch

from ..errors import ModelSearchError
from ..model_files import ModelFile
from .numbered_layers import EMBEDDING, NUMBERED, check_targets
from .tensors import load_state, metadata_of

Layers = dict[str, dict[str, torch.Tensor]]  # layer as the file names it -> its factors

_SPELLINGS = (
    (re.compile(r"((?:unet|text_encoder):\d+):(down|up)$"), None),
    (re.compile(r"(.+?)(?:\.lora_down|\.lora_A(?:\.\w+)?|[._]lora\.down|\.lora_linear_layer\.down)\.weight$"), "down"),
    (re.compile(r"(.+?)(?:\.lora_up|\.lora_B(?:\.\w+)?|[._]lora\.up|\.lora_linear_layer\.up)\.weight$"), "up"),
    (re.compile(r"(.+?)\.lora_mid\.weight$"), "mid"),
    (re.compile(r"(.+?)\.lora_magnitude_vector(?:\.\w+)*$"), "magnitude"),
    (re.compile(r"(.+?)\.w_norm$"), "diff"),
    (re.compile(r"(.+?)\.b_norm$"), "diff_b"),
    (re.compile(r"(.+?)\.(alpha|dora_scale|diff|diff_b|hada_[wt][12](?:_[ab])?|lokr_[wt][12](?:_[ab])?)$"), None),
)
_PASSENGERS = re.compile(r"^bundle_emb\.|^emb_params|^lora_(unet|te)_scale$")  # embeddings packed along


def layers_of(lora: ModelFile) -> Layers:
    """The factors of each layer. Raises ModelSearchError for a way of writing that is not known."""
    layers: Layers = defaultdict(dict)
    metadata = metadata_of(lora.path)
    for name, tensor in load_state(lora.path).items():
        if not _PASSENGERS.match(name) and metadata.get(name) != EMBEDDING:
            layer, factor = _split(lora, name)
            layers[layer][factor] = tensor
    if any(NUMBERED.fullmatch(layer) for layer in layers):
        check_targets(lora.path.name, metadata)
    _add_magnitudes(layers)
    _add_alphas(layers, _adapter_config(lora.path))
    return dict(layers)


def _split(lora: ModelFile, name: str) -> tuple[str, str]:
    for pattern, factor in _SPELLINGS:
        if found := pattern.match(name):
            return found[1], factor or found[2]
    raise ModelSearchError(
        f"{lora.path.name} has a tensor {name[:120]!r} of a network type that is not applied here "
        f"({lora.network or 'unknown'}); LoRA, LoCon, DoRA, LoHa, LoKr and full differences are"
    )


def _add_magnitudes(layers: Layers) -> None:
    """PEFT's magnitude is one number an output, in whatever shape."""
    for factors in layers.values():
        if "magnitude" in factors:
            factors["dora_scale"] = factors.pop("magnitude").reshape(-1, 1)


def _add_alphas(layers: Layers, config: dict[str, Any]) -> None:
    """PEFT keeps alpha beside the tensors; without one it equals the rank."""
    for name, factors in layers.items():
        part = name.split(".")[0]
        alpha = config.get(f"{part}.lora_alpha", config.get("lora_alpha"))
        for pattern, value in {**config.get("alpha_pattern", {}), **config.get(f"{part}.alpha_pattern", {})}.items():
            alpha = value if name.endswith(pattern.lstrip("^")) else alpha
        if alpha is not None and "down" in factors and "alpha" not in factors:
            stabilised = config.get(f"{part}.use_rslora", config.get("use_rslora"))
            rank = factors["down"].shape[0]
            factors["alpha"] = torch.tensor(alpha * math.sqrt(rank) if stabilised else float(alpha))


def _adapter_config(path: Path) -> dict[str, Any]:
    """diffusers writes it into the header, PEFT into a file beside the weights."""
    beside = path.with_name("adapter_config.json")
    text = metadata_of(path).get("lora_adapter_metadata")
    if text is None and path.stem == "adapter_model" and beside.is_file():
        text = beside.read_text("utf-8")
    try:
        config = json.loads(text or "{}")
    except ValueError:
        return {}
    return cast("dict[str, Any]", config) if isinstance(config, dict) else {}
