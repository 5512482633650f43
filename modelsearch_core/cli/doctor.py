"""`modelsearch doctor`: what is missing and how to get it."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata

from .. import nearest
from ..catalog import Catalog
from ..catalog.opening import is_there
from ..encoders import DEFAULT_ENCODER
from ..errors import ModelSearchError
from ..model_files import Kind, ModelFile, scan
from ..pictures import SUMMARY, PictureSummary
from ..places import Place
from .tables import print_json, print_table

PACKAGES = (
    "torch",
    "torchvision",
    "open_clip_torch",
    "diffusers",
    "transformers",
    "peft",
    "safetensors",
    "controlnet_aux",
)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `remedy` is empty where nothing is missing."""

    what: str
    state: str
    remedy: str = ""


def doctor(args: argparse.Namespace) -> int:
    """1 if something is missing."""
    findings = [*_packages(), _device(), _encoder(args.catalog), *_models(args), *_pictures(args.catalog)]
    if args.json:
        print_json([asdict(finding) for finding in findings])
    else:
        print_table(["what", "state", "to do"], [(f.what, f.state, f.remedy or "-") for f in findings], wrapped=True)
    return 1 if any(finding.remedy for finding in findings) else 0


def _packages() -> Iterator[Finding]:
    yield Finding("Python", sys.version.split()[0])
    for name in PACKAGES:
        try:
            yield Finding(name, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding(name, "not installed", f"pip install {name}, or run install.py")


def _device() -> Finding:
    try:
        from ..encoders.device import best_device  # brings torch along
    except ImportError as error:
        return Finding("device", f"torch does not start: {error}", "install torch as its site says for your machine")
    device = best_device()
    slow = device.type == "cpu"
    return Finding("device", f"{device.type}{' (slow: a full-size model takes hours)' if slow else ''}")


def _encoder(catalog: Place) -> Finding:
    source = DEFAULT_ENCODER
    if is_there(catalog):
        with Catalog(catalog, read_only=True) as opened:
            source = next((known for _, known, _ in opened.encoders()), source)
    try:
        from ..encoders import open_encoder

        return Finding("encoder", open_encoder(source, device="cpu").name)
    except (ModelSearchError, ImportError) as error:
        return Finding("encoder", f"{source} cannot be opened", str(error))


def _models(args: argparse.Namespace) -> Iterator[Finding]:
    found = _known_models(args)
    if not found:
        yield Finding("models", "none known", "run `modelsearch index FOLDER`, or name folders behind `doctor`")
        return
    yield Finding("models", ", ".join(f"{n} {kind}" for kind, n in Counter(m.kind.value for m in found).items()))
    if len(found) > nearest.MANY and not nearest.is_there():
        yield Finding("so many models", "each is compared with each text", 'pip install "model-search[ann]"')
    loras = Counter(model.architecture for model in found if model.kind is Kind.LORA)
    bases = {model.architecture for model in found if model.kind is Kind.CHECKPOINT}
    for architecture, count in sorted(loras.items()):
        remedy = "" if architecture in bases else f"index a folder with a {architecture} checkpoint, or use --base"
        yield Finding(f"base for {count} {architecture} LoRA", "none" if remedy else "there", remedy)


def _pictures(catalog: Place) -> Iterator[Finding]:
    """Those that the user has made, if any were looked at."""
    if not is_there(catalog):
        return
    with Catalog(catalog, read_only=True) as opened:
        summary = PictureSummary.from_json(opened.setting(SUMMARY))
    if summary is None:
        return
    remedy = "mount or share these folders, then run `modelsearch index` again" if summary.unread else ""
    yield Finding("your pictures", str(summary), remedy)


def _known_models(args: argparse.Namespace) -> list[ModelFile]:
    if args.folders:
        return [file for file in scan(args.folders) if isinstance(file, ModelFile)]
    if not is_there(args.catalog):
        return []
    with Catalog(args.catalog, read_only=True) as catalog:
        return catalog.models()
