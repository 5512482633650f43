"""`modelsearch evaluate` without a folder: how far the index can be trusted, by its own pictures."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence

from tqdm import tqdm

from ..catalog import Catalog
from ..errors import ModelSearchError
from ..search import ModelIndex
from ..self_check import ModelCheck, SelfCheck, Settings, Verdict, check
from ..specification import Modality
from .figures import print_figures
from .tables import print_json, print_table

IN_WORDS = {
    Verdict.FAILED: "failed",
    Verdict.BROKEN: "broken pictures",
    Verdict.UNSEEN: "words only",
    Verdict.TOO_FEW: "too few pictures",
    Verdict.MISTAKEN: "often mistaken",
    Verdict.TWIN: "has a twin",
    Verdict.CLOSE: "among the first 5",
    Verdict.USUALLY: "usually found",
    Verdict.FOUND: "found",
}
GROUPED = "more samples may tell them apart: modelsearch index FILE --samples N, as many as stand behind the name"
WELL = (Verdict.USUALLY, Verdict.FOUND)


def by_own_pictures(args: argparse.Namespace) -> int:
    """Prints the methods' figures, then the models that are not found as they should be."""
    result = _checked(args)
    if args.json:
        print_json(result.to_json())
    else:
        _tell(result, result.models if args.all else [m for m in result.models if m.verdict not in WELL])
    return 0


def _checked(args: argparse.Namespace) -> SelfCheck:
    for name, least in (("queries", 1), ("folds", 2)):
        value = getattr(args, name)
        if value is not None and value < least:
            raise ModelSearchError(f"--{name} {value} is too few; {least} at least")
    modality = Modality.SKETCH if args.sketch else Modality.IMAGE
    settings = Settings(methods=args.method or (), modality=modality, each=args.queries, folds=args.folds)
    with Catalog(args.catalog, read_only=True) as catalog:
        failures = catalog.failures()
    shown = not args.json and sys.stderr.isatty()
    with (
        ModelIndex.open(args.catalog, device=args.device) as index,
        tqdm(desc="asking", unit=" pictures", disable=not shown) as bar,
    ):

        def on_progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return check(index, settings, failures, on_progress)


def _tell(result: SelfCheck, shown: Sequence[ModelCheck]) -> None:
    what = "line drawings" if result.modality is Modality.SKETCH else "pictures"
    print(f"{result.questions} of the models' own {what} searched for among {result.candidates} models, each")
    print(f"without its prompt's {what} in the index ({result.folds} folds)\n")
    print_figures(result.figures)
    print(f"\n{summary(result, what)}")
    if result.without_learned:
        print("What `train matching` has learned is left out: it may have learned from these very pictures.")
    print()
    if shown:
        print_table(["model", "pictures", "top-1", "top-5", "verdict", "instead"], [*map(_row, shown)])
    counts = Counter(model.verdict for model in result.models)
    print("\n" + ", ".join(f"{counts[verdict]} {IN_WORDS[verdict]}" for verdict in Verdict if counts[verdict]))
    if advised := [model for model in shown if model.advice]:
        print("\nwhat to do:", *_advice(advised), sep="\n  ")


def _advice(models: Sequence[ModelCheck]) -> list[str]:
    """What is the same for several once, with their names."""
    names: dict[str, list[str]] = {}
    for model in models:
        wanted = f" ({model.advised_samples})" if model.advised_samples else ""
        names.setdefault(GROUPED if wanted else model.advice, []).append(model.name + wanted)
    return [f"{', '.join(each)}: {advice}" for advice, each in names.items()]


def summary(result: SelfCheck, what: str) -> str:
    """What the figures mean, in sentences."""
    first, chance = result.figures[0], 1 / result.candidates
    share = f"{first['top1']:.0%} of them (± {result.error:.0%} over the models; chance {chance:.1%})"
    return (
        f"{first['method']} finds the right model first for {share},\n"
        f"among the first five for {first['top5']:.0%}; first with half as many samples for {result.half:.0%}.\n"
        f"This says how well the index tells its models apart by {what} that they make themselves, no more;\n"
        "`modelsearch evaluate DIR` asks it for pictures of yours."
    )


def _row(model: ModelCheck) -> tuple[str, ...]:
    instead = ", ".join(f"{other.name} ({other.times})" for other in model.mistaken_for)
    shares = ("-" if share is None else f"{share:.2f}" for share in (model.top1, model.top5))
    return (model.name, str(model.samples), *shares, IN_WORDS[model.verdict], instead)
