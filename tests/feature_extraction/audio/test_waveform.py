import numpy as np
import pytest

from feature_extraction.audio import waveform
from feature_extraction.audio.waveform import AS_RECORDED, FrameGrid, Scale, overlapping_pieces, padded_pieces
from toolkit.errors import ClipError
from toolkit.media import Sound
from toolkit.status import Status

RATE = 16000
KERNELS, STRIDES = (10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2)  # of wav2vec2
GRID = FrameGrid.of(KERNELS, STRIDES)


def ramp(count: int) -> Sound:
    """Every sample is its own number."""
    return Sound(np.arange(count, dtype=np.float32), RATE)


@pytest.mark.parametrize(
    ("kernels", "strides"), [(KERNELS, STRIDES), ((10, 8, 4, 4, 4, 1, 1), (5, 4, 2, 2, 2, 1, 1)), ((3, 2), (1, 4))]
)
def test_count_is_that_of_the_convolutions_one_by_one(kernels, strides):
    grid = FrameGrid.of(kernels, strides)
    for samples in [*range(1500), 15999, 16000, 479999, 480000]:
        frames = samples
        for kernel, stride in zip(kernels, strides, strict=True):
            frames = max(0, (frames - kernel) // stride + 1)
        assert grid.count(samples) == frames


def test_times_are_middles():
    assert GRID == (320, 400)
    np.testing.assert_allclose(GRID.times(0, 3, RATE), [0.0125, 0.0325, 0.0525], atol=1e-12)
    np.testing.assert_allclose(GRID.times(50, 51, RATE), [1.0125], atol=1e-12)


@pytest.mark.parametrize("block", [7, 1 << 20])
def test_unit_variance_is_that_of_the_library(block, monkeypatch, tmp_path):
    from transformers import Wav2Vec2FeatureExtractor

    monkeypatch.setattr(waveform, "_BLOCK", block)
    samples = np.random.default_rng(0).normal(0.1, 0.02, 5000).astype(np.float32)
    samples.tofile(tmp_path / "samples")
    mapped = np.memmap(tmp_path / "samples", np.float32, "r")
    expected = Wav2Vec2FeatureExtractor(do_normalize=True)(samples, sampling_rate=RATE).input_values[0]
    scaled = waveform.unit_variance(mapped).apply(mapped)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, expected, rtol=0, atol=2e-5)
    assert not isinstance(scaled, np.memmap)


def test_scale_of_a_constant():
    scale = waveform.unit_variance(np.full(1000, 0.25, np.float32))
    assert scale.offset == 0.25
    assert scale.divisor == pytest.approx(1e-7**0.5, rel=1e-6)
    assert Scale(1.0, 2.0).apply(np.array([1, 5], np.float32)).tolist() == [0, 2]


def test_half_a_minute_stays_whole():
    (piece,) = overlapping_pieces(ramp(30 * RATE), GRID, Scale(0, 2))
    np.testing.assert_array_equal(piece.inputs, np.arange(30 * RATE) / 2)
    assert piece.length == 30 * RATE
    assert piece.keep == slice(0, 1499)
    np.testing.assert_array_equal(piece.times, GRID.times(0, 1499, RATE))


@pytest.mark.parametrize("samples", [30 * RATE + 320, 95 * RATE + 17, 600 * RATE])
def test_chunks_of_a_long_sound(samples):
    pieces = list(overlapping_pieces(ramp(samples), GRID, AS_RECORDED))
    for piece in pieces:
        assert len(piece.inputs) <= 30.02 * RATE
        # A frame sees 400 samples from 320 times its number on, and its time is their middle.
        first = piece.inputs[0] / 320 + np.arange(GRID.count(len(piece.inputs)))[piece.keep]
        np.testing.assert_allclose(piece.times, (first * 320 + 200) / RATE, atol=1e-9)
        before, after = piece.keep.start, GRID.count(len(piece.inputs)) - piece.keep.stop
        assert piece.inputs[0] == 0 or before == 250  # five seconds
        assert piece is pieces[-1] or piece.inputs[-1] == samples - 1 or after == 250
    times = np.concatenate([piece.times for piece in pieces])
    np.testing.assert_array_equal(times, GRID.times(0, GRID.count(samples), RATE))


def test_pieces_as_mertools_cuts_them():
    first, second = padded_pieces(ramp(10 * RATE + 100), GRID, Scale(1, 2))
    assert (first.length, second.length) == (160000, 160000)
    np.testing.assert_array_equal(first.inputs, (np.arange(160000) - 1) / 2)
    np.testing.assert_array_equal(second.inputs[:100], (np.arange(160000, 160100) - 1) / 2)
    assert not second.inputs[100:].any()  # zeros of the normalised waveform, as theirs
    assert len(first.times) == len(second.times) == 499
    np.testing.assert_allclose(second.times[:2], [10.0125, 10.0325], atol=1e-9)
    (only,) = padded_pieces(ramp(10 * RATE), GRID, AS_RECORDED)
    assert only.length == 160000
    (short,) = padded_pieces(ramp(1000), GRID, AS_RECORDED)
    assert short.length == 1000
    assert len(short.times) == 2


@pytest.mark.parametrize("cut", [overlapping_pieces, padded_pieces])
def test_too_short(cut):
    with pytest.raises(ClipError, match=r"24\.9 ms of sound, one frame needs 25 ms") as caught:
        next(cut(ramp(399), GRID, AS_RECORDED))
    assert caught.value.status == Status.TOO_SHORT
    (piece,) = cut(ramp(400), GRID, AS_RECORDED)
    assert piece.times.tolist() == [0.0125]
