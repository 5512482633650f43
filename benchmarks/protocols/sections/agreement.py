"""What few-step LoRA and small decoders cost."""

from __future__ import annotations

from typing import Any

from .tables import table


def agreement_section(found: dict[str, Any]) -> str:
    plain = found["variants"]["as they are"]
    rows = [
        [
            name,
            str(row["unet calls"]),
            f"{row['seconds'] / plain['seconds']:.2f}",
            f"{row['cosine']:.3f}",
            f"{row['nearest']:.0%}",
            *(f"{row[method]['top1']:.3f}" for method in ("auto", "first_moment", "gaussian")),
        ]
        for name, row in found["variants"].items()
    ]
    head = ["indexed", "UNet passes a picture", "time", "cosine of means", "same model nearest", "auto", "1st Moment"]
    return "\n".join(
        [
            "## Few-step LoRA and small decoders\n",
            f"{found['models']} LoRA, {found['samples']} pictures each, indexed four times: with an LCM LoRA and a TAESD that were "
            "distilled from this base (`benchmarks/zoo/accelerated.py`). Time as a share of the plain index's, on a processor, whose "
            "decoder is small already; the cosine of each model's mean with its mean in the plain index; whether that mean is nearest "
            "to its own among all; top-1 of held-out pictures that were made without either.\n",
            table([*head, "Gaussian"], rows),
        ]
    )
