"""The style encoder of a catalog, trained on what its LoRA made of the reference set's drawings; no labels needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ..catalog import Catalog
from ..embedding import Features, unit
from ..encoders.style_head import StyleHead
from ..errors import ModelSearchError
from ..evaluation import Agreement
from ..model_files import Kind
from ..specification import Evidence, Specification
from .figures import Ranking, pair_agreement, ranking
from .labels import Labels, Split, held_out
from .linear import train_head
from .triplet import LINEAR, OnEpoch, TripletSettings

if TYPE_CHECKING:
    import torch

    from ..encoders.style import StyleNetwork

FEWEST = 4  # LoRA: two to train on, two to measure with
SHARE = 0.2  # of the LoRA and of the subjects, held out


@dataclass(frozen=True)
class Renderings:
    """Reference pictures of all LoRA: features (N, D), who made them of what, and whose fingerprint is which model."""

    features: Features
    labels: Labels
    fingerprints: tuple[str, ...]
    specifications: tuple[Specification, ...]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A trained encoder with what it reached on LoRA and subjects that it never saw, and what went before it."""

    trained: StyleHead | StyleNetwork
    record: dict[str, Any]
    before: tuple[Agreement, Ranking]
    after: tuple[Agreement, Ranking]
    without: tuple[Agreement, Ranking] | None = None  # what search would go by, where that is not what was trained on

    @property
    def is_better(self) -> bool:
        return all(self.after[1].mrr >= other[1].mrr for other in (self.before, self.without) if other)


def stored_renderings(catalog: Catalog, encoder: str) -> Renderings:
    """What indexing has stored. ModelSearchError where that is too little to train on."""
    loras = {model.fingerprint for model in catalog.models() if model.kind is Kind.LORA}
    keys = catalog.specification_keys(encoder)
    newest = {f: digest for f, digest, evidence, _ in keys if f in loras and evidence is Evidence.REFERENCE}
    found = [catalog.specification(fingerprint, digest, encoder) for fingerprint, digest in newest.items()]
    known = tuple(specification for specification in found if specification and len(specification.numbers) > 1)
    if len(known) < FEWEST:
        raise ModelSearchError(
            f"a style encoder needs at least {FEWEST} LoRA that have painted drawings, and {len(known)} of "
            f"{len(loras)} have; run `modelsearch index FOLDER --style`"
        )
    return Renderings(
        unit(np.concatenate([np.asarray(s.Z, np.float32) for s in known])),
        Labels(
            np.repeat(np.arange(len(known)), [len(s.numbers) for s in known]),
            np.concatenate([s.numbers for s in known]).astype(np.intp),
        ),
        tuple(s.fingerprint for s in known),
        known,
    )


def train_style(
    of: Renderings,
    encoder: str,
    settings: TripletSettings = LINEAR,
    *,
    without: Features | None = None,
    kept: Path | None = None,
    on_epoch: OnEpoch | None = None,
) -> Outcome:
    """Trains on a part and measures on the rest, then trains once more on everything for use. `without` are features of
    the same pictures by which styles are compared where there is no such encoder, if they are others."""
    rng = np.random.default_rng(settings.seed)
    split = held_out(of.labels, SHARE, rng)
    seen = split.training(of.labels)
    measured = train_head(of.features[seen], of.labels.of(seen), encoder, settings, kept=kept, on_epoch=on_epoch)
    before = measure(of.features, of.labels, split, settings.seed)
    after = measure(measured(of.features), of.labels, split, settings.seed)
    final = train_head(of.features, of.labels, encoder, settings)
    instead = None if without is None else measure(without, of.labels, split, settings.seed)
    record = _record(of, split, settings, before, after, instead) | dict(final.record)
    return Outcome(trained=replace(final, record=record), record=record, before=before, after=after, without=instead)


def train_style_network(
    of: Renderings,
    images: Sequence[Image.Image],
    settings: TripletSettings,
    *,
    weights: Mapping[str, torch.Tensor],
    device: str = "auto",
    kept: Path | None = None,
    on_epoch: OnEpoch | None = None,
) -> Outcome:
    """The same with VGG19 on the pictures themselves, once: what was held out stays unseen."""
    from ..encoders.style import SIDE, StyleEncoder, preparation
    from .vgg import before_training, train_network

    split = held_out(of.labels, SHARE, np.random.default_rng(settings.seed))
    rows = np.flatnonzero(split.training(of.labels))
    plain = before_training(weights, device, settings.seed).encode_images(images)
    network = train_network(
        [images[int(row)] for row in rows], of.labels.of(rows), weights, settings,
        kept=kept, on_epoch=on_epoch, device=device,
    )  # fmt: skip
    V = StyleEncoder(network, "just trained", device, preparation(SIDE)).encode_images(images)
    before, after = (measure(vectors, of.labels, split, settings.seed) for vectors in (plain, V))
    record = _record(of, split, settings, before, after)
    return Outcome(trained=network, record=record, before=before, after=after)


def features_of(catalog: Catalog, of: Renderings, encoder: str) -> Features:
    """Of the same pictures, by another encoder. ModelSearchError where that has not seen them all."""
    found = [catalog.specification(s.fingerprint, s.digest, encoder) for s in of.specifications]
    seen = [s for s in found if s is not None]
    if len(seen) < len(found):
        raise ModelSearchError(
            f"{encoder} has seen what {len(seen)} of {len(found)} LoRA painted; `modelsearch index FOLDER --style` "
            "shows it the rest"
        )
    return unit(np.concatenate([np.asarray(s.Z, np.float32) for s in seen]))


def pictures_of(catalog: Catalog, of: Renderings) -> list[Image.Image]:
    """The pictures behind the features, in their order."""
    found: list[Image.Image] = []
    for specification in of.specifications:
        stored = catalog.sample_images(specification.fingerprint, specification.digest)
        found += [stored[int(number)] for number in specification.numbers]
    return found


def measure(V: Features, labels: Labels, split: Split, seed: int) -> tuple[Agreement, Ranking]:
    """F1 of pairs of the unseen LoRA's pictures, and the place of the true LoRA for unseen subjects among all."""
    unseen = np.isin(labels.models, split.models)
    rng = np.random.default_rng([seed, 1])
    return pair_agreement(V[unseen], labels.of(unseen), rng), ranking(V, labels, split)


def _record(
    of: Renderings,
    split: Split,
    settings: TripletSettings,
    before: tuple[Agreement, Ranking],
    after: tuple[Agreement, Ranking],
    without: tuple[Agreement, Ranking] | None = None,
) -> dict[str, Any]:
    """What a file tells of its training."""
    measured = {"without": without, "untrained": before, "trained": after}
    return {
        "trained": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "settings": asdict(settings),
        "loras": list(of.fingerprints),
        "pictures": len(of.labels),
        "held_out": {
            "loras": [of.fingerprints[m] for m in split.models],
            "subjects": split.subjects.tolist(),
            **{name: figures_of(figures) for name, figures in measured.items() if figures},
        },
    }


def figures_of(measured: tuple[Agreement, Ranking]) -> dict[str, float]:
    agreement, place = measured
    return {"f1": agreement.f1, "precision": agreement.precision, "recall": agreement.recall, **place._asdict()}


def default_file(catalog: Path) -> Path:
    """Beside the catalog, so that both move together."""
    return catalog.with_name(f"{catalog.stem}.style.safetensors")


def names_of(catalog: Catalog, fingerprints: Sequence[str]) -> list[str]:
    """File names of LoRA, for people."""
    by_fingerprint = {model.fingerprint: model.path.stem for model in catalog.models()}
    return [by_fingerprint.get(fingerprint, fingerprint[:8]) for fingerprint in fingerprints]
