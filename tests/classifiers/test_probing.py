"""How pictures go in where nobody says it, and what answers become."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from modelsearch_core.classifiers.files import Fit, Input, Layout
from modelsearch_core.classifiers.onnx_files import found_anywhere, labels_of
from modelsearch_core.classifiers.pictures import batch_of
from modelsearch_core.classifiers.probing import (
    Unit,
    from_logit,
    information,
    most_telling,
    note_on,
    to_logits,
    unit_of,
)

PLAIN, RAW = Input(width=4, height=4), Input(width=4, height=4, scale=1.0)


class Only:
    """Tells pictures apart only if they go in raw."""

    def respond(self, images: Sequence[Image.Image], wanted: Input) -> np.ndarray:
        brightness = batch_of(images, wanted).mean(axis=(1, 2, 3))
        return np.stack([brightness > 100, brightness <= 100, np.zeros_like(brightness)], axis=1).astype(np.float32)


def greys() -> list[Image.Image]:
    return [Image.new("RGB", (8, 8), (value,) * 3) for value in (10, 60, 150, 200)]


def test_the_likeliest_way_in_is_taken_unless_it_tells_nothing():
    assert most_telling(Only(), [PLAIN, RAW], greys()) is RAW
    assert most_telling(Only(), [RAW, PLAIN], greys()) is RAW
    sure = Input(width=4, height=4, scale=1.0, fit=Fit.SQUASH)
    assert most_telling(Only(), [sure, RAW], greys()) is sure


def test_information_is_none_for_one_answer_and_grows_with_what_differs():
    same, different = np.tile([5.0, 1.0, 0.0], (4, 1)), np.eye(3)[[0, 1, 2, 0]] * 5
    assert information(same) == pytest.approx(0)
    assert information(different) > 0.3
    assert information(different) == pytest.approx(information(40 * different))


def test_units_are_read_off_the_numbers():
    assert unit_of(np.array([[0.2, 0.8], [0.5, 0.5]])) is Unit.SHARE
    assert unit_of(np.array([[0.2, 0.9], [0.5, 0.5]])) is Unit.PROBABILITY
    assert unit_of(np.array([[0.2], [0.9]])) is Unit.PROBABILITY
    assert unit_of(np.array([[-0.2, 0.9]])) is Unit.LOGIT


@pytest.mark.parametrize("unit", list(Unit))
def test_a_logit_leads_back_to_what_was_said(unit: Unit):
    values = np.array([[0.1, 0.6], [0.3, 0.9]])
    back = [[from_logit(value, unit) for value in row] for row in to_logits(values, unit)]
    np.testing.assert_allclose(back, values)


def test_outputs_that_answer_alike_are_told():
    phi = np.array([[1.0, 1.0, 1.0], [0.0, 1.0, 2.0]])
    assert note_on(phi, guessed=False) == "1 of 2 outputs answer every probe alike"
    assert "a guess" in note_on(phi, guessed=True)
    assert note_on(phi[1:], guessed=False) == ""


def test_pictures_go_in_by_layout_order_and_normalisation():
    image = Image.new("RGB", (2, 2), (255, 0, 51))
    first = batch_of([image], Input(width=2, height=2, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)))
    assert first.shape == (1, 3, 2, 2)
    np.testing.assert_allclose(first[0, :, 0, 0], [1, -1, -0.6], atol=1e-6)
    last = batch_of([image], Input(width=2, height=2, layout=Layout.CHANNELS_LAST, bgr=True, scale=1.0))
    assert last[0, 0, 0].tolist() == [51, 0, 255]


def test_the_whole_picture_stays_where_it_is_padded_and_the_middle_where_it_is_cropped():
    image = Image.new("RGB", (40, 20), (255, 0, 0))
    image.paste((0, 0, 255), (0, 0, 10, 20))
    padded = batch_of([image], Input(width=20, height=20, fit=Fit.PAD, fill=114, scale=1.0))[0]
    assert padded[:, 0, 0].tolist() == [114, 114, 114]
    assert padded[2, 10, 1] > 200
    cropped = batch_of([image], Input(width=20, height=20, scale=1.0))[0]
    assert cropped[2].max() < 30
    squashed = batch_of([image], Input(width=20, height=20, fit=Fit.SQUASH, scale=1.0))[0]
    assert squashed[2, 10, 1] > 200 and squashed[0, 0, 19] > 200


def test_boxes_after_suppression_count_by_their_class():
    rows = np.zeros((1, 3, 6), np.float32)
    rows[0, :, 4:] = [[0.9, 2], [0.4, 0], [0.7, 2]]
    np.testing.assert_allclose(found_anywhere([rows], 4), [[0.4, 0, 0.9, 0]])


def test_a_segmenters_mask_coefficients_are_no_classes():
    rows = np.zeros((1, 4 + 2 + 32, 100), np.float32)
    rows[0, 4, 3], rows[0, 5, 7], rows[0, 6:] = 0.8, 0.3, 5.0
    np.testing.assert_allclose(found_anywhere([rows, np.zeros((1, 32, 8, 8))], 2), [[0.8, 0.3]])
    np.testing.assert_allclose(found_anywhere([rows, np.zeros((1, 32, 8, 8))], 0), [[0.8, 0.3]])


@pytest.mark.parametrize(
    ("metadata", "labels"),
    [
        ({"names": "{0: 'hat', 1: 'face'}"}, ("hat", "face")),
        ({"names": "['hat', 'face']"}, ("hat", "face")),
        ({"classes": "hat, face"}, ("hat", "face")),
        ({"names": "{0: 'hat', 5: 'face'}"}, ()),
        ({"names": "__import__('os').system('true')"}, ("__import__('os').system('true')",)),
        ({}, ()),
    ],
)
def test_class_names_come_from_the_graphs_own_words(metadata: dict[str, str], labels: tuple[str, ...]):
    assert labels_of(metadata) == labels
