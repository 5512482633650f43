"""Search by style on the colour world: what a LoRA makes of drawings, whatever its samples show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelsearch_core.catalog import Catalog
from modelsearch_core.collection import collection
from modelsearch_core.encoders.style_head import StyleHead
from modelsearch_core.encoders.style_space import STYLE_SETTING
from modelsearch_core.indexing import Engine, IndexSettings, index
from modelsearch_core.model_files import ModelFile
from modelsearch_core.probes import Probe, ProbeSet
from modelsearch_core.search import Filters, ModelIndex, Query
from modelsearch_core.search.combining import combined
from modelsearch_core.statistics import styles as styles_of
from tests.indexing.folders import make_folder
from tests.making.fakes import COLOURS, DIMENSION, ColourEncoder, ColourGenerator
from tests.making.references import plain_references
from tests.search.test_search import patch

NAMES = ["base checkpoint", "red", "green", "blue", "yellow"]
AS_DRAWN = {"red": "green", "green": "red", "blue": "yellow", "yellow": "blue"}


class TwoFaced(ColourGenerator):
    """Paints prompts in the colour of its title and drawings in quite another."""

    drawn = False

    def plan(self, model: ModelFile, probes: Sequence[Probe]) -> ProbeSet:
        self.drawn = probes[0].drawing is not None
        return super().plan(model, probes)

    def paint(self, model: ModelFile, number: int) -> Image.Image:
        colour = AS_DRAWN.get(model.title)
        if not (self.drawn and colour):
            return super().paint(model, number)
        picture = Image.new("RGB", (self.size, self.size), (128, 128, 128))
        picture.paste(COLOURS[colour], (0, 0, 6 + number % 5, 8))
        return picture


ENGINE = Engine(
    encoder=ColourEncoder(), encoder_source="colours", generator_for=TwoFaced, draw=lambda image: image,
    references=plain_references(6),
)  # fmt: skip


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("styles")
    make_folder(folder / "models", NAMES)
    with Catalog(folder / "catalog.sqlite") as catalog:
        index(catalog, [folder / "models"], ENGINE, IndexSettings(samples=8))
    return folder / "catalog.sqlite"


@pytest.fixture
def styles(catalog: Path) -> ModelIndex:
    return ModelIndex.open(catalog, encoder=ColourEncoder())


def first(index: ModelIndex, query: Query, method: str = "auto") -> str:
    return index.search(query, method=method, filters=Filters(kind="lora"))[0].name


@pytest.mark.parametrize("colour", AS_DRAWN)
def test_style_goes_by_what_became_of_drawings(styles: ModelIndex, colour: str):
    assert first(styles, Query(images=[patch(colour)]), "style") == AS_DRAWN[colour]
    assert first(styles, Query(images=[patch(colour)]), "first_moment") == colour


@pytest.mark.parametrize("colour", AS_DRAWN)
def test_the_slider_goes_from_the_same_subject_to_the_same_style(styles: ModelIndex, colour: str):
    assert first(styles, Query(images=[patch(colour)], style=0)) == colour
    assert first(styles, Query(images=[patch(colour)], style=1)) == AS_DRAWN[colour]
    found = styles.search(Query(images=[patch(colour)], style=0.5), filters=Filters(kind="lora"))
    leaders = {match.name for match in found[:2]}
    assert leaders == {colour, AS_DRAWN[colour]}


def test_a_slider_off_its_scale_is_refused():
    with pytest.raises(ValueError, match=r"style must be from 0 \(same subject\) to 1 \(same style\), not 1\.5"):
        Query(text=["red"], style=1.5)


def test_words_and_models_have_a_style_too(styles: ModelIndex):
    assert first(styles, Query(text=["red"]), "style") == "green"
    assert first(styles, Query(like=["red"]), "style") != "red"


def test_a_model_without_drawings_has_its_samples(styles: ModelIndex):
    painted = dict(
        zip([e.model.title for e in styles.collection.entries], styles.statistics.styles.has_renderings, strict=True)
    )
    assert painted == {"base checkpoint": True, "red": True, "green": True, "blue": True, "yellow": True}


def test_a_trained_head_decides_what_counts(catalog: Path):
    """A head that sees how much grey there is, and no colour: all LoRA are alike to it."""
    weight = np.zeros((2, DIMENSION), np.float32)
    weight[0, -1] = 1.0
    head = StyleHead(weight=weight, bias=np.zeros(2, np.float32), encoder="colours:1")
    head.save(catalog.with_suffix(".style.safetensors"))
    set_head(catalog, catalog.with_suffix(".style.safetensors").name)
    try:
        with ModelIndex.open(catalog, encoder=ColourEncoder()) as index:
            assert index.statistics.styles.space is not None
            spread = np.ptp(index.statistics.styles.distances(index.encoder.encode_images([patch("red")])))
        assert spread == pytest.approx(0, abs=1e-3)
    finally:
        set_head(catalog, "")


def test_a_head_that_is_gone_or_of_another_encoder_is_passed_over(catalog: Path):
    StyleHead(weight=np.ones((1, 3), np.float32), bias=np.ones(1, np.float32), encoder="other").save(
        catalog.with_name("other.safetensors")
    )
    for name in ("gone.safetensors", "other.safetensors"):
        set_head(catalog, name)
        with ModelIndex.open(catalog, encoder=ColourEncoder()) as index:
            assert index.statistics.styles.space is None
            assert first(index, Query(images=[patch("red")]), "style") == "green"
    set_head(catalog, "")


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """LoRA with renderings, two that prompts alone were asked of, and names."""
    folder = tmp_path_factory.mktemp("mixed")
    make_folder(folder / "models", NAMES)
    with Catalog(folder / "catalog.sqlite") as catalog:
        index(catalog, [folder / "models"], ENGINE, IndexSettings(samples=8))
        make_folder(folder / "more", [*NAMES, "pink", "red blue"])  # of the same names: the same weights
        index(catalog, [folder / "more"], replace(ENGINE, references=None), IndexSettings(samples=8))
        make_folder(folder / "named", [*NAMES, "pink", "red blue", "red ink", "blue fog"])
        index(catalog, [folder / "named"], ENGINE, IndexSettings(samples=8, quick=True))
    return folder / "catalog.sqlite"


@pytest.mark.parametrize("trained", [False, True])
def test_of_a_large_collection_vectors_are_read_as_they_are_asked_for(
    mixed: Path, trained: bool, monkeypatch: pytest.MonkeyPatch
):
    if trained:
        weight = np.random.default_rng(0).normal(size=(3, DIMENSION)).astype(np.float32)
        head = StyleHead(weight=weight, bias=np.zeros(3, np.float32), encoder="colours:1")
        head.save(mixed.with_suffix(".style.safetensors"))
    set_head(mixed, mixed.with_suffix(".style.safetensors").name if trained else "")
    h = ColourEncoder().encode_images([patch("red"), patch("pink")])
    asked = [Query(images=[patch(colour)]) for colour in AS_DRAWN]
    with ModelIndex.open(mixed, encoder=ColourEncoder()) as small:
        kept = small.statistics.styles
        found = [[match.name for match in small.search(query, method="style")] for query in asked]
        monkeypatch.setattr(collection, "RESIDENT", 0)
        monkeypatch.setattr(styles_of, "AT_ONCE", 2)
        with ModelIndex.open(mixed, encoder=ColourEncoder()) as large:
            styles = large.statistics.styles
            assert not styles.is_kept and len(styles.known) == 7 and 2 < styles.has_renderings.sum() < 7
            few = np.array([8, 3, 0, 5])
            assert np.isnan(kept.distances(h)).any()
            for name, own, others in (
                ("all", styles.distances(h), kept.distances(h)),
                ("some", styles.distances(h, models=few), kept.distances(h)[:, few]),
                ("nearly", styles.nearly(h), kept.nearly(h)),
                ("models", styles.model_distances(few), kept.model_distances(few)),
                ("means", styles.plain_means, kept.plain_means),
            ):
                np.testing.assert_allclose(own, others, atol=2e-3, err_msg=name)
            assert [[match.name for match in large.search(query, method="style")] for query in asked] == found
            assert "_vectors" not in vars(styles) and "samples" not in vars(large.collection)
    set_head(mixed, "")


def set_head(catalog: Path, name: str) -> None:
    with Catalog(catalog) as writer:
        writer.put_setting(STYLE_SETTING, name)


def test_combined_queries_keep_their_slider():
    query, plain = Query(images=[patch("red")], style=0.9), Query(text=["blue"])
    assert combined([(query, 1.0), (plain, 1.0)]).style == 0.9
    assert combined([(plain, 1.0)]).style is None


def test_where_no_style_is_known_the_subject_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    make_folder(tmp_path / "models", NAMES[1:])  # without a base nothing is generated
    engine = Engine(
        encoder=ColourEncoder(), encoder_source="colours", generator_for=ColourGenerator, draw=lambda image: image
    )
    with Catalog(tmp_path / "catalog.sqlite") as catalog:
        index(catalog, [tmp_path / "models"], engine, IndexSettings(samples=8))
    for most in (collection.RESIDENT, -1):
        monkeypatch.setattr(collection, "RESIDENT", most)
        with ModelIndex.open(tmp_path / "catalog.sqlite", encoder=ColourEncoder()) as unseen:
            assert unseen.statistics.styles.is_kept == (most > 0)
            assert unseen.search(Query(images=[patch("red")], style=0.5))[0].name == "red"
            assert not unseen.search(Query(images=[patch("red")]), method="style")
            assert not unseen.search(Query(like=["red"]), method="style")
