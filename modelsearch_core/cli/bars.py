"""Progress bars for indexing: model, images a second, time left. Silent where nobody looks."""

from __future__ import annotations

import sys

from tqdm import tqdm

from ..indexing import Step
from .screen import visible

STAGES = {
    "scan": "scanning",
    "weights": "comparing weights",
    "words": "reading words",
    "previews": "looking at previews",
    "pictures": "reading your pictures",
    "looks": "looking at your pictures",
    "sketches": "reading what LoRA change",
    "generate": "generating",
    "references": "painting drawings",
    "layouts": "mapping layouts",
}


class Bars:
    """A bar for each stage, on the terminal's error stream. Call it with every step; use as a context."""

    def __init__(self, *, shown: bool | None = None) -> None:
        self._shown = sys.stderr.isatty() if shown is None else shown
        self._bar: tqdm | None = None  # type: ignore[type-arg]  # tqdm is generic in its stubs only
        self._stage = ""
        self._images = 0

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def __call__(self, step: Step) -> None:
        if step.stage != self._stage:
            self._open(step)
        if self._bar is None:
            return
        self._images += step.images
        self._bar.set_postfix_str(visible(self._note(step)), refresh=False)
        self._bar.update(step.done - self._bar.n)
        if step.images:
            self._bar.refresh()
        if step.failure:
            self._bar.write(visible(f"failed: {step.model}: {step.failure}"), file=sys.stderr)

    def _open(self, step: Step) -> None:
        self._close()
        self._stage, self._images = step.stage, 0
        label = STAGES.get(step.stage, step.stage)
        self._bar = tqdm(total=step.total, desc=label, unit=" models", file=sys.stderr, disable=not self._shown)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _note(self, step: Step) -> str:
        if not self._images or self._bar is None:
            return step.model[:40]
        seconds = float(self._bar.format_dict["elapsed"]) or 1.0
        return f"{step.model[:40]}, {self._images / seconds:.1f} images/s"
