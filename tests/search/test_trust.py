"""What an answer says of itself: how sure it is, what was guessed, and what asks for nothing. On the colour world."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelsearch_core.background import Form, compared_texts
from modelsearch_core.catalog import Catalog
from modelsearch_core.embedding import unit
from modelsearch_core.errors import NonsenseError
from modelsearch_core.indexing import Engine, IndexSettings, index
from modelsearch_core.model_files import ModelFile
from modelsearch_core.prompt_templates import behind_all
from modelsearch_core.scores import evidence
from modelsearch_core.scores.calibration import NullDistribution
from modelsearch_core.search import Match, ModelIndex, Query, nothing_to_vary
from modelsearch_core.search.certainty import confidence_of
from modelsearch_core.search.preparing import prepare
from modelsearch_core.search.weighing import same_words
from modelsearch_core.sketch_views import COUNT, views
from modelsearch_core.specification import Evidence, Modality, Requirement
from tests.indexing.folders import make_folder
from tests.making.fakes import COLOURS, ColourEncoder, ColourGenerator

MEASURED = ["base checkpoint", "red", "green", "blue", "yellow", "red blue"]
ONE_TEXT = Requirement(modality=Modality.TEXT, h=np.ones((1, 3)))
NAMED = [f"{colour} {thing}" for colour in ("red", "green", "blue") for thing in ("ink", "sea", "fog", "dust")]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six models that were generated from, and twelve that are known by colourful names."""
    folder = tmp_path_factory.mktemp("trust")
    make_folder(folder / "models", [*MEASURED, *NAMED])

    def generator_for(models: Sequence[ModelFile]) -> ColourGenerator:
        return ColourGenerator(models, broken=NAMED)

    engine = Engine(
        encoder=ColourEncoder(), encoder_source="colours", generator_for=generator_for, draw=lambda image: image
    )
    with Catalog(folder / "catalog.sqlite") as catalog:
        index(catalog, [folder / "models"], engine, IndexSettings(samples=8))
    return folder / "catalog.sqlite"


@pytest.fixture
def colours(path: Path) -> ModelIndex:
    return ModelIndex.open(path, encoder=ColourEncoder())


def patch(name: str) -> Image.Image:
    picture = Image.new("RGB", (16, 16), (128, 128, 128))
    picture.paste(COLOURS[name], (0, 0, 10, 10))
    return picture


def underlined(picture: Image.Image) -> Image.Image:
    """Never nothing at all."""
    drawn = picture.copy()
    drawn.paste("black", (0, 13, 16, 14))
    return drawn


def by_name(matches: list[Match]) -> dict[str, Match]:
    return {match.name: match for match in matches}


@pytest.mark.parametrize("colour", ["red", "green", "blue"])
def test_a_name_does_not_win_a_picture_from_the_model_that_makes_it(colours: ModelIndex, colour: str):
    matches = colours.search(Query(images=[patch(colour)]), k=99)
    assert matches[0].name == colour and not matches[0].guessed


def test_a_name_that_is_asked_for_word_by_word_is_found(colours: ModelIndex):
    assert colours.search(Query(text=["green sea"]), k=99)[0].name in ("green", *NAMED)
    found = by_name(colours.search(Query(text=["green sea"]), k=99))
    assert min(found[name].rank for name in NAMED if "green" in name) < found["red"].rank


def test_what_was_guessed_is_told_from_what_was_measured(colours: ModelIndex):
    found = by_name(colours.search(Query(images=[patch("red")]), k=99))
    assert {name for name, match in found.items() if match.guessed} == set(NAMED)
    assert all(found[name].deviation == 0 for name in MEASURED)
    assert all(0.5 < found[name].deviation < 1 for name in NAMED)


def test_the_author_s_very_words_are_no_guess():
    np.testing.assert_array_equal(same_words(np.array([1.0, 0.9, np.nan]), np.full(3, 0.3)), [1.0, 0.3, 0.3])


def test_what_is_expected_is_as_far_off_as_its_worth_says():
    rng, rho = np.random.default_rng(0), 0.6
    z_e = rng.standard_normal(100_000)
    z = rho * z_e + math.sqrt(1 - rho**2) * rng.standard_normal(len(z_e))
    guess = evidence.expected(z_e, rho, usual_e=0.0, usual=0.0, ratio=1.0)
    assert np.std(z - guess) == pytest.approx(float(evidence.deviation(rho)), abs=0.01)


@pytest.mark.parametrize("query", [Query(text=["red"]), Query(images=[patch("red"), patch("blue")])])
@pytest.mark.parametrize("unwanted", ["blue", patch("yellow")])
def test_what_is_not_wanted_makes_no_model_more_relevant(colours: ModelIndex, query: Query, unwanted: object):
    less = Query(text=query.text, images=query.images, without=[unwanted])  # pyright: ignore[reportArgumentType]
    plain, found = (by_name(colours.search(each, k=99)) for each in (query, less))
    assert all(found[name].relevance <= plain[name].relevance + 1e-9 for name in plain)


def test_what_is_not_wanted_alone_is_no_query():
    with pytest.raises(ValueError, match=r"only orders the rest; add a text, an image, a sketch or a model"):
        Query(without=["red"])
    with pytest.raises(ValueError, match="only orders the rest"):
        Query(text=["red"], without=["blue"], weights=[-1.0, 1.0])


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
WHITE = Image.new("RGB", (64, 64), "white")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (Query(sketches=[WHITE]), "the sketch is blank"),
        (Query(sketches=[Image.new("RGBA", (64, 64))]), "the sketch is blank"),
        (Query(sketches=[NOISE]), "nothing but noise"),
        (Query(images=[Image.new("RGB", (64, 64), (40, 90, 200))]), "of one colour"),
        (Query(images=[patch("red"), NOISE]), "nothing but noise"),
        (Query(text=["  "]), "has no words"),
        (Query(text=["red"], without=["?!"]), "has no words"),
    ],
)
def test_what_asks_for_nothing_is_refused_with_its_reason(colours: ModelIndex, query: Query, said: str):
    with pytest.raises(NonsenseError, match=said):
        colours.search(query)


def test_a_diverse_list_holds_nothing_weak_while_enough_fits(colours: ModelIndex):
    query = Query(text=["red"])
    plain = by_name(colours.search(query, k=99))
    fitting = sum(not match.weak for match in plain.values())
    assert fitting >= 3
    assert not any(plain[match.name].weak for match in colours.search(query, k=fitting - 1, diverse=True))
    more = [match.name for match in colours.search(query, k=fitting + 2, diverse=True)]
    assert more == list(plain)[: fitting + 2]  # where all that fit are shown, there is nothing to vary


def test_texts_of_the_background_are_compared_as_they_would_be_asked(colours: ModelIndex):
    h, added, _ = colours.collection.background
    texts, usual = compared_texts(), colours.collection.templates
    assert len(h) == len(added) == len(texts) and len(usual) > 1
    told = ColourEncoder().encode_texts([*usual, *behind_all(texts[:1], usual)])
    np.testing.assert_allclose(added[0], (told[len(usual) :] - told[: len(usual)]).mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(h[0], unit(ColourEncoder().encode_texts(texts[:1]))[0], atol=1e-3)


def test_confidence_is_the_first_one_s_by_its_lead(colours: ModelIndex):
    alone, torn = (colours.search(Query(text=text), k=99) for text in (["yellow"], ["yellow", "green"]))
    assert alone[0].confidence > torn[0].confidence
    assert all(alone[0].confidence >= match.confidence >= 0 for match in alone)


def test_what_fits_no_better_than_unrelated_queries_is_not_sure_whatever_its_lead(colours: ModelIndex):
    queries = [Query(text=[text]) for text in ("red", "grey", "teapot", "red, green", "blue sea")]
    found = [match for query in queries for match in colours.search(query, k=99)]
    assert all(match.confidence <= match.relevance for match in found)
    behind = NullDistribution(location=9.0, scale=0.1)
    sure = confidence_of([ONE_TEXT], np.array([8.0, -50.0]), np.array([0]), behind)
    assert sure[0] < 0.001 and np.isfinite(sure[0])


def test_a_text_is_compared_with_texts_that_are_written_alike(colours: ModelIndex):
    unrelated = colours.collection.background
    asked = {
        text: colours._requirements(Query(text=[text]), "auto")[0]
        for text in ("red", "a red sea", "red, an oil painting")
    }
    assert [requirement.form for requirement in asked.values()] == [*Form]
    rows = [len(colours._answering.answer(requirement).unrelated.z) for requirement in asked.values()]
    assert rows == [int((unrelated.forms == form).sum()) for form in Form]
    assert min(rows) >= 64


def test_a_varied_list_says_when_there_is_nothing_to_vary(colours: ModelIndex):
    plain = colours.search(Query(text=["red"]), k=99)
    fitting = sum(not match.weak for match in plain)
    few, many = (colours.search(Query(text=["red"]), k=k, diverse=True) for k in (fitting, fitting + 1))
    assert nothing_to_vary(few, fitting) is None
    assert (
        nothing_to_vary(many, fitting + 1)
        == f"nothing to vary: only {fitting} models fit well, and what fits is shown, best first"
    )
    assert nothing_to_vary(plain[fitting:], 3) == "nothing to vary: no model fits well"
    assert str(nothing_to_vary(plain[:1], 3)).startswith("nothing to vary: only one model fits well")


def test_a_picture_counts_half_beside_words(colours: ModelIndex):
    both = colours.search(Query(text=["red"], images=[patch("blue")]), k=1)[0]
    assert [part.weight for part in both.explanation] == [1.0, 0.5]
    alone = colours.search(Query(images=[patch("blue")], without=["red"]), k=1)[0]
    assert [part.weight for part in alone.explanation] == [1.0, -1.0]


def test_a_picture_and_its_copies_are_told_what_the_picture_is_told(colours: ModelIndex):
    one, copies = (colours.search(Query(images=[patch("red")] * count), k=99) for count in (1, 6))
    for alone, again in zip(one, copies, strict=True):
        assert again.name == alone.name and again.relevance == pytest.approx(alone.relevance, rel=1e-5)


def test_the_background_s_drawings_are_asked_in_the_views_of_a_query_s(path: Path, tmp_path: Path):
    copy, encoder = Path(shutil.copy(path, tmp_path / "catalog.sqlite")), ColourEncoder()
    with Catalog(copy) as catalog:
        prepare(catalog, encoder, underlined, refresh=True)
    with ModelIndex.open(copy, encoder=encoder) as index, ModelIndex.open(path, encoder=encoder) as as_drawn:
        bank, plain = (each._answering.measuring.bank("sketch", Modality.SKETCH) for each in (index, as_drawn))
        assert plain.views == 1 and bank.views == COUNT and len(bank) == COUNT * len(plain)
        np.testing.assert_allclose(bank.heads.h, plain.h, atol=1e-3)
        entry, number = index.collection.entries[int(plain.owner[5])], int(plain.numbers[5])
        drawn = views(underlined(index.sample(entry.fingerprint, number)))
        np.testing.assert_allclose(bank.h[5 * COUNT + 1 : 6 * COUNT], encoder.encode_images(drawn[1:]), atol=1e-3)
        answer = index._answering.answer(index._requirements(Query(sketches=[patch("red")]), "auto")[0])
        assert len(answer.unrelated.z) == len(plain)


def test_damaged_pictures_are_left_out_of_the_background_and_a_few_models_drawings_are_none(path: Path, tmp_path: Path):
    copy, encoder = Path(shutil.copy(path, tmp_path / "catalog.sqlite")), ColourEncoder()

    def bank_with(damaged: Sequence[tuple[str, str]]) -> tuple[int, set[str]]:
        with Catalog(copy) as catalog:
            for key in damaged:
                catalog.put_samples(*key, dict.fromkeys(range(8), b"RIFF"))
            prepare(catalog, encoder, underlined, refresh=True)
        with ModelIndex.open(copy, encoder=encoder) as index:
            bank = index._answering.measuring.bank("sketch", Modality.SKETCH)
            assert bank.owner is not None
            return bank.views, {index.collection.entries[int(m)].fingerprint for m in bank.owner}

    with Catalog(copy) as catalog:
        keys = [(f, d) for f, d, of, _ in catalog.specification_keys(encoder.name) if of is Evidence.GENERATED]
    everybody = {fingerprint for fingerprint, _ in keys}
    assert bank_with(keys[:1]) == (COUNT, everybody - {keys[0][0]})
    assert bank_with(keys[1:-1]) == (1, everybody)
