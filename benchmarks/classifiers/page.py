"""docs/results_classifiers.md, from benchmarks/results/classifiers.json."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

PAPER = {  # top-1 / top-5 on 1,500 classifiers of ImageNet subsets, probes of COCO
    "WPMI": (0.449, 0.671),
    "SoftWPMI": (0.421, 0.641),
    "all probes, calibrated": (0.587, 0.789),
    "ProbeLog": (0.644, 0.825),
}
BY_PICTURES = {  # top-1 by 1, 5 and 10 pictures
    "WPMI": (0.119, 0.186, 0.201),
    "SoftWPMI": (0.094, 0.152, 0.160),
    "ProbeLog": (0.235, 0.492, 0.553),
}
PROBES = {"world": ("the training data's own", 0.861), "generated": ("Stable Diffusion", 0.739)}

INTRODUCTION = """# Results: classifiers

Made by `python -m benchmarks.classifiers` from `benchmarks/results/classifiers.json`. No figure here is typed by hand, but
for the paper's own ("Zero-shot model search via text-to-logit matching", ProbeLog).

{models} small classifiers with {outputs} outputs that no file names, each trained on 5 to 60 of {concepts} concepts: the
procedural world's things in its colours ("red star"), drawn anew by its renderer. {shapes} shapes of networks, each
trained on 3 to 48 pictures a concept, {trained}; nine of ten begin as one of {shapes} networks that were trained on all
concepts, the others as nothing (the paper fine-tunes nine of ten as a whole, from 49 networks). {onnx} are ONNX files, the
others timm's folders. They tell {accuracy:.0%} of held-out pictures of their own concepts, on average. Every concept asks
once; it is found if the first output (one of the first five) was trained on it. {probes} probes, r = {r}, k = {k}; in brackets
the 95 % interval over collections drawn from the models. CLIP is the procedural zoo's, which knows the words of this world only.
"""


DIFFERENT = """## What differs from the paper

ProbeLog is first, as in the paper, though its interval overlaps with SoftWPMI's; cutting off all but the most exciting probes and
calibration are both needed for it. All probes with calibration stand below WPMI, as on the paper's second collection (.318
against .353), not as on its first.
All figures are lower. The procedural zoo's CLIP tells a concept from the others far worse than CLIP tells ImageNet's classes (an
area of {clip:.3f} here, .421 there), and one concept differs from the next by nothing but the colour of the thing; pictures as
queries suffer from it most. A background of 400 is too small for more than a handful of neighbours. That the first
answer is also the one that knows its concept best is not seen here: outputs for a concept come from the same five networks and
hardly differ. Tried: r, k, sizes, templates (above); none lifts top-1 beyond its interval.
"""


def page(results: Mapping[str, Any], speed: Mapping[str, Any], real: Mapping[str, Any]) -> str:
    """`speed` and `real`: what the commands of these names found."""
    sections = [*_sections(results, speed), *_real(real)]
    facts = results["facts"]
    return "\n".join([INTRODUCTION.format(**facts, trained=_trained(facts)), *sections]).rstrip() + "\n"


def _trained(facts: Mapping[str, Any]) -> str:
    if facts["whole"] == facts["models"]:
        return "all as a whole"
    return f"{facts['whole']} as a whole, the others in their last layer alone"


def _real(real: Mapping[str, Any]) -> Iterable[str]:
    yield "## Released weights, photographs with names\n"
    yield (
        "EfficientNet-Lite0 (ImageNet's 1,000 outputs, which no file names) is asked "
        f"{real['pictures']} photographs of Debian's `tuxpaint-stamps-default`, by `python -m benchmarks.classifiers.real`. "
        "No CLIP that knows photographs was at hand, so what a picture shows is told by its name: "
        f"sentence features of MiniLM in CLIP's place. Asked are the {real['asked']} names that are labels of ImageNet. In "
        f"{real['network_top5']:.0%} of these the network itself knows the picture (the right output among its first five).\n"
    )
    yield _table(
        ["asked", "top-1", "top-5"],
        (
            ["all", _figure(real["top1"]), _figure(real["top5"])],
            ["those whose picture the network knows", _figure(real["top1_of_known"]), _figure(real["top5_of_known"])],
            ["the others", "", _figure(real["top5_of_unknown"])],
        ),
    )
    yield ""
    yield _table(["word", "first outputs"], ([name, ", ".join(found)] for name, found in real["first"].items()))
    yield (
        "\nWith three hundred probes the neighbours of a class are confused with it. Drawings in place of photographs (emoji) do "
        "far worse: most of them the network does not know at all, so no output of it answers as a word asks.\n"
    )


def _sections(results: Mapping[str, Any], speed: Mapping[str, Any]) -> Iterable[str]:
    yield "## By text\n"
    yield (
        "Background: phrases of the world that name a thing or a colour, no concept as a whole; and the 500 names that the "
        "tool takes (ImageNet-21k's), which mean nothing to a CLIP of this world.\n"
    )
    yield _table(
        [
            "method",
            "top-1",
            "top-5",
            "top-1, foreign background",
            "half of all answers from",
            "paper top-1",
            "paper top-5",
        ],
        (
            [
                name,
                _interval(results["text"]["captions"][name]),
                _figure(results["text"]["captions"][name]["top5"]),
                _figure(results["text"]["names"][name]["top1"]),
                f"{results['hubs'][name]} outputs",
                *(map(_figure, PAPER.get(name, ()) or ("", ""))),
            ]
            for name in results["text"]["captions"]
        ),
    )
    yield "\n## By pictures\n"
    yield _table(
        ["method", *(f"{n} {'picture' if n == '1' else 'pictures'}" for n in results["pictures"]), "paper"],
        (
            [
                name,
                *(_figure(measured[name]["top1"]) for measured in results["pictures"].values()),
                _list(BY_PICTURES[name]),
            ]
            for name in BY_PICTURES
        ),
    )
    yield "\n## Which probes\n"
    yield "As many of each set (" + str(min(600, results["facts"]["probes"])) + ").\n"
    yield _table(
        ["probes", "top-1", "top-5", "paper"],
        (
            [name, _interval(one), _figure(one["top5"]), " ".join(map(str, PROBES.get(name, ())))]
            for name, one in results["probes"].items()
        ),
    )
    yield "\n## Constants\n"
    for key, column, said in (
        ("r", "r", "Probes kept of an output (the paper's peak: 50 of 4,000)."),
        ("n", "n", "Number of probes (paper: .644 with 4,000, .682 with 8,000)."),
        ("background", "size", "Size of the background (paper: .448 with 5, .572 with 100, .652 with 500)."),
        ("k", "k", "Nearest background concepts that calibrate (the paper does not say)."),
        ("templates", "template", "How a concept is put."),
    ):
        yield f"{said}\n"
        yield _table(
            [column, "top-1", "top-5"],
            ([f"`{one[column]}`", _interval(one), _figure(one["top5"])] for one in results[key]),
        )
        yield ""
    yield from _claims(results)
    yield from _speed(results["tool"]["no labels"]["bytes"], speed)
    yield DIFFERENT.format(clip=results["quality"]["clip"])


def _speed(size: float, speed: Mapping[str, Any]) -> Iterable[str]:
    yield "## Size and speed\n"
    yield (
        f"An output takes {size:.0f} bytes in the catalog, {speed['kept'] / speed['outputs']:.0f} in memory. "
        f"`python -m benchmarks.classifiers.speed` asks an index of {speed['outputs']:,} outputs for the first "
        f"{speed['first']} ({speed['made']:,} outputs that differ, each {speed['outputs'] // speed['made']} times), CLIP having "
        f"read the words. {speed['cores']} cores at a load of {speed['load']:.1f}, this process among it: the clock "
        "says how long it takes at best and how long usually; the processor's time is that of all threads together.\n"
    )
    rows = (
        ("copying what is kept of responses", "copying"),
        ("all probes of all outputs", "all_probes"),
        ("the search", "search"),
    )
    milliseconds = lambda value: f"{1000 * value:.0f} ms"  # noqa: E731
    yield _table(
        ["", "clock, at best", "usually", "processor"],
        ([name, *(milliseconds(speed[key][of]) for of in ("clock", "usual", "processor"))] for name, key in rows),
    )
    yield (
        f"\nThe search is the mean of {speed['as_plain'][1]} concepts; at best they take {milliseconds(speed['quickest'])} to "
        f"{milliseconds(speed['slowest'])} by the clock. A search takes "
        f"{speed['meanwhile'] / 1e6:.0f} MB meanwhile. {speed['as_plain'][0]} of {speed['as_plain'][1]} answers are those of the "
        "plain formulas, number for number.\n"
    )


def _claims(results: Mapping[str, Any]) -> Iterable[str]:
    quality = results["quality"]
    yield "## Does the best come first?\n"
    yield (
        "Area below precision and recall of an output for its concept, among held-out pictures of all concepts: "
        f"{quality['first']:.3f} for the first right answer, {quality['all']:.3f} for all outputs, {quality['clip']:.3f} for "
        "CLIP itself (paper: .647, .433, .421). Within a concept, place and area have a rank correlation of "
        f"{quality['correlation']:.2f} (mean of {quality['concepts']} concepts).\n"
    )
    yield "## The tool's own answers\n"
    yield (
        "`modelsearch search --text`, with its own background, calibration and labels. Labels of a file count as far as its "
        "responses bear them out (agreement: median over the files).\n"
    )
    yield _table(
        ["labels", "top-1", "top-5", "agreement"],
        (
            [
                name,
                _figure(one["top1"]),
                _figure(one["top5"]),
                "" if one["agreement"] is None else f"{one['agreement']:.2f}",
            ]
            for name, one in results["tool"].items()
        ),
    )
    yield ""


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    headings = list(headings)
    lines = [headings, ["---"] * len(headings), *map(list, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _interval(measured: Mapping[str, float]) -> str:
    return f"{_figure(measured['top1'])} ({_figure(measured['low'])}–{_figure(measured['high'])})"


def _figure(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.3f}".removeprefix("0")


def _list(values: Iterable[float]) -> str:
    return " ".join(map(_figure, values))
