"""The command line's words."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..collection import FILTERS
from ..indexing import IndexSettings
from ..model_files import Kind
from ..places import catalog_place, default_catalog
from ..search import METHODS
from ..similarity_map import METHODS as MAPS
from .values import device, number, pixels, whole, words

DRAWERS = ("auto", "hed", "pidinet", "canny", "fine_outlines", "outlines", "pencil")
SHORTER, METAVARS = {"architecture": ["--arch"]}, {"architecture": "A"}
CLASSIFIER_KINDS = frozenset((Kind.CLASSIFIER.value, Kind.DETECTOR.value))
Commands = Any  # argparse keeps the class of `add_subparsers` to itself


def parser() -> argparse.ArgumentParser:
    """The whole command line; each command stores its name in `command`."""
    root = argparse.ArgumentParser(
        prog="modelsearch", description="Finds the model in your own folders by what it generates."
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_index(commands.add_parser("index", help="generate from the models of a folder and remember what they do"))
    _add_search(commands.add_parser("search", help="find models by text, image, sketch or another model"))
    _add_short_commands(commands)
    _add_evaluate(commands.add_parser("evaluate", help="how far the index can be trusted"))
    trained = _add_train(commands.add_parser("train", help="learn from the index: what a style is, how to match"))
    _add_grid(commands.add_parser("grid", help="what several models make of the same drawings, as one picture"))
    _add_map(commands.add_parser("map", help="the collection as a picture, similar models near each other"))
    _add_serve(commands.add_parser("serve", help="search and index in a browser"))
    _add_demo(commands.add_parser("demo", help="index the bundled mini zoo and search it"))
    for command in (*(c for name, c in commands.choices.items() if name != "train"), *trained):
        command.add_argument(
            "--catalog",
            type=catalog_place,
            default=default_catalog(),
            metavar="FILE",
            help="the index: a file, or a server's postgresql://user@host/database",
        )
        command.add_argument("--json", action="store_true", help="machine-readable output")
    return root


def about_classifiers(args: argparse.Namespace) -> bool:
    """Whether only kinds were named that are found by what they tell, not by what they make."""
    kinds: list[str] = [args.kind] if isinstance(args.kind, str) else args.kind or []
    return bool(kinds) and CLASSIFIER_KINDS.issuperset(kinds)


def _add_index(command: argparse.ArgumentParser) -> None:
    command.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    command.add_argument("--kind", action="append", choices=[kind.value for kind in Kind], help="only such models")
    command.add_argument("--quick", action="store_true", help="names, words and previews only; generate nothing")
    command.add_argument(
        "--samples", type=whole(1, 4096), metavar="N", help="pictures a model (else as many as it takes)"
    )
    command.add_argument(
        "--budget",
        type=number(0.001, 1e9),
        default=IndexSettings.budget,
        metavar="N",
        help="most of one model, in what N pictures of SD 1.5 take (%(default)g); --samples goes without",
    )
    cluster = command.add_argument_group("cluster (models are generated from on other machines' GPUs)")
    cluster.add_argument("--ray", metavar="ADDRESS", help="of a Ray cluster that this machine has joined, or auto")
    cluster.add_argument(
        "--map", action="append", default=[], metavar="HERE=THERE", help="where workers see a folder of this machine's"
    )
    command.add_argument("--refresh", action="store_true", help="again, where the settings were other ones")
    _add_pictures(command)
    _add_generation(command)


def _add_pictures(command: argparse.ArgumentParser) -> None:
    made = command.add_argument_group("pictures that you have made (kept in mind: later runs look for new ones)")
    made.add_argument(
        "--pictures",
        nargs="+",
        type=Path,
        metavar="FOLDER",
        help="where pictures lie whose files name their models: WebUIs', ComfyUI's, Fooocus', SwarmUI's, InvokeAI's",
    )
    made.add_argument("--no-pictures", action="store_true", help="forget them, and look at none")
    made.add_argument(
        "--picture-sets",
        nargs="*",
        type=Path,
        metavar="FOLDER",
        help="sub-folders of pictures, each in the place of a model that is not here (without FOLDER: none any more)",
    )


def _add_generation(command: argparse.ArgumentParser) -> None:
    command.add_argument("--encoder", metavar="NAME", help="an open_clip model/weights, or a folder with one")
    _add_device(command)
    _add_style(command)
    _add_spatial(command)
    _add_probes(command)
    generation = command.add_argument_group("generation (changes the pictures, so old ones do not count)")
    generation.add_argument("--base", type=Path, metavar="CKPT", help="the base model that LoRA are applied to")
    generation.add_argument("--prompts", type=Path, metavar="FILE", help="your own probes, one prompt a line")
    generation.add_argument("--size", type=pixels, metavar="PIXELS", help="width and height")
    generation.add_argument("--steps", type=whole(1, 1000), metavar="N")
    generation.add_argument("--guidance", type=number(0, 100), metavar="CFG")
    generation.add_argument("--no-accelerator", action="store_true", help="no few-step LoRA even if one is found")
    generation.add_argument("--vae-approx", type=Path, action="append", metavar="FOLDER", help="where TAESD lies")
    generation.add_argument("--batch", type=whole(1, 4096), metavar="N", help="pictures at a time")


def _add_style(command: argparse.ArgumentParser) -> None:
    style = command.add_argument_group("style (what LoRA make of line drawings, for search by style)")
    style.add_argument("--style", action="store_true", help="have every LoRA fill out a set of drawings")
    style.add_argument("--drawing", choices=DRAWERS, default="auto", help="what draws (hed where it is on disk)")
    style.add_argument("--subjects", type=Path, metavar="FOLDER", help="your own pictures in place of the bundled 30")


def _add_spatial(command: argparse.ArgumentParser) -> None:
    spatial = command.add_argument_group(
        "layout (where things are in the kept pictures, for --respect-layout; new models and those indexed before)"
    )
    spatial.add_argument("--spatial", action="store_true", help="map the pictures, as kept: 256 pixels the short side")
    spatial.add_argument(
        "--spatial-encoder", metavar="NAME", help="a ConvNeXt by timm's name, or a folder (convnext_tiny.fb_in22k)"
    )


def _add_probes(command: argparse.ArgumentParser) -> None:
    probes = command.add_argument_group("classifiers and detectors (--kind classifier, --kind detector)")
    probes.add_argument(
        "--probes",
        type=Path,
        metavar="FOLDER",
        help="pictures to ask them with (else what base models made, the bundled subjects and some of --pictures; "
        "kept from then on)",
    )
    probes.add_argument(
        "--trust-pickled",
        action="store_true",
        help="ask Ultralytics' .pt files too, through your own `ultralytics`; loading one runs whatever code is in it",
    )


def _add_train(command: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    subjects = command.add_subparsers(dest="what", required=True, metavar="WHAT")
    style = subjects.add_parser("style", help="what a style is, from what LoRA made of drawings (index --style)")
    style.add_argument("--network", choices=["linear", "vgg19"], default="linear", help="vgg19 wants a GPU")
    style.add_argument(
        "--features",
        choices=["auto", "csd", "encoder"],
        default="auto",
        help="what a linear head takes: CSD's, which are made for styles, or the index's own (auto: CSD's where its "
        "weights are on disk, a few seconds a picture without a GPU, once; csd: downloads 1.2 GB where they are not)",
    )
    style.add_argument("--csd", type=Path, metavar="FILE", help="the weights of CSD (.safetensors, .pth, .bin)")
    style.add_argument("--epochs", type=whole(1), metavar="N")
    style.add_argument("--margin", type=number(0.001, 100), metavar="M", help="of the triplet loss")
    _add_device(style)
    matching = subjects.add_parser("matching", help="which features tell your models apart (tunes to your collection)")
    for parser in (style, matching):
        parser.add_argument("--out", type=Path, metavar="FILE", help="what was learned (default: beside the index)")
        parser.add_argument("--seed", type=whole(0), default=0, metavar="N", help="of what is held out, and of chance")
        parser.add_argument("--force", action="store_true", help="use it even where it is worse than no training")
    return [style, matching]


def _add_grid(command: argparse.ArgumentParser) -> None:
    command.add_argument("models", nargs="+", metavar="MODEL")
    command.add_argument("--out", type=Path, default=Path("grid.png"), metavar="PNG", help="where the picture goes")
    command.add_argument("--columns", type=whole(1, 200), default=10, metavar="N", help="drawings at most")


def _add_search(command: argparse.ArgumentParser) -> None:
    command.add_argument("--text", action="append", default=[], type=words, metavar="T", help="what it should make")
    command.add_argument("--image", action="append", default=[], type=Path, metavar="F", help="a picture like it")
    command.add_argument("--sketch", action="append", default=[], type=Path, metavar="F", help="a line drawing of it")
    command.add_argument(
        "--like", action="append", default=[], type=words, metavar="MODEL", help="a model of the index"
    )
    command.add_argument(
        "--without", action="append", default=[], type=words, metavar="T", help="text or picture not wanted"
    )
    command.add_argument(
        "--weight",
        action="append",
        default=[],
        type=number(0.001, 100, "; what is not wanted goes to --without"),
        metavar="W",
        help="one for each input",
    )
    command.add_argument("--prompt", metavar="T", type=words, help="what the image was made with or shows, in words")
    _add_filters(command)
    command.add_argument("--method", choices=METHODS, default="auto")
    command.add_argument("--style", type=number(0, 1), metavar="S", help="pictures: 0 same subject ... 1 same style")
    command.add_argument(
        "--respect-layout", action="store_true", help="rank the best again by where things are in the picture"
    )
    command.add_argument("--diverse", action="store_true", help="no two alike")
    command.add_argument(
        "--exact",
        action="store_true",
        help="judge every model by all of its samples, instead of the best five hundred by a summary of each",
    )
    command.add_argument("--explain", action="store_true", help="what each input contributed")
    command.add_argument("-k", type=whole(1, 100_000), default=10, metavar="N", help="how many")
    command.add_argument("--sheet", type=Path, metavar="PNG", help="write a contact sheet of the answer")
    _add_device(command)


def _add_filters(command: argparse.ArgumentParser) -> None:
    for name, of in FILTERS.items():
        options = [f"--{name.replace('_', '-')}", *SHORTER.get(name, ())]
        told = of.help[0].lower() + of.help[1:]
        command.add_argument(*options, dest=name, choices=of.choices or None, metavar=METAVARS.get(name), help=told)


def _add_short_commands(commands: Commands) -> None:
    commands.add_parser("list", help="all models, classifiers and detectors of the index")
    show = commands.add_parser("show", help="what is known of one model")
    show.add_argument("model", metavar="MODEL")
    show.add_argument("--sheet", type=Path, metavar="PNG", help="write its samples as a contact sheet")
    commands.add_parser("status", help="how much is indexed, and what failed")
    by_hand = commands.add_parser("set", help="say by hand what a model is; kept when its folder is indexed again")
    by_hand.add_argument("model", metavar="MODEL")
    by_hand.add_argument("--architecture", metavar="A", help="sd15, sdxl, flux, ...; empty: what the file says")
    by_hand.add_argument("--base", metavar="CKPT", help="the model of the index under this LoRA; empty: the best one")
    by_hand.add_argument("--trigger", metavar="WORDS", help="trigger words, with commas between; empty: none at all")
    by_hand.add_argument("--reset", action="store_true", help="forget all that was set before")
    forget = commands.add_parser("forget", help="drop what was measured of a model")
    forget.add_argument("model", metavar="MODEL")
    duplicates = commands.add_parser("duplicates", help="models with the same weights or the same pictures")
    duplicates.add_argument("--threshold", type=number(0.001, 1), metavar="COSINE", help="how alike counts as near")
    copy = commands.add_parser("copy", help="an index into a new file, or onto a server, or back")
    copy.add_argument("source", type=catalog_place, metavar="FROM", help="a file, or postgresql://…")
    copy.add_argument("target", type=catalog_place, metavar="TO", help="a new one")
    copy.add_argument(
        "--pictures", default="", metavar="URL", help="where samples' pictures go (file:///…, s3://…; else into it)"
    )
    export = commands.add_parser("export", help="means, directions and words, for another engine")
    export.add_argument("file", type=Path, metavar="F.parquet")
    commands.add_parser("repair", help="save what can be read of a damaged index")
    doctor = commands.add_parser("doctor", help="what is missing and how to get it")
    doctor.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")


def _add_evaluate(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "folder", nargs="?", type=Path, metavar="DIR", help="one sub-folder of pictures a model (else the index's own)"
    )
    command.add_argument("--sketch", action="store_true", help="ask by line drawings")
    command.add_argument("--method", choices=METHODS, action="append", help="several allowed; else all that suit")
    command.add_argument(
        "--kind", choices=sorted(CLASSIFIER_KINDS), help="ask classifiers: DIR has a sub-folder a concept"
    )
    own = command.add_argument_group("without DIR: how far the index can be trusted, by samples held out of it")
    own.add_argument("--queries", type=int, metavar="N", help="pictures of each model (else as many as take minutes)")
    own.add_argument("--folds", type=int, default=5, metavar="N", help="parts that are held out in turn")
    own.add_argument("--all", action="store_true", help="the models that are found well, too")
    _add_device(command)


def _add_map(command: argparse.ArgumentParser) -> None:
    command.add_argument("--output", type=Path, default=Path("map.png"), metavar="PNG", help="where the picture goes")
    command.add_argument("--method", choices=MAPS, default="pca", help="umap wants umap-learn")
    command.add_argument("--kind", choices=[kind.value for kind in Kind], help="only such models")
    command.add_argument("--width", type=int, default=1600, metavar="PIXELS", help="at most")


def _add_serve(command: argparse.ArgumentParser) -> None:
    command.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="what to index (else as last time)")
    command.add_argument(
        "--pictures",
        nargs="+",
        type=Path,
        metavar="FOLDER",
        help="where pictures lie that you have made (else as last time)",
    )
    command.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS", help="where to listen (default: this machine)"
    )
    command.add_argument("--port", type=whole(0, 65535), default=8189, metavar="N", help="0 takes a free one")
    command.add_argument("--own-name", action="append", default=[], metavar="NAME", help="a host name it is reached by")
    command.add_argument(
        "--password", nargs="?", const="", metavar="WORD", help="to be asked of whoever opens it (no WORD: type it now)"
    )
    command.add_argument("--open", action="store_true", help="open the browser")
    _add_generation(command)


def _add_demo(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", type=Path, default=Path("demo"), metavar="FOLDER", help="where the pictures go")
    command.add_argument("--samples", type=whole(1, 4096), default=32, metavar="N", help="pictures a model")


def _add_device(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--device", default="auto", type=device, metavar="D", help="cuda, mps, cpu (default: the best there is)"
    )
