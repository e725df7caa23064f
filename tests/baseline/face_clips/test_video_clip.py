"""Some pictures of a video are those that reading all of it gives."""

import numpy as np
import pytest

from baseline.face_clips import video_clip
from baseline.face_clips.video_clip import VideoClip
from toolkit.errors import ClipError
from toolkit.media import iterate_frames

REAL = ["grid_bbaf2n.mpg", "hdtf_WDA_AOC_000.mp4", "pyfeat_single_face.mp4"]  # MPEG-PS, whose seeking is coarse


def all_of(path):
    frames = list(iterate_frames(path))
    return np.stack([frame.image[::4, ::4] for frame in frames]), [frame.time for frame in frames]


def test_pictures_and_times(face_clips):
    pictures, times = all_of(face_clips / "clip_0.mp4")
    clip = VideoClip("clip_0", face_clips / "clip_0.mp4", None)
    np.testing.assert_allclose(clip.times, times, atol=1e-6)
    numbers = np.array([0, 3, 3, 10, 19])
    np.testing.assert_array_equal(clip.pictures(numbers)[:, ::4, ::4], pictures[numbers])


@pytest.mark.parametrize("name", REAL)
def test_real_pictures(shared_data, name):
    path = shared_data / "talking_face_clips" / name
    pictures, times = all_of(path)
    clip = VideoClip(name, path, None)
    np.testing.assert_allclose(clip.times, times, atol=1e-6)
    for first in (1, len(times) // 2, len(times) - 8):
        numbers = np.minimum(first + 4 * np.arange(4), len(times) - 1)
        np.testing.assert_array_equal(clip.pictures(numbers)[:, ::4, ::4], pictures[numbers])


def test_late_pictures_are_sought_and_not_decoded_from_the_start(shared_data, monkeypatch):
    path = shared_data / "talking_face_clips" / "pyfeat_WolfgangLanger_Pexels.mp4"
    clip = VideoClip("late", path, None)
    monkeypatch.setattr(video_clip, "iterate_frames", lambda _: pytest.fail("decoded from the start"))
    assert clip.pictures(np.array([300, 304])).shape == (2, 360, 640, 3)


def test_a_file_without_stamps_is_decoded(face_clips, tmp_path):
    import av

    with av.open(str(tmp_path / "clip.avi"), "w") as target:
        stream = target.add_stream("mpeg4", rate=25, width=80, height=80, pix_fmt="yuv420p")
        for image, _ in iterate_frames(face_clips / "clip_0.mp4"):
            target.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        target.mux(stream.encode(None))
    pictures, times = all_of(tmp_path / "clip.avi")
    clip = VideoClip("clip", tmp_path / "clip.avi", None)
    np.testing.assert_allclose(clip.times, times)
    np.testing.assert_array_equal(clip.pictures(np.array([4, 17]))[:, ::4, ::4], pictures[[4, 17]])


def test_a_film_whose_pictures_change_their_size_has_those_of_the_first(tmp_path):
    import av

    content = b""
    for side, grey in ((64, 40), (128, 200)):
        with av.open(str(tmp_path / "part.264"), "w", format="h264") as target:
            options = {"x264-params": "bframes=0"}
            stream = target.add_stream("libx264", rate=25, width=side, height=side, pix_fmt="yuv420p", options=options)
            for _ in range(10):
                image = np.full((side, side, 3), grey, np.uint8)
                target.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            target.mux(stream.encode(None))
        content += (tmp_path / "part.264").read_bytes()
    (tmp_path / "both.264").write_bytes(content)
    pictures = VideoClip("both", tmp_path / "both.264", None).pictures(np.array([0, 8, 12, 19]))
    assert pictures.shape == (4, 64, 64, 3)
    np.testing.assert_allclose(pictures.mean(axis=(1, 2, 3)), [40, 40, 200, 200], atol=3)


def test_what_is_no_video_says_so(face_clips, tmp_path):
    for path, status in ((face_clips / "clip_6.mp4", "unreadable"), (tmp_path / "none.mp4", "missing")):
        with pytest.raises(ClipError, match=f"^{status}"):
            VideoClip("bad", path, None)
    with pytest.raises(ClipError, match=r"^no_video"):
        VideoClip("sound", face_clips / "clip_0.wav", None)
