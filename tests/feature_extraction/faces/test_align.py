import numpy as np
import pytest

from feature_extraction.faces.align import TEMPLATE, align, similarity, template

ANGLE = 0.3
TURN = 1.7 * np.array([[np.cos(ANGLE), -np.sin(ANGLE)], [np.sin(ANGLE), np.cos(ANGLE)]])
SHIFT = np.array([-20.0, 35.0])


def test_similarity_is_found_again():
    matrix = similarity(TEMPLATE, TEMPLATE @ TURN.T + SHIFT)
    np.testing.assert_allclose(matrix[:, :2], TURN, atol=1e-9)
    np.testing.assert_allclose(matrix[:, 2], SHIFT, atol=1e-9)


def test_similarity_is_least_squares():
    target = TEMPLATE @ TURN.T + SHIFT + np.random.default_rng(0).normal(0, 3, (5, 2))
    matrix = similarity(TEMPLATE, target)
    (x, y), design = target.T, np.zeros((10, 4))
    design[0::2] = np.column_stack([TEMPLATE[:, 0], -TEMPLATE[:, 1], np.ones(5), np.zeros(5)])
    design[1::2] = np.column_stack([TEMPLATE[:, 1], TEMPLATE[:, 0], np.zeros(5), np.ones(5)])
    a, b, *shift = np.linalg.lstsq(design, np.column_stack([x, y]).ravel(), rcond=None)[0]
    np.testing.assert_allclose(matrix, [[a, -b, shift[0]], [b, a, shift[1]]], atol=1e-9)


def test_no_mirror_image():
    matrix = similarity(TEMPLATE, TEMPLATE * [-1, 1])
    assert np.linalg.det(matrix[:, :2]) > 0


def test_points_that_coincide():
    with pytest.raises(ValueError, match="coincide"):
        similarity(np.ones((5, 2)), TEMPLATE)


def test_template_scales_about_pixel_corners():
    np.testing.assert_array_equal(template(112), TEMPLATE)
    np.testing.assert_allclose(template(224)[0], [2 * 38.7946 - 0.5, 2 * 52.1963 - 0.5])


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.9, 2.3, 4.6])
@pytest.mark.parametrize("angle", [0.0, 0.5])
def test_points_land_on_the_template(scale, angle):
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (TEMPLATE - 56) @ turn.T + [400, 300]
    rows, columns = np.mgrid[:600, :800]
    image = np.zeros((600, 800, 3))
    for x, y in points:  # a soft spot at every point
        image += 250 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * (3 * scale) ** 2))[..., None]
    crop = align(image.clip(0, 255).astype(np.uint8), points, 112)
    assert crop.shape == (112, 112, 3)
    rows, columns = np.mgrid[:112, :112]
    for x, y in TEMPLATE:
        near = crop[..., 0] * (np.hypot(columns - x, rows - y) < 8).astype(float)
        centre = (near * columns).sum() / near.sum(), (near * rows).sum() / near.sum()
        np.testing.assert_allclose(centre, (x, y), atol=0.15)


def test_large_face_is_averaged():
    checks = (np.indices((1200, 1200)).sum(axis=0) % 2 * 255).astype(
        np.uint8
    )  # sampled, black or white; averaged, grey
    crop = align(np.repeat(checks[..., None], 3, axis=2), TEMPLATE * 8 + 100, 112)
    assert crop.min() >= 126
    assert crop.max() <= 129


def test_beyond_the_picture_is_black():
    crop = align(np.full((40, 112, 3), 200, np.uint8), TEMPLATE, 112)
    assert crop[:39].min() == 200
    assert crop[41:].max() == 0
