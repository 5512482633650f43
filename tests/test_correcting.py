"""What a user says of a model comes first, and stays when its folder is scanned again."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.cli import main
from modelsearch_core.correcting import bases_for, correct
from modelsearch_core.errors import ModelSearchError
from modelsearch_core.indexing import Engine, IndexSettings, index
from modelsearch_core.model_files import ModelFile
from tests.indexing.folders import make_folder
from tests.making.fakes import ColourEncoder, ColourGenerator


class Scene:
    """Two checkpoints and two LoRA, indexed."""

    def __init__(self, root: Path) -> None:
        self.folder, self.path = root / "models", root / "catalog.sqlite"
        make_folder(self.folder, ["a checkpoint", "b checkpoint", "red", "blue"])
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self.index()

    def index(self) -> None:
        asked = self.asked = []

        class Generator(ColourGenerator):
            def paint(self, model: ModelFile, number: int):
                asked.append((model.title, model.trigger_words))
                return super().paint(model, number)

        engine = Engine(encoder=ColourEncoder(), encoder_source="c", generator_for=Generator, draw=lambda i: i)
        with Catalog(self.path) as catalog:
            index(catalog, [self.folder], engine, IndexSettings(samples=2))

    def correct(self, name: str, **changes: object) -> ModelFile:
        with Catalog(self.path) as catalog:
            return correct(catalog, self.model(name).fingerprint, changes)

    def model(self, name: str) -> ModelFile:
        with Catalog(self.path) as catalog:
            return next(model for model in catalog.models() if model.path.stem == name)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_what_is_set_is_kept_over_scans_edits_of_metadata_and_renames(scene: Scene) -> None:
    base = scene.folder / "b checkpoint.safetensors"
    set_now = scene.correct("red", architecture="sdxl", base=str(base), trigger_words="ohwx, red dress")
    assert (set_now.architecture, set_now.base, set_now.trigger_words) == ("sdxl", base, ("ohwx", "red dress"))
    assert set_now.by_hand == ("architecture", "base", "trigger_words")
    (scene.folder / "red.json").write_text('{"activation text": "other"}')
    scene.index()
    assert scene.model("red").trigger_words == ("ohwx", "red dress")
    (scene.folder / "red.safetensors").rename(scene.folder / "new.safetensors")
    scene.index()
    moved = scene.model("new")
    assert (moved.architecture, moved.base, moved.trigger_words) == ("sdxl", base, ("ohwx", "red dress"))
    assert scene.model("blue").by_hand == ()


def test_a_model_is_asked_again_as_it_was_set_and_only_then(scene: Scene) -> None:
    scene.index()
    assert scene.asked == []
    scene.correct("red", trigger_words=["ohwx"])
    scene.index()
    assert scene.asked == [("red", ("ohwx",))] * 2
    scene.index()
    assert scene.asked == []


def test_fields_are_set_and_forgotten_one_by_one(scene: Scene) -> None:
    scene.correct("red", architecture="flux", trigger_words="x")
    assert scene.correct("red", architecture=None).by_hand == ("trigger_words",)
    assert scene.correct("red", trigger_words="").trigger_words == ()
    assert scene.model("red").by_hand == ("trigger_words",)
    again = scene.correct("red", trigger_words=None)
    assert (again.by_hand, again.architecture) == ((), "sd15")


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("red", {"architecture": "sd9"}, r"'sd9' is no architecture that is known here; these are: .*sd15"),
        ("red", {"base": "/nowhere/x.ckpt"}, r"/nowhere/x\.ckpt is no checkpoint of the index"),
        ("a checkpoint", {"base": "x"}, r"a checkpoint\.safetensors is a checkpoint, which has no base"),
        ("red", {"trigger_words": [3]}, r"trigger words are a text with commas, or a list of texts, not \[3\]"),
        ("red", {"title": "x"}, r"title cannot be set by hand; architecture, base, trigger_words can"),
    ],
)
def test_a_value_that_cannot_be_changes_nothing(
    scene: Scene, name: str, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ModelSearchError, match=message):
        scene.correct(name, **{"trigger_words": "y", **changes})
    assert scene.model(name).by_hand == ()


def test_a_failure_is_forgotten_so_that_the_model_is_asked_again(scene: Scene) -> None:
    with Catalog(scene.path) as catalog:
        catalog.put_failure(scene.model("red").fingerprint, "no base")
    scene.correct("red", trigger_words="x")
    with Catalog(scene.path) as catalog:
        assert catalog.failures() == {}


def test_bases_of_the_models_architecture_come_first(scene: Scene) -> None:
    with Catalog(scene.path) as catalog:
        red = scene.correct("red", architecture="sdxl")
        correct(catalog, scene.model("b checkpoint").fingerprint, {"architecture": "sdxl"})
        assert [each.path.stem for each in bases_for(red, catalog.models())] == ["b checkpoint", "a checkpoint"]


def test_the_command_says_what_is_set(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["set", "red", "--base", "b checkpoint", "--trigger", "ohwx, hat", "--catalog", str(scene.path)]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "red.safetensors: set by hand" in said and "ohwx, hat" in said and "b checkpoint.safetensors" in said
    assert main(["set", "red", "--reset", "--catalog", str(scene.path)]) == 0
    assert "nothing is set by hand" in capsys.readouterr().out
    assert main(["set", "red", "--architecture", "sd9", "--catalog", str(scene.path)]) == 2
    assert "'sd9' is no architecture" in capsys.readouterr().err
    assert scene.model("red").by_hand == ()
