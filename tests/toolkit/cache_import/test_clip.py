"""A clip's numbers become a record, or a status with its reason."""

import numpy as np
import pytest

from toolkit.cache_import.clip import frames_of, record_of
from toolkit.errors import ClipError
from toolkit.status import Status

FRAMES = np.array([[1.0, 2.0], [3.0, 6.0]])


def test_utterance_is_the_mean_of_the_frames(make_spec):
    record = record_of("a", FRAMES, make_spec(), "utterance", 2)
    assert record.status is Status.OK
    assert record.row["utterance"].tolist() == [2.0, 4.0]
    assert record.row["utterance"].dtype == np.float32
    assert record.ragged == {}


def test_vector_is_kept_to_the_bit(make_spec):
    vector = np.random.default_rng(0).normal(size=512).astype(np.float32)
    np.testing.assert_array_equal(record_of("a", vector, make_spec(), "utterance", 512).row["utterance"], vector)


def test_frames_have_times_where_the_rate_is_known(make_spec):
    record = record_of("a", FRAMES, make_spec(frame_rate=4.0), "frame", 2)
    np.testing.assert_array_equal(record.ragged["frames/values"], FRAMES)
    assert record.ragged["frames/time"].tolist() == [0.125, 0.375]
    assert set(record_of("a", FRAMES, make_spec(), "frame", 2).ragged) == {"frames/values"}


@pytest.mark.parametrize(
    ("values", "modality", "status", "reason"),
    [
        (np.array([]), "visual", "no_face", "the array is empty"),  # what MERTools saves of a clip without a face
        (np.array([]), "audio", "too_short", "the array is empty"),
        (np.empty((0, 2)), "text", "empty_text", "the array is empty"),
        (np.zeros(2), "text", "empty_text", "all numbers are zero, which stands for nothing found"),
        (np.zeros((3, 2)), "visual", "no_face", "all numbers are zero, which stands for nothing found"),
        (np.zeros((3, 2)), "audio", "silent", "all numbers are zero, which stands for nothing found"),
        (np.array([[1, 2], [np.nan, 1], [0, np.inf]]), "audio", "not_finite", "NaN or infinity in 2 of 3 frames"),
        (np.array([1e300, 1.0]), "audio", "not_finite", "NaN or infinity in 1 of 1 frames"),
        (np.ones(3), "audio", "unreadable", "has 3 numbers per frame, the others have 2"),
        (np.ones((2, 3, 2)), "audio", "unreadable", "has shape (2, 3, 2), expected (D,) or (frames, D)"),
        (np.array(4.0), "audio", "unreadable", "has shape (), expected (D,) or (frames, D)"),
        (np.array(["a", "b"]), "audio", "unreadable", "holds values of type <U1, no numbers"),
        (np.array([1j, 2]), "audio", "unreadable", "holds values of type complex128, no numbers"),
        (np.array([[1.0], [2.0]], object), "audio", "unreadable", "holds values of type object, no numbers"),
    ],
)
def test_clips_that_cannot_be_used(make_spec, values, modality, status, reason):
    with pytest.raises(ClipError) as error:
        record_of("a", values, make_spec(modality=modality), "utterance", 2)
    assert (error.value.status, error.value.reason) == (status, reason)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((4,), (1, 4)),
        ((3, 4), (3, 4)),
        ((1, 3, 4), (3, 4)),
        ((3, 1, 4), (3, 4)),
        ((1, 1, 4), (1, 4)),
        ((1, 3, 1), (3, 1)),
    ],
)
def test_axes_of_length_one_are_dropped(shape, expected):
    values = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    frames = frames_of(values)
    assert frames.shape == expected
    np.testing.assert_array_equal(frames.ravel(), values.ravel())


@pytest.mark.parametrize("dtype", [">f4", "f8", "f2", "i8", "u1", "?"])
def test_any_number_type_becomes_float32(dtype):
    frames = frames_of(np.array([0, 1, 1], dtype))
    assert frames.dtype == np.float32
    assert frames.dtype.isnative
    assert frames.tolist() == [[0, 1, 1]]


def test_mean_of_large_numbers_does_not_overflow(make_spec):
    record = record_of("a", np.full((4, 1), 3e38, np.float32), make_spec(), "utterance", 1)
    assert record.row["utterance"][0] == np.float32(3e38)
