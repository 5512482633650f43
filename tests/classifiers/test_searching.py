"""Files in folders, really asked: found, probed, described, and found again by a concept."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.classifiers import (
    ClassifierIndex,
    ClassifierReport,
    ConceptQuery,
    ProbeSettings,
    index_classifiers,
    scoring,
)
from modelsearch_core.classifiers.evaluating import Found, by_labels, by_pictures
from modelsearch_core.errors import EmptyCatalogError, ModelSearchError, UnknownModelError
from modelsearch_core.scores import logit_candidates
from tests.making import classifiers as making
from tests.making.fakes import NAMES, ColourEncoder


def index(tmp_path: Path, models: Path, **settings: object) -> ClassifierReport:
    probes = tmp_path / "probes"
    if not probes.exists():
        making.probe_pictures(probes)
    with Catalog(tmp_path / "catalog.sqlite") as catalog:
        wanted = ProbeSettings(**{"probes": None, **settings})  # type: ignore[arg-type]  # the values are the fields
        if catalog.setting("classifier_probes") is None:
            wanted = ProbeSettings(**{"probes": probes, **settings})  # type: ignore[arg-type]
        return index_classifiers(catalog, [models], ColourEncoder(), "colours", wanted)


def ask(tmp_path: Path, text: str = "", **others: object):
    images, without = others.pop("images", ()), others.pop("without", ())
    with ClassifierIndex.open(tmp_path / "catalog.sqlite", encoder=ColourEncoder()) as found:
        return found.search(ConceptQuery(text=[text] if text else [], images=images, without=without), **others)  # type: ignore[arg-type]


@pytest.mark.parametrize("colour", NAMES)
@pytest.mark.parametrize("last", ["logits", "softmax", "sigmoid"])
def test_a_concept_finds_the_output_that_knows_it(tmp_path: Path, colour: str, last: str):
    making.classifier(tmp_path / "models" / "v3_best.onnx", NAMES, last=last)
    report = index(tmp_path, tmp_path / "models")
    assert (report.models, report.outputs, report.failed, report.notes) == (1, len(NAMES), {}, {})
    best = ask(tmp_path, colour)[0]
    assert (best.name, best.output, best.label) == ("v3_best", NAMES.index(colour), None)
    assert len(best.probes) == 4


def test_pictures_ask_as_words_do(tmp_path: Path):
    making.classifier(tmp_path / "models" / "a.onnx", NAMES)
    index(tmp_path, tmp_path / "models")
    best = ask(tmp_path, images=[making.square("blue"), making.square("blue", size=12)])[0]
    assert best.output == NAMES.index("blue")


def test_a_great_many_outputs_are_looked_through_with_the_same_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for number in range(20):
        making.classifier(tmp_path / "models" / f"{number}.onnx", NAMES[: 2 + number % 4], last="sigmoid")
    making.detector(tmp_path / "models" / "bbox" / "named.onnx", NAMES)
    making.pickled_detector(tmp_path / "models" / "bbox" / "never_asked.pt", NAMES)
    index(tmp_path, tmp_path / "models")
    blue = [making.square("blue")]
    for asked in (
        {"text": "pink"},
        {"text": "pink", "kind": "detector"},
        {"images": blue},
        {"text": "blue", "images": blue, "without": ["green"], "k": 5},
    ):
        every = ask(tmp_path, **asked)
        monkeypatch.setattr(scoring, "ALL_MEASURED", 3)
        monkeypatch.setattr(logit_candidates, "SEEDS", 0)
        few = ask(tmp_path, **asked)
        monkeypatch.undo()
        assert few == every


def test_channels_may_come_last(tmp_path: Path):
    making.classifier(tmp_path / "models" / "a.onnx", NAMES, channels_last=True)
    index(tmp_path, tmp_path / "models")
    assert ask(tmp_path, "green")[0].output == NAMES.index("green")


@pytest.mark.parametrize("form", ["v8", "v5", "apart", "masks"])
def test_a_detector_is_known_by_its_surest_box(tmp_path: Path, form: str):
    making.detector(tmp_path / "models" / "bbox" / "v3_best.onnx", NAMES, form=form)
    assert index(tmp_path, tmp_path / "models").outputs == len(NAMES)
    best = ask(tmp_path, "pink")[0]
    assert (best.kind, best.output, best.label) == ("detector", NAMES.index("pink"), "pink")
    assert best.threshold is not None and 0.25 < best.threshold < 1
    assert ask(tmp_path, "pink", kind="classifier") == []


def test_a_detector_without_names_is_asked_all_the_same(tmp_path: Path):
    making.detector(tmp_path / "models" / "d.onnx", NAMES, told=False)
    assert index(tmp_path, tmp_path / "models").outputs == len(NAMES)
    best = ask(tmp_path, "yellow")[0]
    assert (best.output, best.label) == (NAMES.index("yellow"), None)


def test_a_rater_is_asked_for_both_its_ends(tmp_path: Path):
    making.classifier(tmp_path / "models" / "aesthetic" / "rater.onnx", ["red"])
    assert index(tmp_path, tmp_path / "models").outputs == 2
    first, second = ask(tmp_path, "red")
    assert (first.output, first.turned, second.output, second.turned) == (0, False, 0, True)


@pytest.mark.parametrize("table", ["selected_tags.csv", "model.csv"])
def test_a_taggers_labels_come_from_the_table_beside_it(tmp_path: Path, table: str):
    folder = tmp_path / "wd14_tagger"
    making.classifier(folder / "model.onnx", NAMES, last="sigmoid", channels_last=True, raw=True)
    with (folder / table).open("w", newline="") as file:
        csv.writer(file).writerows(
            [["tag_id", "name", "category", "count"], *([i, f"{n}_hat", 0, 1] for i, n in enumerate(NAMES))]
        )
    index(tmp_path, folder)
    with ClassifierIndex.open(tmp_path / "catalog.sqlite", encoder=ColourEncoder()) as found:
        model = found.model("wd14_tagger")
        assert model.file.labels == tuple(f"{name} hat" for name in NAMES)
        assert model.file.input is not None and model.file.input.bgr and model.file.input.scale == 1.0
        best = found.search(ConceptQuery(text=["blue"]))[0]
        assert (best.label, best.agreement) == ("blue hat", pytest.approx(1, abs=0.1))


def test_folders_of_timm_and_of_transformers_are_asked(tmp_path: Path):
    making.timm_folder(tmp_path / "models" / "a", 3, labels=["cat", "dog", "hat"])
    making.transformers_folder(tmp_path / "models" / "b", ["LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3"])
    report = index(tmp_path, tmp_path / "models")
    assert (report.models, report.outputs, report.failed) == (2, 7, {})
    with ClassifierIndex.open(tmp_path / "catalog.sqlite", encoder=ColourEncoder()) as found:
        assert [m.file.labels for m in found.outputs.models] == [("cat", "dog", "hat"), ()]


def test_what_was_probed_is_not_probed_again_and_what_is_gone_is_not_found(tmp_path: Path):
    path = making.classifier(tmp_path / "models" / "a.onnx", NAMES)
    making.classifier(tmp_path / "models" / "b.onnx", NAMES[:2])
    assert len(index(tmp_path, tmp_path / "models").probed) == 2
    again = index(tmp_path, tmp_path / "models")
    assert (again.unchanged, again.probed) == (2, [])
    path.rename(path.with_name("renamed.onnx"))
    assert index(tmp_path, tmp_path / "models").unchanged == 2
    assert {m.name for m in ask(tmp_path, "pink")} == {"renamed", "b"}
    (tmp_path / "models" / "b.onnx").unlink()
    assert index(tmp_path, tmp_path / "models").removed == 1
    assert {m.name for m in ask(tmp_path, "pink")} == {"renamed"}


def test_other_probes_are_asked_of_all_anew(tmp_path: Path):
    making.classifier(tmp_path / "models" / "a.onnx", NAMES)
    index(tmp_path, tmp_path / "models")
    report = index(tmp_path, tmp_path / "models", probes=making.probe_pictures(tmp_path / "other", 60, seed=3))
    assert (len(report.probed), report.probes) == (1, 60)
    assert ask(tmp_path, "red")[0].output == NAMES.index("red")


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path):
    making.classifier(tmp_path / "models" / "good.onnx", NAMES)
    (tmp_path / "models" / "bad.onnx").write_bytes(b"not a graph")
    report = index(tmp_path, tmp_path / "models")
    assert [file.path.name for file in report.skipped] == ["bad.onnx"]
    assert "onnxruntime cannot open it" in report.skipped[0].reason
    assert ask(tmp_path, "red")[0].name == "good"


def test_copies_are_one_model(tmp_path: Path):
    first = making.classifier(tmp_path / "models" / "a.onnx", NAMES)
    (tmp_path / "models" / "copy.onnx").write_bytes(first.read_bytes())
    assert len(index(tmp_path, tmp_path / "models").probed) == 1
    best = ask(tmp_path, "red", among=[tmp_path / "models" / "copy.onnx"])[0]
    assert (best.path.name, [p.name for p in best.copies]) == ("a.onnx", ["copy.onnx"])


def test_labels_help_where_they_are_borne_out_and_not_where_they_were_shuffled(tmp_path: Path):
    for name, labels in (("true", NAMES), ("shuffled", [*NAMES[1:], NAMES[0]])):
        path = making.classifier(tmp_path / "models" / name / f"{name}.onnx", NAMES)
        path.with_suffix(".txt").write_text("\n".join(labels))
        (path.parent / name).write_text(name)
    models = tmp_path / "models"
    # The same weights would be copies of one model: an output more tells them apart.
    making.classifier(models / "shuffled" / "shuffled.onnx", [*NAMES, "red"])
    (models / "shuffled" / "shuffled.txt").write_text("\n".join([*NAMES[1:], NAMES[0], "blue"]))
    index(tmp_path, models)
    with ClassifierIndex.open(tmp_path / "catalog.sqlite", encoder=ColourEncoder()) as found:
        agreements = {m.name: a for m, a in zip(found.outputs.models, found.agreements, strict=True)}
        best = found.search(ConceptQuery(text=["green"]))[0]
    assert agreements["true"] > 0.9
    assert agreements["shuffled"] < 0.3
    assert (best.name, best.label) == ("true", "green")


def test_a_catalog_without_classifiers_says_how_to_get_some(tmp_path: Path):
    with Catalog(tmp_path / "catalog.sqlite"):
        pass
    with pytest.raises(EmptyCatalogError, match="--kind classifier"):
        ClassifierIndex.open(tmp_path / "catalog.sqlite")


def test_a_name_that_nothing_has_is_refused(tmp_path: Path):
    making.classifier(tmp_path / "models" / "a.onnx", NAMES)
    index(tmp_path, tmp_path / "models")
    with (
        ClassifierIndex.open(tmp_path / "catalog.sqlite", encoder=ColourEncoder()) as found,
        pytest.raises(UnknownModelError, match="'zzz'"),
    ):
        found.model("zzz")


def test_labels_that_are_left_out_say_how_far_answers_can_be_trusted(tmp_path: Path):
    path = making.classifier(tmp_path / "models" / "a.onnx", NAMES)
    path.with_suffix(".txt").write_text("\n".join(NAMES))
    index(tmp_path, tmp_path / "models")
    with ClassifierIndex.open(tmp_path / "catalog.sqlite", encoder=ColourEncoder()) as found:
        assert by_labels(found) == Found(concepts=len(NAMES), outputs=len(NAMES), top1=1.0, top5=1.0)
        assert by_pictures(found, {"Red": [making.square("red")], "other": []}).concepts == 1
        with pytest.raises(ModelSearchError, match="none of other"):
            by_pictures(found, {"other": []})


def test_without_labels_there_is_nothing_to_ask(tmp_path: Path):
    making.classifier(tmp_path / "models" / "a.onnx", NAMES)
    index(tmp_path, tmp_path / "models")
    with (
        ClassifierIndex.open(tmp_path / "catalog.sqlite", encoder=ColourEncoder()) as found,
        pytest.raises(ModelSearchError, match="no classifier of the index has labels"),
    ):
        by_labels(found)
