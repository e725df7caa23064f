"""npz files that anybody can bring, and the one of the MOSI utterances."""

import numpy as np
import pytest

from toolkit.cache_import.npz import open_npz
from toolkit.errors import UserError


@pytest.fixture
def write(tmp_path):
    def save(**arrays):
        np.savez(tmp_path / "mine.npz", **arrays)
        return tmp_path / "mine.npz"

    return save


def test_vectors_by_name(write):
    path = write(name=np.array(["x", "y"]), text=np.array([[1.0, 2.0], [3.0, 4.0]]), audio=np.ones((2, 7)))
    origin = open_npz(path, "text")
    assert (origin.level, origin.key, list(origin.names)) == ("utterance", "text", ["x", "y"])
    assert origin.read("y").tolist() == [3.0, 4.0]
    assert len(open_npz(path, "text", "audio").read("x")) == 7


def test_frames_with_lengths(write):
    frames = np.array([[[1], [2], [0]], [[3], [0], [0]]], np.float32)
    origin = open_npz(write(names=np.array([b"x", b"y"]), video=frames, video_lengths=np.array([2, 1])), "visual")
    assert origin.level == "frame"
    assert origin.read("x").tolist() == [[1], [2]]
    assert origin.read("y").tolist() == [[3]]


def test_names_in_two_parts(write):
    path = write(video_id=np.array(["v", "w"]), utterance_no=np.array([3, 10]), audio=np.ones((2, 1)))
    assert list(open_npz(path, "audio").names) == ["v_3", "w_10"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"text": np.ones((2, 1))}, "names no clips: it has text. Add an array 'name' of strings"),
        (
            {"name": np.array(["a"]), "sound": np.ones((1, 1))},
            "has no array 'text'. Name one with --key; it has: sound",
        ),
        ({"name": np.array(["a"]), "text": np.array([[None]])}, "Object arrays cannot be loaded"),
        ({"name": np.array(["a", None]), "text": np.ones((2, 1))}, "Object arrays cannot be loaded"),
        ({"name": np.array(["a"]), "text": np.ones((1, 2, 1)), "text_lengths": np.array([1, 2])}, r"says of \(2, 2\)"),
        (
            {"name": np.array(["a"]), "text": np.ones((1, 2, 1)), "text_lengths": np.array(["x"])},
            "cannot be read .*less",
        ),
    ],
)
def test_files_that_do_not_fit(write, arrays, message):
    with pytest.raises(UserError, match=message):
        open_npz(write(**arrays), "text")


def test_broken_files(write, tmp_path):
    path = write(name=np.array(["a"]), text=np.ones((1, 100)))
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(UserError, match=r"mine.npz cannot be read \(.*Expected arrays of numbers"):
        open_npz(path, "text")
    np.save(tmp_path / "single.npy", np.ones(3))
    with pytest.raises(UserError, match="it is a single array"):
        open_npz((tmp_path / "single.npy").rename(tmp_path / "single.npz"), "text")


def test_mosi_utterances(shared_data):
    path = shared_data / "mosi_utterance_features" / "mosi_utterances.npz"
    with np.load(path, allow_pickle=False) as file:
        video, number, text = str(file["video_id"][7]), int(file["utterance_no"][7]), file["text"][7]
    for modality, dim in (("text", 100), ("audio", 73), ("visual", 100)):
        origin = open_npz(path, modality)
        assert len(origin.names) == 2199
        assert origin.read(f"{video}_{number}").shape == (dim,)
    np.testing.assert_array_equal(open_npz(path, "text").read(f"{video}_{number}"), text)
