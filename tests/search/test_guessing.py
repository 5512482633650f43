"""What weights say of LoRA that nothing was generated from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.catalog.weight_sketches import VERSION, Sketch
from modelsearch_core.collection import Collection
from modelsearch_core.model_files import Kind
from modelsearch_core.probes import ProbeSet, default_probes
from modelsearch_core.scores.kinship import Kinship
from modelsearch_core.search import Filters, ModelIndex, Query
from modelsearch_core.search.guessing import LEAST, store_guesses
from modelsearch_core.search.preparing import prepare
from modelsearch_core.specification import Evidence, Specification
from tests.making.fakes import ColourEncoder, model_file

S = 4
AXES = 3  # colours that weights have a say in
PROBES = ProbeSet(
    probes=default_probes(S), width=8, height=8, steps=1, guidance=1.0, sampler="none", generator="none", base="base"
)


class Zoo:
    """LoRA whose weights say how much of three colours they add to a grey base; some were generated from."""

    def __init__(self, path: Path, known: int, unknown: int, *, telling: bool = True) -> None:
        rng = np.random.default_rng(2)
        self.catalog, self.encoder = Catalog(path), ColourEncoder()
        self.mixtures = rng.dirichlet(np.full(AXES, 0.4), known + unknown)
        told = self.mixtures if telling else rng.dirichlet(np.full(AXES, 0.4), known + unknown)
        weights = np.eye(AXES, 32)
        self.files = [model_file(f"lora {n}", fingerprint=f"lora{n}") for n in range(known + unknown)]
        base = model_file("base", kind=Kind.CHECKPOINT, fingerprint="base")
        self.catalog.put_encoder(self.encoder.name, "colours", self.encoder.dimension)
        self.catalog.put_probe_set(PROBES)
        self.catalog.put_probe_set(PROBES.for_base())
        self.catalog.put_files([*self.files, base])
        self.put("base", PROBES.for_base().digest, Evidence.GENERATED, np.tile([0, 0, 0, 0, 0, 1.0], (S, 1)))
        for n, file in enumerate(self.files):
            s = (told[n] @ weights)[None].astype(np.float32)
            self.catalog.sketches.put(file.fingerprint, VERSION, Sketch(("layer",), s))
            self.put(file.fingerprint, f"words:{n}", Evidence.METADATA, np.full((1, 6), 6**-0.5))
            if n < known:
                self.put(file.fingerprint, PROBES.digest, Evidence.GENERATED, self.pictures(n))

    def pictures(self, n: int) -> np.ndarray:
        Z = np.tile([*self.mixtures[n], 0, 0, 1.0], (S, 1)) + 0.01 * np.random.default_rng(n).normal(size=(S, 6))
        return Z / np.linalg.norm(Z, axis=1, keepdims=True)

    def put(self, fingerprint: str, digest: str, evidence: Evidence, Z: np.ndarray) -> None:
        self.catalog.put_specification(
            Specification(
                fingerprint=fingerprint,
                digest=digest,
                encoder=self.encoder.name,
                evidence=evidence,
                Z=Z.astype(np.float32),
                numbers=np.arange(len(Z), dtype=np.int32),
            )
        )

    def guess(self) -> int:
        return store_guesses(self.catalog, Collection(self.catalog, self.encoder.name, self.encoder.dimension))

    def guessed(self) -> dict[str, np.ndarray]:
        keys = self.catalog.specification_keys(self.encoder.name)
        means = self.catalog.means(self.encoder.name)
        return {f: np.asarray(means[f, d], float) for f, d, of, _ in keys if of is Evidence.WEIGHTS}


@pytest.fixture
def zoo(tmp_path: Path) -> Iterator[Zoo]:
    yield Zoo(tmp_path / "catalog.sqlite", 24, 4)


def test_a_guess_is_near_to_what_the_pictures_would_have_been(zoo: Zoo):
    zoo.guess()
    guessed = zoo.guessed()
    for n in range(24, 28):
        assert guessed[f"lora{n}"] == pytest.approx(zoo.pictures(n).mean(axis=0), abs=0.12)


def test_a_model_is_found_by_it_and_is_told_to_be_guessed(zoo: Zoo):
    zoo.guess()
    most_red = max(range(24, 28), key=lambda n: zoo.mixtures[n][0])
    with ModelIndex(Catalog(zoo.catalog.path, read_only=True), zoo.encoder) as index:
        among = [file.path for file in zoo.files[24:]]
        match = index.search(Query(text=["red"]), filters=Filters(among=among))[0]
        assert match.id == f"lora{most_red}"
        assert (match.evidence, match.guessed, match.thumbnails) == (Evidence.WEIGHTS, True, ())
        assert match.deviation > 0
        described = next(model for model in index.models() if model.id == match.id)
        assert (described.evidence, described.samples) == ("weights", 0)


def test_the_generated_ones_keep_what_the_others_predict_of_them(zoo: Zoo):
    zoo.guess()
    assert len(zoo.guessed()) == 28
    with ModelIndex(Catalog(zoo.catalog.path, read_only=True), zoo.encoder) as index:
        assert index.collection.entries[index.row("lora 3")].evidence is Evidence.GENERATED


def test_doing_it_again_writes_nothing(zoo: Zoo):
    assert zoo.guess() == 28
    assert zoo.guess() == 0


def test_where_weights_say_nothing_they_are_not_used(tmp_path: Path):
    zoo = Zoo(tmp_path / "c.sqlite", 24, 4, telling=False)
    assert zoo.guess() == 0
    assert zoo.guessed() == {}


def test_a_few_generated_ones_say_nothing_of_the_others(tmp_path: Path):
    zoo = Zoo(tmp_path / "c.sqlite", LEAST - 1, 4)
    assert zoo.guess() == 0


def test_a_guess_that_nothing_bears_out_any_more_is_withdrawn(zoo: Zoo):
    zoo.guess()
    for n in range(20):
        zoo.catalog.forget(f"lora{n}")
    assert zoo.guess() == 8
    assert zoo.guessed() == {}


def names(matches: Sequence[object]) -> list[str]:
    return [match.name for match in matches]  # type: ignore[attr-defined]


def test_what_is_like_a_lora_is_found_before_there_is_any_picture(tmp_path: Path):
    zoo = Zoo(tmp_path / "c.sqlite", 0, 12)
    zoo.catalog.sketches.put("lora3", VERSION, Sketch(("layer",), np.eye(1, 32, dtype=np.float32)))
    zoo.catalog.sketches.put("lora7", VERSION, Sketch(("layer",), np.eye(1, 32, dtype=np.float32) * 2))
    with ModelIndex(Catalog(zoo.catalog.path, read_only=True), zoo.encoder) as index:
        assert index.search(Query(like=["lora 3"]))[0].name == "lora 7"
        assert "base" not in names(index.search(Query(like=["lora 3"]), k=20))
        kin = index.near_by_weights(0.999)[0]
        assert (kin.a.stem, kin.b.stem) == ("lora 3", "lora 7")
        assert (kin.cosine, kin.ratio) == (pytest.approx(1), pytest.approx(2))
        assert kin.kinship is Kinship.SCALED


def test_only_a_lora_can_be_compared_by_weights(zoo: Zoo):
    with (
        ModelIndex(Catalog(zoo.catalog.path, read_only=True), zoo.encoder) as index,
        pytest.raises(Exception, match="only a LoRA of the index has weights to compare"),
    ):
        index.search(Query(text=["red"]), method="weights")


def test_guesses_that_nothing_bears_out_any_more_are_gone_before_answers_are_prepared(zoo: Zoo):
    assert zoo.guess() == 28
    for n in range(LEAST - 1, 24):
        zoo.catalog.remove_specification(f"lora{n}", PROBES.digest)
    assert prepare(zoo.catalog, refresh=True)
    assert zoo.guessed() == {}
