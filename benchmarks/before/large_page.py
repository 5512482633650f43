"""The part of docs/results_before.md that says how guesses get better with the number of LoRA that were generated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .encoder import EPOCHS
from .large import ENCODERS, GROUPS, LEARNED, MEAN, SHARES

Known = Mapping[str, Mapping[str, list[float]]]

HEAD = """
## Guesses on a zoo of {loras} LoRA

Measured by `python -m benchmarks.before --large ZOO` on the LoRA of the benchmark zoo, built with `--scale {scale:g}`: {share:.0%} of its usual
training steps. {pictures} pictures of each, of {steps} steps; the direction of so many has itself a cosine of about {reliability:.2f} with that of
very many, so no guess can reach 1. In each of {draws} draws some LoRA were generated and all others are guessed: the mean cosine of the
predicted direction with the true one, and in brackets where the middle eight of ten draws lie. Beside {most} there are only {few} others, so
these lie far apart.

*Mean*: of the known directions, which asks no weights. *Kernel*: kernel ridge regression as the tool runs it. *Groups learned*: how much each
group of layers counts is chosen by leave-one-out. *As in W2T* (arXiv 2603.15990; `benchmarks/before/encoder.py`): a small network learned on
canonical tokens, the singular triplets of each layer, pooled by learned queries, with a transformer over the layers. *Learned probes*: the
same with layers as learned probes of ΔW, which no sign of a triplet changes. Both learn for {epochs} passes at most, and begin at the mean.

"""
LAYERS = """
### Which layers count

The same for kernel ridge regression of some layers only, as they are, and with each layer brought to the same length (*normalised*).

"""
LEADS = """
### How sure that is

Leads over the mean of the known ones in the same draw, and of the encoders over the kernel of all layers.

"""
CORRELATIONS = """
### Cosines of weights beside cosines of pictures

Of pairs of a LoRA that was generated and one that was not: the correlation of the cosine of ΔW with that of the directions. Nothing is learned
here, so more LoRA only make it surer. In brackets the middle eight of ten draws.

"""
DORAS = """
DoRA: of the {count} in the zoo, the direction predicted from all others has a cosine of {with magnitudes:.3f} with the true one where their
magnitudes count, and of {without:.3f} where BA alone is taken. What such a DoRA changes has a cosine of {of its own change:.3f} with its BA.
"""


def section(found: Mapping[str, Any]) -> str:
    known: Known = found["known"]
    most = max(map(int, known))
    told = {**found, "most": most, "few": found["loras"] - most, "share": found["scale"], "epochs": EPOCHS}
    methods = {MEAN: "mean", f"{LEARNED} all": "kernel, all layers", SHARES: "groups learned"}
    methods |= {name: f"encoder: {name}" for name in ENCODERS}
    text = HEAD.format(**told) + table(known, methods)
    text += LAYERS + table(known, _of_groups(LEARNED))
    text += LEADS + table(known, _leads())
    for measure in ("pearson", "spearman"):
        head = CORRELATIONS if measure == "pearson" else "\n"
        text += f"{head}{measure.capitalize()}:\n\n" + table(known, _of_groups(measure))
    return text + (DORAS.format(**found["doras"]) if found["doras"]["count"] else "")


def _of_groups(of: str) -> dict[str, str]:
    groups = ("all", *GROUPS)
    return {f"{of} {name}{ending}": name + ending for ending in ("", " normalised") for name in groups}


def _leads() -> dict[str, str]:
    names = {f"{LEARNED} all": "kernel", SHARES: "groups learned", **{name: name for name in ENCODERS}}
    leads = {f"{name} - {MEAN}": f"{word} over mean" for name, word in names.items()}
    return leads | {f"{name} - {LEARNED}": f"{name} over kernel" for name in ENCODERS}


def table(known: Known, columns: Mapping[str, str]) -> str:
    """In Markdown: the columns' names by those of the figures."""
    lines = [f"| generated | {' | '.join(columns.values())} |", f"|{'---|' * (len(columns) + 1)}"]
    for number, of in known.items():
        lines.append(f"| {number} | {' | '.join(_told(of[name]) for name in columns)} |")
    return "\n".join(lines) + "\n"


def _told(of: list[float]) -> str:
    mean, low, high = of
    return f"{mean:.3f} ({low:.3f} to {high:.3f})"
