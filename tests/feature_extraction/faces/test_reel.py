import tracemalloc

import numpy as np
import pytest

from feature_extraction.faces import reel as module
from feature_extraction.faces.reel import Reel, encode_crop, keep
from feature_extraction.faces.store import decode_crops, decoded
from feature_extraction.faces.track import FaceTrack


@pytest.fixture
def track():
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:32, :48] * 5
    crops = [np.stack([rows, columns, np.full_like(rows, 40 * number)], axis=2) for number in range(3)]
    return FaceTrack(
        crops=np.array(crops, dtype=np.uint8),
        times=np.array([0.0, 0.1, 0.5]),
        boxes=generator.uniform(0, 90, (3, 4)).astype(np.float32),
        points=generator.uniform(0, 90, (3, 5, 2)).astype(np.float32),
        probabilities=np.array([0.9, 0.8, 1.0], dtype=np.float32),
    )


def test_crops_come_back_in_the_same_colours(track):
    back = decode_crops([encode_crop(crop, 95) for crop in track.crops])
    assert back.shape == track.crops.shape
    assert np.abs(back.astype(int) - track.crops).max() <= 4


def test_quality_makes_larger_files(track):
    small, large = (sum(len(encode_crop(crop, quality)) for crop in track.crops) for quality in (30, 95))
    assert small < large


def test_all_but_the_crops_is_kept_exactly(track):
    kept = keep(track, 95)
    assert kept.sizes.tolist() == [len(encode_crop(crop, 95)) for crop in track.crops]
    assert kept.sizes.sum() == len(kept.files)
    for name in ("times", "boxes", "points", "probabilities"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(track, name))
        assert getattr(kept, name).dtype == getattr(track, name).dtype


def test_unknown_places_are_nan():
    reel = Reel(95)
    reel.add(np.zeros((8, 8, 3), np.uint8), 0.5)
    track = reel.track()
    assert track.times.tolist() == [0.5]
    assert np.isnan(track.boxes).all()
    assert np.isnan(track.points).all()
    assert np.isnan(track.probabilities).all()
    assert (track.boxes.shape, track.points.shape) == ((1, 4), (1, 5, 2))


def test_files_beyond_the_limit_are_mapped_and_the_same(track, monkeypatch):
    small = keep(track, 95)
    monkeypatch.setattr(module, "LIMIT", len(small.files) // 2)
    large = keep(track, 95)
    assert isinstance(large.files, np.memmap)
    np.testing.assert_array_equal(large.files, small.files)
    np.testing.assert_array_equal(decoded(large).crops, decoded(small).crops)


def test_memory_of_a_long_track(monkeypatch):
    """Five minutes of crops, 110 MB as pixels, more than 16 MB as JPEG; 1 MB of it may stay in memory."""
    monkeypatch.setattr(module, "LIMIT", 1 << 20)
    crop = np.random.default_rng(0).integers(96, 160, (112, 112, 3), dtype=np.uint8)
    place = np.zeros(4), np.zeros((5, 2))
    Reel(80).add(crop, 0.0, *place, 1.0)  # loads the library
    tracemalloc.start()
    reel = Reel(80)
    for number in range(3000):
        reel.add(crop, number / 10, *place, 1.0)
    track = reel.track()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert track.files.nbytes > 16 << 20
    assert track.times[-1] == 299.9
    assert peak < 4 << 20
