"""`modelsearch index`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from ..catalog import Catalog
from ..drawing import best_drawer
from ..embedding import Encoder
from ..encoders import DEFAULT_ENCODER, open_encoder
from ..errors import ModelSearchError
from ..generation import Generator
from ..generators import GeneratorSettings
from ..indexing import Engine, IndexSettings, Report
from ..indexing import index as run_index
from ..indexing.style_vectors import encode_renderings
from ..model_files import Kind, ModelFile
from ..places import expanded
from ..probes import Probe, default_probes, own_probes, prompts_of
from ..search.preparing import prepare
from .bars import Bars
from .cluster import check_cluster, cluster_of
from .drawings import reference_set_of
from .screen import visible
from .spatial import spatial_encoder_of
from .tables import print_json
from .values import check_folders, check_generation

FAILED = " (why is said above, and by `modelsearch status`)"


def index(args: argparse.Namespace) -> int:
    """Brings the catalog up to date with the folders."""
    started = time.monotonic()
    if not args.folders and args.picture_sets is None and not args.pictures:
        raise ModelSearchError("there is no folder to index; name one, as in `modelsearch index FOLDER`")
    check_folders([*args.folders, *(args.pictures or ()), *(args.picture_sets or ())])
    check_generation(args)
    check_cluster(args)
    settings = IndexSettings(
        samples=args.samples,
        budget=args.budget,
        quick=args.quick,
        refresh=args.refresh,
        kinds=[Kind(kind) for kind in args.kind] if args.kind else None,
        pictures=() if args.no_pictures else args.pictures,
        picture_sets=args.picture_sets,
    )
    with Catalog(args.catalog) as catalog, Bars(shown=False if args.json else None) as bars:
        with_what = engine(args, catalog)
        with cluster_of(args, args.catalog, generator_settings(args), with_what.references) as cluster:
            if cluster is not None:
                with_what = replace(with_what, generate_all=cluster, paint_all=cluster.paint)
            report = run_index(catalog, args.folders, with_what, settings, bars)
        if args.style:
            encode_renderings(catalog, with_what.encoder.name, args.device)
        advice = _kept_up(catalog, with_what.encoder.name) if report.rendered else ""
        prepare(catalog, with_what.encoder, with_what.draw)
    print_json(_as_json(report)) if args.json else _tell(report, time.monotonic() - started, args)
    if advice and not args.json:
        print(advice)
    return 1 if report.failed or not report.models else 0


def engine(
    args: argparse.Namespace,
    catalog: Catalog,
    open_with: Callable[[str], Encoder] | None = None,
    *,
    style: bool = False,
) -> Engine:
    """What generates and encodes, as the options say; the encoder of an existing catalog unless another is named.
    `open_with` opens it where one is kept already."""
    known = catalog.encoders()
    source = args.encoder or (known[0][1] if known else DEFAULT_ENCODER)

    def generator_for(models: Sequence[ModelFile]) -> Generator:
        from ..generators.diffusers import DiffusersGenerator  # brings torch and diffusers along

        return DiffusersGenerator(models, generator_settings(args), references)

    references = reference_set_of(args) if style or getattr(args, "style", False) else None
    spatial, spatial_source = spatial_encoder_of(args, catalog)
    encoder = open_with(source) if open_with else open_encoder(source, device=args.device)
    return Engine(
        encoder=encoder,
        encoder_source=source,
        generator_for=generator_for,
        draw=best_drawer(),
        probes=probes_of(args.prompts) if args.prompts else default_probes,
        references=references,
        spatial=spatial,
        spatial_source=spatial_source,
    )


def _kept_up(catalog: Catalog, encoder: str) -> str:
    """What is to be said of the trained style encoder now that more has been painted."""
    from ..training.upkeep import keep_up  # brings torch along

    return keep_up(catalog, encoder)


def probes_of(file: Path) -> Callable[[int], Sequence[Probe]]:
    """The user's own prompts as probes. ModelSearchError where the file has none."""
    try:
        prompts = prompts_of(expanded(file).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise ModelSearchError(
            f"{file} cannot be read as prompts ({error}); give a text file, one prompt a line"
        ) from None
    if not prompts:
        raise ModelSearchError(f"{file} has no prompts; write one a line")
    return partial(own_probes, prompts)


def generator_settings(args: argparse.Namespace) -> GeneratorSettings:
    return GeneratorSettings(
        device=args.device,
        base=args.base,
        size=args.size,
        steps=args.steps,
        guidance=args.guidance,
        batch=args.batch,
        accelerator=not args.no_accelerator,
        decoders=tuple(args.vae_approx or ()),
    )


def _tell(report: Report, seconds: float, args: argparse.Namespace) -> None:
    print(
        f"{report.models} models: {len(report.generated)} generated now ({report.images} images), "
        f"{report.unchanged} unchanged, {len(report.failed)} failed{FAILED if report.failed else ''}; {seconds:.0f} s"
    )
    for path in report.without_effect:
        print(visible(f"  no effect: {path}: its pictures are those of its base"), file=sys.stderr)
    if any("base" in reason for reason in report.failed.values()):
        print("  --base CKPT puts a checkpoint of your choice under the LoRA", file=sys.stderr)
    if report.elsewhere:
        print(f"  {len(report.elsewhere)} are being generated by another process that indexes into this catalog")
    if report.rendered or report.prompts_only:
        print(
            f"  style: {len(report.rendered)} LoRA painted drawings now; {len(report.prompts_only)} take prompts only"
        )
    if report.pictures:
        print(f"  {report.pictures}")
    if report.mapped:
        print(f"  layout: maps of {len(report.mapped)} models made now")
    if report.skipped:
        print(f"  {len(report.skipped)} files are no models or cannot be read: `modelsearch status` lists them")
    print(f"catalog: {args.catalog}")


def _as_json(report: Report) -> dict[str, object]:
    return {
        "models": report.models,
        "generated": [str(path) for path in report.generated],
        "unchanged": report.unchanged,
        "elsewhere": [str(path) for path in report.elsewhere],
        "images": report.images,
        "removed": report.removed,
        "pictures": asdict(report.pictures) if report.pictures else None,
        "mapped": [str(path) for path in report.mapped],
        "painted": [str(path) for path in report.rendered],
        "prompts_only": {str(path): reason for path, reason in report.prompts_only.items()},
        "without_effect": [str(path) for path in report.without_effect],
        "failed": {str(path): reason for path, reason in report.failed.items()},
        "skipped": {str(file.path): file.reason for file in report.skipped},
    }
