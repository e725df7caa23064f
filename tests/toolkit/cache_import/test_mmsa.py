"""Pickles of MMSA: real frames out of padded ones, aligned to the tokens or not."""

import pickle

import numpy as np
import pytest

from toolkit.cache_import.mmsa import open_mmsa
from toolkit.errors import UserError


def padded(*clips, frames, at_start=False):
    """Arrays ``(N, frames, 1)`` of numbers, filled up with zeros."""
    zeros = [[0] * (frames - len(clip)) for clip in clips]
    rows = [[*zero, *clip] if at_start else [*clip, *zero] for clip, zero in zip(clips, zeros, strict=True)]
    return np.array(rows, np.float32)[:, :, None]


def tokens(*counts, frames):
    """Token numbers, which of them are real, and segments, ``(N, 3, frames)``."""
    real = (np.arange(frames) < np.array(counts)[:, None]).astype(np.float32)
    return np.stack([real * 101, real, real * 0], axis=1)


@pytest.fixture
def write(tmp_path):
    """Writes splits as MMSA does."""

    def save(**splits):
        path = tmp_path / "unaligned_50.pkl"
        path.write_bytes(pickle.dumps(splits, protocol=4))
        return path

    return save


@pytest.fixture
def unaligned(write):
    """Two training clips and a test clip; text fills the padding with what BERT says of it."""
    text = padded([1, 2, 3], [4, 5], frames=4)
    text[text == 0] = 99
    train = {
        "id": ["v$_$1", "v$_$2"],
        "raw_text": np.array(["one", "two"]),
        "text": text,
        "text_bert": tokens(3, 2, frames=4),
        "audio": padded([1, -np.inf, 3], [4], frames=5),
        "audio_lengths": [3, 1],
        "vision": padded([5, 6], [], frames=3, at_start=True),
        "vision_lengths": [2, 1],
        "regression_labels": np.array([1.0, -1.0]),
    }
    test = {
        "id": np.array(["w$_$1"]),
        "raw_text": ["three"],
        "text": padded([7], frames=4),
        "text_bert": tokens(1, frames=4),
        "audio": padded([8, 9], frames=5),
        "audio_lengths": np.array([2]),
        "vision": padded([7, 8, 9], frames=3),
        "vision_lengths": np.array([3]),
        "regression_labels": np.array([0.5]),
    }
    return write(train=train, valid={"id": []}, test=test)


def clips(origin):
    return {name: origin.read(name).ravel().tolist() for name in origin.names}


def test_unaligned(unaligned):
    text = open_mmsa(unaligned, "text")
    assert (text.level, text.key, text.kind, text.path.name) == (
        "frame", "text", "pickle of MMSA", "unaligned_50.pkl",
    )  # fmt: skip
    assert clips(text) == {"v_1": [1, 2, 3], "v_2": [4, 5], "w_1": [7]}
    assert clips(open_mmsa(unaligned, "audio")) == {"v_1": [1, 0, 3], "v_2": [4], "w_1": [8, 9]}
    assert clips(open_mmsa(unaligned, "visual")) == {"v_1": [5, 6], "v_2": [0], "w_1": [7, 8, 9]}


def test_aligned_to_the_tokens(write):
    """A word without a frame stays, so that all modalities have as many frames."""
    train = {
        "id": ["v$_$1"],
        "text": padded([1, 2, 3], frames=5),
        "text_bert": tokens(3, frames=5),
        "audio": padded([0, 8, 0], frames=5),
        "vision": padded([7, 0, 9], frames=5, at_start=True),
        "regression_labels": [0.0],
    }
    path = write(train=train)
    assert [clips(open_mmsa(path, modality))["v_1"] for modality in ("text", "audio", "visual")] == [
        [1, 2, 3], [0, 8, 0], [7, 0, 9],
    ]  # fmt: skip
    train["vision"] = padded([7, 8, 9, 10], frames=5)  # does not follow the tokens
    assert clips(open_mmsa(write(train=train), "visual"))["v_1"] == [7, 8, 9, 10]


def test_nothing_tells_the_padding(write):
    train = {"id": ["v$_$1"], "text": padded([1, 0, 3], frames=5, at_start=True), "regression_labels": [0.0]}
    assert clips(open_mmsa(write(train=train), "text"))["v_1"] == [1, 0, 3]


def test_one_vector_per_clip(write):
    train = {"id": ["a", "b"], "vision": np.array([[1.0, 2.0], [3.0, 4.0]]), "regression_labels": [0.0, 0.0]}
    origin = open_mmsa(write(train=train), "visual")
    assert origin.level == "utterance"
    assert clips(origin) == {"a": [1, 2], "b": [3, 4]}


def test_key_of_ones_own(write):
    train = {"id": ["a"], "pose": np.array([[1.0]]), "vision": np.array([[2.0]]), "regression_labels": [0.0]}
    assert clips(open_mmsa(write(train=train), "visual", "pose")) == {"a": [1]}


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ({"id": ["a"], "audio": np.ones((1, 2))}, "has no array 'text'. Name one with --key; it has: audio"),
        ({"id": ["a"], "text_bert": np.ones((1, 3, 4))}, r"has no array 'text'. Name one with --key; it has: \."),
        ({"id": ["a"], "text": [[1.0], [2.0]]}, "has 2 rows for 1 names"),
        ({"id": ["a", "b"], "text": [[1.0], [2.0, 3.0]]}, "'text' of 'train' is no array of frames with lengths"),
        ({"id": ["a"], "text": np.ones((1, 2, 1)), "text_bert": np.ones(1)}, "is no array of frames with lengths"),
        ({"id": ["a"], "text": np.ones((1, 2, 1)), "text_lengths": [1, 2]}, r"says of \(2, 2\) frames"),
        ({"text": np.ones((1, 2))}, "is no pickle of MMSA. Expected train, valid and test"),
    ],
)
def test_pickles_that_do_not_fit(write, train, message):
    with pytest.raises(UserError, match=message):
        open_mmsa(write(train=train), "text")


def test_a_pickle_that_runs_something(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "trapped"), "w"))

    (tmp_path / "evil.pkl").write_bytes(pickle.dumps({"train": {"id": ["a"], "text": Trap()}}))
    with pytest.raises(UserError, match="which is refused, because a pickle can run any program"):
        open_mmsa(tmp_path / "evil.pkl", "text")
    assert not (tmp_path / "trapped").exists()
