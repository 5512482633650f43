"""From folders to a filled catalog: scan, words, previews, generation. Resumable; one model at a time."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..background import compared_texts
from ..catalog import Catalog, compared
from ..embedding import Encoder, ImageEncoder
from ..errors import CatalogFaultError, ModelSearchError, UnsupportedReferenceError
from ..generation import Generator
from ..model_files import Kind, ModelFile, SkippedFile, scan
from ..model_files.by_hand import ByHand
from ..places import expanded
from ..probes import Probe, default_probes
from ..prompt_templates import behind_all, templates
from ..reference_set import ReferenceSet
from ..specification import Evidence
from .asking import Asking, paint
from .cheap_evidence import BATCH, store_previews, store_words
from .identity import Identifier
from .ordering import in_order
from .picture_sets import update_sets
from .progress import Progress, Report, Step, reason_of, silent
from .references import ReferenceSampler
from .sampling import BEGUN, Draw, Sampler
from .settings import IndexSettings
from .spatial_maps import store_maps
from .turns import Turns
from .user_pictures import store_pictures
from .wanted import one_by_one
from .weight_sketches import store_sketches

GeneratorFor = Callable[[Sequence[ModelFile]], Generator]  # gets all known models, as candidates for a base

log = logging.getLogger(__name__)
MOST_TRIES = 3  # to have all generic texts at one moment


class GenerateAll(Protocol):
    """Samples every model that is not current yet, as `generate_all` does; or paints, as `paint_references`."""

    def __call__(
        self,
        catalog: Catalog,
        models: Sequence[ModelFile],
        engine: Engine,
        settings: IndexSettings,
        report: Report,
        progress: Progress,
    ) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Engine:
    """What generates, draws and encodes. `encoder_source` opens the same encoder again for a search."""

    encoder: Encoder
    encoder_source: str
    generator_for: GeneratorFor
    draw: Draw
    probes: Callable[[int], Sequence[Probe]] = default_probes
    references: ReferenceSet | None = None  # drawings to ask LoRA with, for style search
    spatial: ImageEncoder | None = None  # of where things are in the pictures, for search by layout
    spatial_source: str = ""  # opens it again
    generate_all: GenerateAll | None = None  # on other machines, in place of this one
    paint_all: GenerateAll | None = None  # drawings on other machines


def index(
    catalog: Catalog,
    folders: Sequence[Path],
    engine: Engine,
    settings: IndexSettings | None = None,
    progress: Progress = silent,
) -> Report:
    """Brings the catalog up to date with the folders. Raises only for what concerns all models; each model that fails
    is recorded with its reason and the others go on."""
    settings = settings or IndexSettings()
    folders = [expanded(folder).absolute() for folder in folders]
    report = Report()
    models = update_files(catalog, folders, settings, report, progress)
    sets = update_sets(catalog, settings.picture_sets)
    report.models += len(sets)
    catalog.put_encoder(engine.encoder.name, engine.encoder_source, engine.encoder.dimension)
    store_words(catalog, engine.encoder, [*models, *sets], progress)
    store_previews(catalog, engine.encoder, models, progress)
    report.pictures = store_pictures(catalog, engine.encoder, settings.pictures, progress)
    if settings.sketches:
        store_sketches(catalog, models, progress)
    store_background(catalog, engine.encoder, engine.probes(settings.probes), progress)
    if not settings.quick:
        (engine.generate_all or generate_all)(catalog, models, engine, settings, report, progress)
        if engine.references is not None:
            (engine.paint_all or paint_references)(catalog, models, engine, settings, report, progress)
    if engine.spatial is not None:
        name = engine.encoder.name
        store_maps(catalog, name, engine.spatial, engine.spatial_source, models, report, progress)
    return report


def update_files(
    catalog: Catalog, folders: Sequence[Path], settings: IndexSettings, report: Report, progress: Progress
) -> list[ModelFile]:
    """Scans, stores what is new, drops what is gone; the models there, one of each fingerprint."""
    known = {file.path: file for file in catalog.files()}
    found: list[ModelFile | SkippedFile] = []
    for file in scan(folders, known):
        found.append(file)
        progress(Step(stage="scan", done=len(found), total=None, model=file.path.name))
    seen = {file.path for file in found}
    gone = [path for path, file in known.items() if path not in seen and not _is_set(file) and _inside(path, folders)]
    old = [file for file in found if known.get(file.path) is file]
    new = _settled(catalog, [file for file in found if known.get(file.path) is not file], old, progress)
    with catalog.transaction():
        catalog.remove_files(gone)
        catalog.put_files(new)
    by_hand = catalog.by_hand.all()
    found = [*old, *(by_hand.get(f.fingerprint, ByHand()).on(f) if isinstance(f, ModelFile) else f for f in new)]
    models = distinct(file for file in found if isinstance(file, ModelFile))
    models = [model for model in models if settings.kinds is None or model.kind in settings.kinds]
    report.models, report.removed = len(models), len(gone)
    report.skipped = [file for file in found if isinstance(file, SkippedFile)]
    return models


def _settled(
    catalog: Catalog,
    new: Sequence[ModelFile | SkippedFile],
    old: Sequence[ModelFile | SkippedFile],
    progress: Progress,
) -> list[ModelFile | SkippedFile]:
    """The new ones, under the fingerprints of whose weights they hold."""
    reading = Step(stage="weights", done=0, total=None)
    identifier = Identifier(catalog, _models_of(old), lambda: progress(reading))
    return [*identifier.settle_all(_models_of(new)), *(file for file in new if isinstance(file, SkippedFile))]


def _models_of(files: Iterable[ModelFile | SkippedFile]) -> list[ModelFile]:
    return [file for file in files if isinstance(file, ModelFile)]


def store_background(
    catalog: Catalog, encoder: Encoder, probes: Sequence[Probe] | None = None, progress: Progress = silent
) -> None:
    """Features of generic texts, and what they add to the probes' templates: what an unrelated query looks like
    (docs/methods.md 10)."""
    usual = templates(probes)
    _put_texts(catalog, encoder, usual, progress)
    for _ in range(MOST_TRIES):  # another process drops texts as it stores what it was asked
        if compared.is_stored(catalog, encoder.name, usual):
            return
        texts = [*compared_texts(), *usual, *behind_all(compared_texts(), usual)]
        _put_texts(catalog, encoder, texts, progress)
        compared.store(catalog, encoder.name, encoder.dimension, usual)


def _put_texts(catalog: Catalog, encoder: Encoder, texts: Sequence[str], progress: Progress) -> None:
    known = catalog.text_features(encoder.name, texts)
    new = [text for text in dict.fromkeys(texts) if text not in known]
    for start in range(0, len(new), BATCH):
        part = new[start : start + BATCH]
        catalog.put_text_features(encoder.name, part, encoder.encode_texts(part))
        progress(Step(stage="background", done=start + len(part), total=len(new)))


def generate_all(
    catalog: Catalog,
    models: Sequence[ModelFile],
    engine: Engine,
    settings: IndexSettings,
    report: Report,
    progress: Progress,
) -> None:
    """Samples every model that is not current yet, grouped by base so that each base is loaded once: a few pictures of
    all of them before many of one."""
    current = Step(stage="generate", done=0, total=len(models))

    def on_images(count: int) -> None:
        report.images += count
        progress(Step(stage="generate", done=current.done, total=len(models), model=current.model, images=count))

    turns = Turns(catalog, _models_of(catalog.files()), lambda: on_images(0))

    def sampler_of(generator: Generator) -> Sampler:
        return Sampler(
            catalog=catalog,
            encoder=engine.encoder,
            generator=generator,
            draw=engine.draw,
            probes=engine.probes(settings.probes),
            settings=settings,
            on_images=on_images,
            check=turns.check,
        )

    asking = Asking(turns, lambda: sampler_of(engine.generator_for(distinct([*models, *catalog.models()]))))
    left = in_order(catalog, engine.encoder, models, asking.sampler.generator)
    new = len({model.fingerprint for model in models} - generated_samples(catalog, engine.encoder).keys())
    for part in begin_rounds(catalog, settings, new):
        asking.settings = part
        report.unchanged, have = 0, generated_samples(catalog, engine.encoder)
        for done, model in enumerate(one_by_one(catalog, left)):
            current = Step(stage="generate", done=done, total=len(left), model=model.name)
            asked, failure = asking.sample(model, have, report)
            if failure is not None:
                catalog.put_failure(asked.fingerprint, failure)
                report.failed[model.path] = failure
            progress(Step(stage="generate", done=done + 1, total=len(left), model=model.name, failure=failure))
        left = [model for model in left if model.path not in report.failed]
    if len(models) > 1:  # one alone is another's round
        end_rounds(catalog, engine.encoder, settings)
    report.settle()


def begin_rounds(catalog: Catalog, settings: IndexSettings, new: int) -> tuple[IndexSettings, ...]:
    """The settings by which so many new models are sampled, one after the other. Whatever stops them, the next run goes
    on where they were."""
    rounds = settings.rounds(new)
    if len(rounds) > 1:
        catalog.put_setting(BEGUN, "yes")
    return rounds


def end_rounds(catalog: Catalog, encoder: Encoder, settings: IndexSettings) -> None:
    """Once no model is left with the few pictures of the first round."""
    counts = (max(have.values()) for have in generated_samples(catalog, encoder).values())
    if catalog.setting(BEGUN) and settings.few not in counts:
        catalog.put_setting(BEGUN, "")


def outstanding(
    catalog: Catalog,
    encoder: Encoder,
    generator: Generator,
    settings: IndexSettings | None = None,
    *,
    retry: bool = False,
) -> list[ModelFile]:
    """Models that `generate_all` has work with, in the order to take them in; those that failed only to `retry`."""
    settings = settings or IndexSettings()
    failed, have = {} if retry else catalog.failures(), generated_samples(catalog, encoder)
    sampler = Sampler(
        catalog=catalog,
        encoder=encoder,
        generator=generator,
        draw=lambda image: image,
        probes=default_probes(settings.probes),
        settings=settings,
        on_images=lambda _: None,
    )
    models = [model for model in distinct(catalog.models()) if settings.kinds is None or model.kind in settings.kinds]
    new = [model for model in models if model.fingerprint not in failed and not _is_set(model)]
    left = [model for model in new if not _is_current(sampler, model, have[model.fingerprint])]
    return in_order(catalog, encoder, left, generator)


def _is_current(sampler: Sampler, model: ModelFile, have: dict[str, int]) -> bool:
    try:
        return sampler.is_current(model, have)
    except ModelSearchError:
        return False  # sampling it will say why


def paint_references(
    catalog: Catalog,
    models: Sequence[ModelFile],
    engine: Engine,
    settings: IndexSettings,
    report: Report,
    progress: Progress,
) -> None:
    """Has every LoRA fill out the drawings of the reference set, where it has not yet."""
    assert engine.references is not None
    generator = engine.generator_for(distinct([*models, *catalog.models()]))
    loras = in_order(catalog, engine.encoder, [m for m in models if m.kind is Kind.LORA], generator)
    current = Step(stage="references", done=0, total=len(loras))

    def on_images(count: int) -> None:
        report.images += count
        progress(Step(stage="references", done=current.done, total=len(loras), model=current.model, images=count))

    turns = Turns(catalog, _models_of(catalog.files()), lambda: on_images(0))
    sampler = ReferenceSampler(
        catalog=catalog,
        encoder=engine.encoder,
        generator=generator,
        references=engine.references,
        refresh=settings.refresh,
        on_images=on_images,
        check=turns.check,
    )
    for done, model in enumerate(loras):
        current = Step(stage="references", done=done, total=len(loras), model=model.name)
        failure = _paint_one(sampler, turns, model, report)
        progress(Step(stage="references", done=done + 1, total=len(loras), model=model.name, failure=failure))


def unpainted(
    catalog: Catalog, encoder: Encoder, generator: Generator, references: ReferenceSet, *, refresh: bool = False
) -> tuple[list[ModelFile], dict[ModelFile, str]]:
    """LoRA that `paint_references` has work with, in the order to take them in; and why others take prompts only."""
    sampler = ReferenceSampler(
        catalog=catalog,
        encoder=encoder,
        generator=generator,
        references=references,
        refresh=refresh,
        on_images=lambda _: None,
    )
    loras = [model for model in distinct(catalog.models()) if model.kind is Kind.LORA]
    found: list[ModelFile] = []
    prompts_only: dict[ModelFile, str] = {}
    for model in in_order(catalog, encoder, loras, generator):
        try:
            found.extend([] if sampler.is_current(model) else [model])
        except UnsupportedReferenceError as error:
            prompts_only[model] = str(error)
        except ModelSearchError:
            found.append(model)  # painting it will say why
    return found, prompts_only


def _paint_one(sampler: ReferenceSampler, turns: Turns, model: ModelFile, report: Report) -> str | None:
    """Why it failed, or None. What takes prompts only is no failure: its samples stand for its style."""
    try:
        with sampler.catalog.claims.taken(sampler.claim_on(model)) as is_ours:
            if is_ours and paint(sampler, turns, model):
                report.rendered.append(model.path)
    except CatalogFaultError:  # concerns all models
        raise
    except UnsupportedReferenceError as error:
        report.prompts_only[model.path] = str(error)
    except ModelSearchError as error:
        report.failed.setdefault(model.path, str(error))
        return str(error)
    except Exception as error:  # a broken file can raise anything from inside torch or diffusers
        log.exception("%s could not be asked with drawings", model.path)
        report.failed.setdefault(model.path, reason_of(error))
        return reason_of(error)
    return None


def generated_samples(catalog: Catalog, encoder: Encoder) -> dict[str, dict[str, int]]:
    """How many there are of each model, by fingerprint and probe-set digest."""
    have: dict[str, dict[str, int]] = defaultdict(dict)
    for fingerprint, digest, evidence, samples in catalog.specification_keys(encoder.name):
        if evidence is Evidence.GENERATED:
            have[fingerprint][digest] = samples
    return have


def distinct(models: Iterable[ModelFile]) -> list[ModelFile]:
    """One of each fingerprint, the first by path."""
    by_path = sorted(models, key=lambda model: model.path, reverse=True)
    return list({model.fingerprint: model for model in by_path}.values())[::-1]


def _is_set(file: ModelFile | SkippedFile) -> bool:
    """A set of pictures is looked for elsewhere."""
    return isinstance(file, ModelFile) and file.kind is Kind.PICTURES


def _inside(path: Path, folders: Sequence[Path]) -> bool:
    return any(path == folder or folder in path.parents for folder in folders)
