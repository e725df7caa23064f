import numpy as np
import pytest

from feature_extraction.faces.boxes import area, contained, overlap, shifted, squared, suppress

BOXES = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [0, 0, 5, 5], [100, 100, 110, 120]], dtype=np.float32)


def test_area():
    assert area(BOXES).tolist() == [100, 100, 25, 200]


def test_overlap():
    found = overlap(BOXES, BOXES)
    assert found[0].tolist() == pytest.approx([1, 50 / 150, 25 / 100, 0])
    assert np.array_equal(found, found.T)


def test_contained_counts_the_last_pixel():
    found = contained(BOXES, BOXES)
    assert found[0].tolist() == pytest.approx([1, 6 * 11 / 121, 1, 0])


@pytest.mark.parametrize(
    ("threshold", "smaller", "kept"),
    [(0.5, False, [3, 1, 0, 2]), (0.3, False, [3, 1, 2]), (0.2, False, [3, 1, 2]), (0.5, True, [3, 1, 2])],
)
def test_suppress(threshold, smaller, kept):
    scores = np.array([0.7, 0.8, 0.6, 0.9], dtype=np.float32)
    assert suppress(BOXES, scores, threshold, smaller=smaller).tolist() == kept


def test_suppress_nothing():
    assert suppress(np.empty((0, 4), np.float32), np.empty(0, np.float32), 0.5).tolist() == []


def test_suppress_many_equals_one_by_one():
    generator = np.random.default_rng(0)
    corner = generator.uniform(0, 100, (300, 2))
    boxes = np.concatenate([corner, corner + generator.uniform(5, 40, (300, 2))], axis=1).astype(np.float32)
    scores = generator.uniform(size=300).astype(np.float32)
    left, expected = list(np.argsort(-scores)), []
    while left:
        best, *left = left
        expected.append(best)
        left = [i for i in left if overlap(boxes[[best]], boxes[[i]])[0, 0] <= 0.4]
    assert suppress(boxes, scores, 0.4).tolist() == expected


def test_squared():
    assert squared(BOXES)[3].tolist() == [95, 100, 115, 120]


def test_shifted():
    offsets = np.array([[0.1, 0.2, -0.1, 0.5]] * 4, dtype=np.float32)
    assert shifted(BOXES, offsets)[3].tolist() == pytest.approx([101, 104, 109, 130])
    assert shifted(BOXES, offsets, margin=1)[3].tolist() == pytest.approx([101.1, 104.2, 108.9, 130.5])
