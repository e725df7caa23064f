import numpy as np
import pytest

from feature_extraction.faces.extractor import FaceExtractor
from feature_extraction.faces.frames import shrunk_size
from feature_extraction.faces.reel import encode_crop
from feature_extraction.faces.spec import get_face_spec
from feature_extraction.faces.store import decode_crops, decoded, read_track, to_record
from toolkit.cache import Cache, CacheWriter, Header
from toolkit.errors import ClipError
from toolkit.media import Frame, iterate_frames, write_video
from toolkit.status import Status


@pytest.fixture(scope="module")
def extractor():
    return FaceExtractor(get_face_spec("frames"))


def halves(height, width, count=13):
    """Frames red on the left, ever bluer on the right."""
    images = np.zeros((count, height, width, 3), np.uint8)
    images[:, :, : width // 2] = (200, 0, 0)
    images[:, :, width // 2 :, 2] = 10 * np.arange(count)[:, None, None] + 50
    return list(images)


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (1080, 1920, (455, 256)),
        (1920, 1080, (256, 455)),
        (512, 512, (256, 256)),
        (256, 400, (400, 256)),
        (200, 300, (300, 200)),
    ],
)
def test_size(height, width, expected):
    assert shrunk_size(np.empty((height, width, 3)), 256) == expected


def test_ten_frames_a_second_shrunk(extractor, tmp_path):
    path = tmp_path / "clip.mp4"
    write_video(path, halves(512, 768), frame_rate=20)
    track = extractor.extract(path)
    assert track.times.tolist() == pytest.approx([n / 10 for n in range(7)])
    assert np.isnan(track.boxes).all()
    assert np.isnan(track.points).all()
    assert np.isnan(track.probabilities).all()
    assert (track.boxes.shape, track.points.shape, track.probabilities.shape) == ((7, 4), (7, 5, 2), (7,))
    crops = decoded(track).crops
    assert crops.shape == (7, 256, 384, 3)
    np.testing.assert_allclose(crops[:, 100, 50], [[200, 0, 0]] * 7, atol=6)
    np.testing.assert_allclose(crops[:, 100, 300], [[0, 0, 50 + 20 * n] for n in range(7)], atol=6)


def test_small_frames_keep_their_pixels(extractor, tmp_path):
    path = tmp_path / "clip.mp4"
    write_video(path, halves(64, 96), frame_rate=10)
    images = [frame.image for frame in iterate_frames(path)]
    kept = decode_crops([encode_crop(image, extractor.spec.quality) for image in images])
    np.testing.assert_array_equal(decoded(extractor.extract(path)).crops, kept)


def test_later_sizes_follow_the_first(extractor, monkeypatch, tmp_path):
    images = [halves(300, 600, 1)[0], halves(500, 500, 1)[0], halves(100, 120, 1)[0]]
    frames = [Frame(image, n / 10) for n, image in enumerate(images)]
    monkeypatch.setattr("feature_extraction.faces.frames.iterate_frames", lambda path, rate: iter(frames))
    crops = decoded(extractor.extract(tmp_path / "clip.mp4")).crops
    assert crops.shape == (3, 256, 512, 3)
    np.testing.assert_allclose(crops[:, 128, 100], [[200, 0, 0]] * 3, atol=6)
    np.testing.assert_allclose(crops[:, 128, 400], [[0, 0, 50]] * 3, atol=6)


def test_through_the_cache_clips_of_different_sizes(extractor, tmp_path):
    sizes = {"wide": (64, 96), "tall": (96, 64)}
    with CacheWriter(tmp_path / "frames.h5", Header("clips", "{}", "0")) as writer:
        for name, size in sizes.items():
            write_video(tmp_path / f"{name}.mp4", halves(*size), frame_rate=10)
            writer.append(to_record(name, extractor.extract(tmp_path / f"{name}.mp4")))
    with Cache(tmp_path / "frames.h5") as cache:
        for name, size in sizes.items():
            track, expected = read_track(cache, name), decoded(extractor.extract(tmp_path / f"{name}.mp4"))
            assert track.crops.shape == (13, *size, 3)
            for values, others in zip(track, expected, strict=True):
                np.testing.assert_array_equal(values, others)


def test_missing(extractor, tmp_path):
    with pytest.raises(ClipError) as caught:
        extractor.extract(tmp_path / "none.mp4")
    assert caught.value.status is Status.MISSING
