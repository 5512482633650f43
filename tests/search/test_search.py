"""Search on the colour world, where the right answer can be written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from threadpoolctl import ThreadpoolController

from modelsearch_core.catalog import Catalog
from modelsearch_core.errors import EmptyCatalogError, UnknownModelError
from modelsearch_core.indexing import Engine, IndexSettings, index
from modelsearch_core.model_files import ModelFile
from modelsearch_core.probes import Probe, default_probes, own_probes
from modelsearch_core.prompt_templates import templates
from modelsearch_core.scores import samples
from modelsearch_core.search import METHODS, Filters, ModelIndex, Query, model_index
from modelsearch_core.search.answering import Answer, added
from modelsearch_core.search.yardstick import Unrelated
from modelsearch_core.specification import Evidence
from tests.indexing.folders import make_folder
from tests.making.fakes import COLOURS, ColourEncoder, ColourGenerator

WANT_MORE = ("spatial", "weights", "learned_first_moment", "learned_gaussian")  # than an index has by itself
NAMES = ["base checkpoint", "second checkpoint", "red", "green", "blue", "yellow", "red blue"]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")
    make_folder(folder / "models", NAMES)
    fill(folder, IndexSettings(samples=8))
    return folder / "catalog.sqlite"


def fill(folder: Path, settings: IndexSettings, probes: Callable[[int], Sequence[Probe]] = default_probes) -> None:
    def generator_for(models: Sequence[ModelFile]) -> ColourGenerator:
        return ColourGenerator(models)

    engine = Engine(
        encoder=ColourEncoder(),
        encoder_source="colours",
        generator_for=generator_for,
        draw=lambda image: image,
        probes=probes,
    )
    with Catalog(folder / "catalog.sqlite") as catalog:
        index(catalog, [folder / "models"], engine, settings)


@pytest.fixture
def colours(catalog: Path) -> ModelIndex:
    return ModelIndex.open(catalog, encoder=ColourEncoder())


def patch(name: str) -> Image.Image:
    picture = Image.new("RGB", (16, 16), (128, 128, 128))
    picture.paste(COLOURS[name], (0, 0, 10, 10))
    return picture


@pytest.mark.parametrize("colour", ["red", "green", "blue", "yellow"])
def test_a_text_finds_the_model_that_paints_it(colours: ModelIndex, colour: str):
    assert colours.search(Query(text=[colour]))[0].name == colour


@pytest.mark.parametrize("method", [method for method in METHODS if method not in WANT_MORE])
@pytest.mark.parametrize("colour", ["red", "green", "yellow"])
def test_every_method_finds_a_picture_s_model(colours: ModelIndex, colour: str, method: str):
    assert colours.search(Query(images=[patch(colour)]), method=method)[0].name in (colour, "red blue")


def test_two_pictures_of_different_colours_find_the_model_that_has_both(colours: ModelIndex):
    names = [match.name for match in colours.search(Query(text=["red", "blue"]))]
    assert names[0] == "red blue"


def test_without_pushes_a_model_down(colours: ModelIndex):
    names = [match.name for match in colours.search(Query(text=["red"], without=["blue"]))]
    assert names.index("red") < names.index("red blue")


def test_a_model_finds_its_like_and_not_itself(colours: ModelIndex):
    names = [match.name for match in colours.search(Query(like=["red"]), filters=Filters(kind="lora"))]
    assert "red" not in names
    assert names[0] == "red blue"


def test_filters_leave_only_what_they_name(colours: ModelIndex):
    checkpoints = colours.search(Query(text=["red"]), filters=Filters(kind="checkpoint"))
    assert {match.kind for match in checkpoints} == {"checkpoint"}
    assert colours.search(Query(text=["red"]), filters=Filters(architecture="flux")) == []
    assert colours.search(Query(text=["red"]), filters=Filters(folder=Path("elsewhere"))) == []


def test_only_files_that_a_host_lists_are_found(colours: ModelIndex):
    listed = {entry.model.path for entry in colours.collection.entries if entry.model.path.stem in ("green", "blue")}
    found = colours.search(Query(text=["red"]), filters=Filters(among=listed))
    assert {match.name for match in found} == {"green", "blue"}
    assert colours.search(Query(text=["red"]), filters=Filters(among=())) == []


def test_relevance_separates_what_is_there_from_what_is_not(colours: ModelIndex):
    there, absent = (colours.search(Query(text=[text]))[0] for text in ("green", "quite another thing"))
    assert there.relevance > 0.8
    assert not there.weak
    assert absent.relevance < there.relevance
    assert absent.weak


def test_a_match_carries_what_a_user_needs(colours: ModelIndex):
    match = colours.search(Query(text=["red"]), k=1)[0]
    assert (match.rank, match.kind, match.architecture) == (1, "lora", "sd15")
    assert match.evidence is Evidence.GENERATED
    assert match.path.name == "red.safetensors"
    assert match.strength is not None
    assert 0 < match.strength < 1
    assert colours.sample(match.id, match.thumbnails[0]) is not None
    assert [e.label for e in match.explanation] == ["red"]
    assert match.to_json()["evidence"] == "generated"


def test_weights_change_the_balance(colours: ModelIndex):
    for heavy in ("red", "green"):
        weights = [5.0, 1.0] if heavy == "red" else [1.0, 5.0]
        found = colours.search(Query(text=["red", "green"], weights=weights), filters=Filters(kind="lora"))[0].name
        assert found == heavy


def test_each_picture_counts_by_its_own_weight(colours: ModelIndex):
    for heavy, weights in (("red", [5.0, 1.0]), ("green", [1.0, 5.0])):
        query = Query(images=[patch("red"), patch("green")], weights=weights)
        assert colours.search(query, filters=Filters(kind="lora"))[0].name == heavy


def test_a_diverse_list_has_the_best_first_and_another_sort_second(colours: ModelIndex):
    plain = [m.name for m in colours.search(Query(text=["red"]))]
    varied = [m.name for m in colours.search(Query(text=["red"]), diverse=True)]
    assert varied[0] == plain[0]
    assert set(varied) <= set(plain)


def test_an_unknown_model_is_named_with_its_neighbours(colours: ModelIndex):
    with pytest.raises(UnknownModelError, match="'rednes' is no model of the index"):
        colours.search(Query(like=["rednes"]))


def test_a_search_needs_something_to_go_by():
    with pytest.raises(ValueError, match="needs a text, an image"):
        Query()
    with pytest.raises(ValueError, match="2 weights for 1 inputs"):
        Query(text=["a"], weights=[1, 2])


def test_quick_evidence_answers_by_name(tmp_path: Path):
    make_folder(tmp_path / "models", NAMES)
    fill(tmp_path, IndexSettings(quick=True))
    match = ModelIndex.open(tmp_path / "catalog.sqlite", encoder=ColourEncoder()).search(Query(text=["green"]))[0]
    assert (match.name, match.evidence) == ("green", Evidence.METADATA)
    assert match.thumbnails == ()


def test_copies_stand_in_one_match(tmp_path: Path):
    (first, *_) = make_folder(tmp_path / "models", ["red", "base checkpoint"])
    (tmp_path / "models" / "copy.safetensors").write_bytes(first.read_bytes())
    fill(tmp_path, IndexSettings(samples=4))
    with ModelIndex.open(tmp_path / "catalog.sqlite", encoder=ColourEncoder()) as colours:
        found = [m for m in colours.search(Query(text=["red"])) if m.kind == "lora"]
        assert len(found) == 1
        assert len(found[0].copies) == 1
        assert [len(group) for group in colours.exact_duplicates()] == [2]


def test_models_with_the_same_pictures_are_near_duplicates(tmp_path: Path):
    make_folder(tmp_path / "models", ["red", "blue", "base checkpoint", "red again"])
    fill(tmp_path, IndexSettings(samples=4))
    with ModelIndex.open(tmp_path / "catalog.sqlite", encoder=ColourEncoder()) as colours:
        pairs = [{a.stem, b.stem} for a, b, _ in colours.near_duplicates()]
    assert pairs == [{"red", "red again"}]


def test_a_search_among_few_models_is_no_work_for_several_threads(colours: ModelIndex, monkeypatch: pytest.MonkeyPatch):
    samples._pools.cache_clear()  # it knows what was loaded when it was first asked
    pools = ThreadpoolController().select(user_api="blas")
    seen: set[int] = set()
    plain = model_index.candidates

    def candidates(*asked: Any) -> Any:
        seen.update(pool["num_threads"] for pool in pools.info())
        return plain(*asked)

    monkeypatch.setattr(model_index, "candidates", candidates)
    with pools.limit(limits=2):
        pass
    before = [pool["num_threads"] for pool in pools.info()]
    colours.search(Query(text=["red"]))
    assert seen == {1}
    assert [pool["num_threads"] for pool in pools.info()] == before


def test_a_search_goes_on_while_another_connection_writes(catalog: Path):
    with ModelIndex.open(catalog, encoder=ColourEncoder()) as colours, Catalog(catalog) as writer:
        with writer.transaction():
            writer.put_setting("a", "b")
            assert colours.search(Query(text=["red"]))[0].name == "red"
        before = colours.collection
        assert not colours.reload()  # no answer depends on it
        assert colours.collection is before
        writer.put_specification(before.specification(0))
        assert colours.reload()
        assert not colours.reload()


def test_an_empty_catalog_says_what_to_do(tmp_path: Path):
    Catalog(tmp_path / "c.sqlite").close()
    with pytest.raises(EmptyCatalogError, match="holds nothing encoded with any encoder"):
        ModelIndex.open(tmp_path / "c.sqlite")


def test_standardised_scores_do_not_depend_on_the_scale_of_a_method(colours: ModelIndex):
    scores = colours.scores(Query(text=["red"]), "monte_carlo")
    assert np.isfinite(scores).all()


def test_a_text_is_put_behind_the_prompts_that_the_collection_was_asked_with(tmp_path: Path, colours: ModelIndex):
    make_folder(tmp_path / "models", NAMES)
    fill(tmp_path, IndexSettings(samples=8), partial(own_probes, ["a house", "a boat"]))
    with ModelIndex.open(tmp_path / "catalog.sqlite", encoder=ColourEncoder()) as own:
        assert own.collection.templates == ["a house", "a boat"]
        assert len(own.collection.background[0]) == len(colours.collection.background[0]) > 100
        assert own.search(Query(text=["green"]), method="paired_difference")[0].name == "green"
    assert colours.collection.templates == templates()


def test_inputs_meet_different_unrelated_queries():
    bank = np.random.default_rng(0).standard_normal((64, 5))
    answer = Answer(z=np.zeros(5), unrelated=Unrelated(z=bank, groups=np.zeros(5, np.intp), sizes={0: 5}))
    np.testing.assert_array_equal(added([(answer, 1.0), (answer, -1.0)]).unrelated.z, bank)
    both = added([(answer, 1.0), (answer, 1.0)], unrelated=True).unrelated.z
    assert both.std() == pytest.approx(1, abs=0.15)  # √2 if they were the same


def test_a_prompt_that_is_told_counts_for_a_picture(catalog: Path):
    with ModelIndex.open(catalog, encoder=ColourEncoder()) as index:
        picture = patch("red")
        plain, prompted = (index.search(Query(images=[picture], prompt=prompt)) for prompt in (None, "red"))
        methods = [{part.method for part in answer[0].explanation[0].methods} for answer in (plain, prompted)]
        assert "prompted_kernel_mean" in methods[1] - methods[0]
        assert prompted[0].name == plain[0].name == "red"


def test_where_no_file_is_known_there_are_no_duplicates(tmp_path: Path):
    with Catalog(tmp_path / "c.sqlite") as catalog:
        catalog.put_encoder("e", "source", 4)
    with ModelIndex.open(tmp_path / "c.sqlite") as index:
        assert (index.near_duplicates(), index.exact_duplicates()) == ([], [])
